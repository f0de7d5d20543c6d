//! A task for tests: its runs share invocations, and one may hold its thread or take the process of the others with it.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
    time::Duration,
};

use dacapo::prelude::*;
use serde::{Deserialize, Serialize};

/// The task.
pub const CROWD: TaskRef<Part, Told> = TaskRef::new("crowd");

/// The part that a run has among those that share its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// It waits for a moment, and goes well.
    Stay,
    /// It stays past its timeout where it has company.
    Linger,
    /// The process of its first attempt ends without an answer, each time that it is made.
    Exit,
    /// The first attempt holds its thread past its timeout.
    Block,
}

/// The answer of a run that went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The attempt.
    pub attempt: u32,
    /// The attempts that executed in its process a moment after it had begun, itself included.
    pub at_once: u32,
}

/// The time after which what would have come has come.
const GATHERED: Duration = seconds(1);
/// The timeout of an attempt that passes it, or whose process ends.
const SHORT: Duration = seconds(3);
const TOO_LONG: Duration = seconds(9);

static EXECUTING: AtomicU32 = AtomicU32::new(0);

/// An attempt that executes in this process.
struct Executing;

impl Executing {
    fn begin() -> Self {
        EXECUTING.fetch_add(1, SeqCst);
        Self
    }
}

impl Drop for Executing {
    fn drop(&mut self) {
        EXECUTING.fetch_sub(1, SeqCst);
    }
}

/// The task: up to five messages share an invocation.
pub fn function() -> impl Function {
    let retry = Retry::attempts(3).min(seconds(1)).max(seconds(1)).jitter(false);
    task(CROWD, crowd).batch(5).timeout(minutes(1)).retry(retry)
}

async fn crowd(part: Part, cx: TaskContext) -> Result<Told, TaskError> {
    cx.log_info("called", part).await?;
    let _executing = Executing::begin();
    tokio::time::sleep(GATHERED).await;
    let at_once = EXECUTING.load(SeqCst);
    let (has_company, is_first) = (at_once > 1, cx.attempt() == 1);
    if match part {
        Part::Stay => false,
        Part::Linger => has_company,
        Part::Exit | Part::Block => is_first,
    } {
        cx.set_timeout(SHORT).await?;
        match part {
            Part::Exit => process::exit(1),
            Part::Block => thread::sleep(TOO_LONG),
            Part::Linger | Part::Stay => tokio::time::sleep(TOO_LONG).await,
        }
    }
    Ok(Told { attempt: cx.attempt(), at_once })
}
