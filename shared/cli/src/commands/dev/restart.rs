//! Functions that are built again while they run, and say something else of themselves than before.

use std::{env, fs, path::PathBuf, process::Command, time::Duration};

use dacapo_domain::Manifest;

use crate::{
    failure::{CliError, CliResult},
    output::Output,
};

const CHECK_EVERY: Duration = Duration::from_millis(500);

/// Returns once the functions, built again, make another manifest: another schedule, another timeout. Of functions that
/// can't be described it says why, and what was known of them stays in force.
pub async fn manifest_changed(
    known: &Manifest,
    binaries: Vec<PathBuf>,
    describe: impl Fn() -> CliResult<Manifest>,
    output: &Output,
) {
    let built = || -> Vec<_> {
        binaries.iter().map(|binary| fs::metadata(binary).and_then(|file| file.modified()).ok()).collect()
    };
    let mut described = built();
    let mut seen = described.clone();
    loop {
        tokio::time::sleep(CHECK_EVERY).await;
        let now = built();
        // What is still being written changes once more.
        if now == seen && now != described {
            match describe() {
                Ok(manifest) if manifest != *known => return,
                Ok(_) => {}
                Err(failure) => output.note(&failure.message),
            }
            described.clone_from(&now);
        }
        seen = now;
    }
}

/// This program, to be started in its own place with the functions as they are now.
pub struct Restart(Command);

impl Restart {
    /// The command of this call, taken before the program itself may be built again.
    pub fn of_this_program(builds: bool) -> Self {
        let mut command = Command::new(env::current_exe().unwrap_or_else(|_| "dacapo".into()));
        command.args(env::args_os().skip(1));
        if builds {
            command.arg("--no-build");
        }
        Self(command)
    }

    /// Starts it. The process stays the same, so that its parent can still end it.
    #[cfg(unix)]
    pub fn start(mut self) -> CliError {
        use std::os::unix::process::CommandExt;

        let error = self.0.exec();
        CliError::failed(format!("failed to start again: {error} (start `dacapo dev` again)"))
    }

    /// Says that it has to be started.
    #[cfg(not(unix))]
    pub fn start(self) -> CliError {
        CliError::failed(format!("the functions have changed (start again: {:?})", self.0))
    }
}
