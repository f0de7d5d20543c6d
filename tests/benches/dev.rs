//! The engine as `dacapo dev` runs it: a process of its own, the functions in theirs, runs started over HTTP.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use dacapo::{Client, Definition, State, port::ListFilter};
use dacapo_local::{DevFunction, DevOptions, Report};
use echo::{ECHO, Said};
use futures::future::join_all;

use crate::{AnyError, machine, table::Row};

/// Where the engine's child process keeps its database; also what makes this program that process.
const DATABASE: &str = "DACAPO_BENCH_DATABASE";

const RUNS: u32 = 10_000;
/// Who starts them at the same time.
const CALLERS: u32 = 64;
const TICK: Duration = Duration::from_millis(10);

pub fn measure() -> Result<Vec<Row>, AnyError> {
    let directory = machine::directory()?;
    let engine = EngineProcess::start(directory.path().join("bench.sqlite"))?;
    machine::runtime()?.block_on(async {
        let client = Client::new(dacapo_local::client::connect(&engine.address));
        start(&client, CALLERS, 1).await?; // The processes start.
        idle(&client).await?;
        let started = Instant::now();
        start(&client, CALLERS, RUNS / CALLERS).await?;
        let asked = started.elapsed();
        idle(&client).await?;
        let took = started.elapsed();
        let runs = f64::from(RUNS / CALLERS * CALLERS);
        let peak = machine::peak_kib(engine.child.id())? as f64 / 1024.0;
        Ok(vec![
            Row::new("runs a second", format!("{:.0}", runs / took.as_secs_f64()), "≥ 2,500"),
            Row::note("of that, runs accepted a second", format!("{:.0}", runs / asked.as_secs_f64())),
            Row::new("the engine's peak memory", format!("{peak:.1} MiB"), "≤ 60 MB"),
        ])
    })
}

async fn start(client: &Client, callers: u32, each: u32) -> Result<(), dacapo::Error> {
    let callers = (0..callers).map(|_| async {
        for _ in 0..each {
            client.run(ECHO, Said::default()).await?;
        }
        Ok(())
    });
    join_all(callers).await.into_iter().collect()
}

/// Waits until no run is unfinished.
async fn idle(client: &Client) -> Result<(), dacapo::Error> {
    for state in [State::Submitted, State::Running, State::Submitted] {
        loop {
            let filter = ListFilter { task: None, state: Some(state), limit: 1, cursor: None };
            if client.list(filter).await?.runs.is_empty() {
                break;
            }
            tokio::time::sleep(TICK).await;
        }
    }
    Ok(())
}

/// The engine in a process of its own, whose memory is its alone.
struct EngineProcess {
    child: Child,
    address: String,
}

impl EngineProcess {
    fn start(database: PathBuf) -> Result<Self, AnyError> {
        let mut command = Command::new(env::current_exe()?);
        let mut child = command.env(DATABASE, database).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut address)?;
        }
        let engine = Self { child, address: address.trim().to_owned() };
        if engine.address.is_empty() { Err("the engine did not start".into()) } else { Ok(engine) }
    }
}

impl Drop for EngineProcess {
    /// Asked, it ends its functions too.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Runs the engine, where this program was started as its process.
pub fn engine_of_a_child() -> Option<ExitCode> {
    let database = PathBuf::from(env::var_os(DATABASE)?);
    Some(match serve(database) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

fn serve(database: PathBuf) -> Result<(), AnyError> {
    let entry = Definition::of(echo::function()).describe("echo").map_err(|problems| problems.join(", "))?;
    let function = DevFunction { entry, binary: env!("CARGO_BIN_EXE_bench-dacapo").into() };
    let mut options = DevOptions::new("bench", database, vec![function]);
    options.port = 0;
    options.reports = Arc::new(|report| match report {
        Report::Listening { address } => drop(writeln!(std::io::stdout(), "{address}")),
        Report::Crashed { .. } | Report::Note(_) => eprintln!("{report}"),
        _ => {}
    });
    Ok(machine::runtime()?.block_on(dacapo_local::dev(options))?)
}
