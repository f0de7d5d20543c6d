//! One LocalStack for many test processes, by three locks. The kernel releases a lock when its holder ends, in
//! whatever way, so nothing is left behind and nothing needs to be counted.
//!
//! - `users`: each test process holds it shared. The process that gets it alone knows that no other is there.
//! - `keeper`: held by the process that keeps LocalStack, for as long as it lives.
//! - `start`: held by the test process that starts the keeper or waits for it.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{APP, Emulator, Localstack, clock, config, deploy, failed, folder, server};
use crate::schedule_firer::ScheduleFirer;

/// A first build of all functions takes its time.
const PATIENCE: Duration = Duration::from_secs(45 * 60);
/// The time that LocalStack stays without users: the next test binary may just be starting.
const LINGERS: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(500);
/// Lines of the keeper's log that are shown when it failed.
const LINES: usize = 40;

/// While it is held, LocalStack stays.
pub(super) struct User {
    _lock: File,
}

/// Finds LocalStack, or has it started, and waits until the app is deployed.
pub(super) fn join(program: &str) -> io::Result<(Localstack, User)> {
    fs::create_dir_all(folder())?;
    let users = lock_file("users")?;
    users.lock_shared()?;
    let start = lock_file("start")?;
    start.lock()?;
    let log = folder().join("log");
    // Who started a keeper that is not ready yet may be gone: then it is waited for by whoever comes next.
    let mut keeper = if is_kept()? { None } else { Some(start_keeper(program, &log)?) };
    let deadline = Instant::now() + PATIENCE;
    while !folder().join("site.json").exists() {
        let ended = match &mut keeper {
            Some(keeper) => keeper.try_wait()?.map(|status| status.to_string()),
            None => (!is_kept()?).then(|| "its keeper has ended".to_owned()),
        };
        let problem = ended.or_else(|| (Instant::now() > deadline).then(|| format!("not ready after {PATIENCE:?}")));
        if let Some(problem) = problem {
            if let Some(keeper) = &mut keeper {
                let _ = keeper.kill();
            }
            return Err(failed(format!("{problem}; the end of {}:\n{}", log.display(), end_of(&log))));
        }
        thread::sleep(PAUSE);
    }
    let site = fs::read_to_string(folder().join("site.json"))?;
    Ok((serde_json::from_str(&site)?, User { _lock: users }))
}

fn start_keeper(program: &str, log: &Path) -> io::Result<Child> {
    let _ = fs::remove_file(folder().join("site.json"));
    eprintln!("starting {:?} and deploying the app: {}", Emulator::chosen(), log.display());
    let output = File::create(log)?;
    let mut command = Command::new(program);
    command.arg("share").stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    // A terminal's Ctrl-C is for the tests; the keeper notices that they have gone.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

fn end_of(log: &Path) -> String {
    let said = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// Keeps LocalStack until no process uses it any more.
///
/// # Errors
/// If LocalStack can't be started or ends, or the app can't be built or deployed.
pub async fn share() -> io::Result<()> {
    fs::create_dir_all(folder())?;
    let (emulator, keeper) = (Emulator::chosen(), lock_file("keeper")?);
    if keeper.try_lock().is_err() {
        return Err(failed("another process keeps a LocalStack already".to_owned()));
    }
    let _ = fs::remove_file(folder().join("clock"));
    let given = env::var("AWS_ENDPOINT_URL").ok().filter(|endpoint| !endpoint.is_empty());
    let state = tempfile::tempdir()?;
    let mut own = match &given {
        Some(_) => None,
        None => Some(server::Server::start_on_a_free_port(emulator, state.path())?),
    };
    let endpoint = given.clone().or(own.as_ref().map(|own| own.endpoint().to_owned())).unwrap_or_default();
    // In one that others use the stage is new, and gone in the end.
    let stage = given.map_or_else(|| "test".to_owned(), |_| format!("t{:06x}", fastrand::u32(..0x0100_0000)));
    let localstack = Localstack { endpoint, app: APP.to_owned(), stage };
    // It begins before there are schedules, so that it sees them come. Every fire of the app comes twice: what is
    // delivered at least once must bear it.
    let firer = ScheduleFirer::new(&config(&localstack.endpoint).await, clock()).twice_in(&localstack.prefix());
    let firer = (emulator == Emulator::LocalStack).then(|| tokio::spawn(firer.run()));
    let stack = localstack.clone();
    let made = move || deploy::build().and_then(|()| deploy::deploy(&stack));
    tokio::task::spawn_blocking(made).await.map_err(io::Error::other)??;

    let ready = folder().join("site.json.new");
    fs::write(&ready, serde_json::to_string(&localstack)?)?;
    fs::rename(&ready, folder().join("site.json"))?;

    let users = lock_file("users")?;
    let mut alone_since = None;
    loop {
        if let Some(status) = own.as_mut().map_or(Ok(None), server::Server::ended)? {
            return Err(failed(format!("{emulator:?} ended with {status}")));
        }
        if users.try_lock().is_err() {
            alone_since = None;
        } else if alone_since.get_or_insert_with(Instant::now).elapsed() > LINGERS {
            break; // Whoever comes now waits for the lock, finds nothing, and starts anew.
        } else {
            users.unlock()?;
        }
        tokio::time::sleep(PAUSE).await;
    }
    fs::remove_file(folder().join("site.json"))?;
    if let Some(firer) = firer {
        firer.abort();
    }
    if own.is_none() {
        deploy::destroy(&localstack)?;
    }
    // Only then may the next one look.
    drop((own, keeper));
    drop(users);
    Ok(())
}

fn is_kept() -> io::Result<bool> {
    Ok(lock_file("keeper")?.try_lock().is_err())
}

pub(super) fn lock_file(name: &str) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(folder().join(name))
}
