//! A task for tests: it says what was called, and by which build of its code.

use std::time::SystemTime;

use dacapo::prelude::*;
use serde::{Deserialize, Serialize};

/// The task.
pub const WITNESS: TaskRef<Rounds, Seen> = TaskRef::new("witness");

/// The course of a run. `{}` is one that completes at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rounds {
    /// Iterations before the last, each continued.
    pub more: u32,
    /// Seconds between two iterations.
    pub pause_s: u64,
    /// The builds of the code that have executed so far.
    pub builds: Vec<String>,
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The builds of the code that have executed, each as often as it follows another.
    pub builds: Vec<String>,
    /// The value of the run's step, another each time that its work is done.
    pub mark: String,
}

/// The task, in a build of this name: ten seconds for an attempt, three attempts a second apart. The last iteration has a
/// step and leaves a log entry, as do the hooks of the end.
pub fn function(build: &'static str) -> impl Function {
    let retry = Retry::attempts(3).min(seconds(1)).max(seconds(1)).jitter(false);
    task(WITNESS, move |rounds, cx| witness(rounds, cx, build))
        .timeout(seconds(10))
        .retry(retry)
        .on_success(async |seen: Seen, cx| Ok(cx.log_info("on_success", seen.mark).await?))
        .on_complete(async |_, cx| Ok(cx.log_info("on_complete", ()).await?))
}

async fn witness(mut rounds: Rounds, cx: TaskContext, build: &str) -> Result<Outcome<Rounds, Seen>, TaskError> {
    if rounds.builds.last().is_none_or(|last| last != build) {
        rounds.builds.push(build.to_owned());
    }
    if rounds.more > 0 {
        rounds.more -= 1;
        return Ok(Continue::after(seconds(rounds.pause_s), rounds));
    }
    let work = async || Ok(format!("{} {:?}", std::process::id(), SystemTime::now()));
    let mark = cx.step("mark", work).await?;
    cx.log_info("called", &mark).await?;
    Ok(Done(Seen { builds: rounds.builds, mark }))
}
