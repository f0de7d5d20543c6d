//! A task for tests: it does what its input says, good or bad.

use std::{thread, time::Duration};

use dacapo::prelude::*;
use serde::{Deserialize, Serialize};

/// The task.
pub const CHAOS: TaskRef<Chaos, Told> = TaskRef::new("chaos");

/// The course that an attempt takes. `{}` is a run that completes at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chaos {
    /// The mischief of each attempt, the first first; what is not told of goes well.
    pub attempts: Vec<Mischief>,
    /// Iterations before the one that is told of, each continued without a trace.
    pub continues: u32,
    /// Seconds between two iterations.
    pub pause_s: u64,
}

/// The mishap of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mischief {
    /// Nothing.
    None,
    /// An error that is tried again.
    Fail,
    /// A panic.
    Panic,
    /// The process ends without an answer.
    Exit,
    /// It waits past its timeout, and can be stopped.
    Sleep,
    /// It goes on until it is told of an abort, and starts a run before.
    Listen,
    /// It holds its thread past its timeout, and can't be stopped.
    Block,
}

/// The answer of a run that went well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The iteration.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
}

/// The timeout of an attempt that passes it, or ends its process.
const SHORT: Duration = seconds(2);
const TOO_LONG: Duration = seconds(8);

/// The task: a minute for an attempt, so that a busy machine is told from mischief; three attempts a second apart.
pub fn function() -> impl Function {
    let retry = Retry::attempts(3).min(seconds(1)).max(seconds(1)).jitter(false);
    task(CHAOS, chaos).timeout(minutes(1)).retry(retry)
}

async fn chaos(mut input: Chaos, cx: TaskContext) -> Result<Outcome<Chaos, Told>, TaskError> {
    if input.continues > 0 {
        input.continues -= 1;
        return Ok(Continue::after(seconds(input.pause_s), input));
    }
    cx.log_info("called", &input).await?;
    let attempt = cx.attempt();
    let mischief = input.attempts.get(attempt as usize - 1).copied().unwrap_or(Mischief::None);
    if matches!(mischief, Mischief::Exit | Mischief::Sleep | Mischief::Block) {
        cx.set_timeout(SHORT).await?;
    }
    match mischief {
        Mischief::None => {}
        Mischief::Fail => return Err(TaskError::retryable("told to fail").code("TOLD")),
        Mischief::Panic => panic!("told to panic"),
        Mischief::Exit => std::process::exit(1),
        Mischief::Sleep => tokio::time::sleep(TOO_LONG).await,
        Mischief::Listen => {
            cx.run(CHAOS, Chaos::default()).after(hours(1)).await?;
            while !cx.is_aborted().await? {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            return Ok(Aborted);
        }
        Mischief::Block => thread::sleep(TOO_LONG),
    }
    Ok(Done(Told { iteration: cx.iteration(), attempt }))
}
