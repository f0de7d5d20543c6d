//! Function binaries as processes: started when there is work, replaced when they crash or change.

mod fleet;
mod one;
mod pool;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, SystemTime},
};

use dacapo_domain::{FunctionEntry, LifecycleEvent};
use tokio::process::Command;

pub(crate) use fleet::Fleet;
pub(crate) use pool::Pool;

use crate::{offspring::MARK, runtime_api::Slots};

/// A function's binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The function's name, as in the manifest.
    pub function: String,
    pub path: PathBuf,
    pub memory_mb: u32,
    /// The limit of one invocation: the Lambda's own timeout.
    pub limit: Duration,
    /// The lifecycle events of its task that have subscribers, as a text.
    pub publishes: String,
    /// The variables of its environment beside those of Lambda and of Dacapo.
    pub variables: BTreeMap<String, String>,
    pub app: String,
    pub stage: String,
    /// The engine's address.
    pub engine: String,
}

/// The mark that tells one build of a binary from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

impl Program {
    pub fn new(entry: &FunctionEntry, path: PathBuf, app: &str, stage: &str, engine: &str) -> Self {
        Self {
            function: entry.name.clone(),
            path,
            memory_mb: entry.memory_mb,
            limit: entry.lambda_timeout(),
            publishes: LifecycleEvent::text(&entry.publishes()),
            variables: BTreeMap::new(),
            app: app.to_owned(),
            stage: stage.to_owned(),
            engine: engine.to_owned(),
        }
    }

    /// The same with these variables in its environment.
    pub fn with(self, variables: BTreeMap<String, String>) -> Self {
        Self { variables, ..self }
    }

    /// The address at which one of its processes asks for work.
    fn runtime_api(&self, process: u64, slots: &Slots) -> String {
        format!("{}{}", self.engine, slots.path(&self.function, process))
    }

    /// The command that starts a process of it, which ends with the engine.
    pub fn command(&self, process: u64, slots: &Slots) -> Command {
        let Self { function, publishes, variables, app, stage, engine, .. } = self;
        let mut command = Command::new(&self.path);
        command
            .env(MARK, self.runtime_api(process, slots))
            .env("AWS_LAMBDA_FUNCTION_NAME", format!("{app}-{stage}-{function}"))
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_mb.to_string())
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{app}-{stage}-{function}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", process.to_string())
            .env("DACAPO_LOCAL", engine)
            .env("DACAPO_APP", app)
            .env("DACAPO_STAGE", stage)
            .env("DACAPO_FUNCTION", function)
            .env("DACAPO_LIFECYCLE", publishes)
            .envs(variables)
            .env_remove("DACAPO_DESCRIBE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C is the engine's to hear: it lets the running invocations end.
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

impl Stamp {
    /// The file's as it is now; `None` while it isn't there, as in the middle of a build.
    pub fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        Some(Self { modified: about.modified().ok()?, bytes: about.len() })
    }
}

#[cfg(all(test, unix, feature = "client"))]
pub(crate) mod tests;
