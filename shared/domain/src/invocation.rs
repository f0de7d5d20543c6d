//! Direct invocations of a function. Each form carries its version in its name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Json, WaitLoopCall};

/// A direct invocation that is Dacapo's own; any other JSON is a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Invocation {
    /// A wait loop calls a task's function.
    #[serde(rename = "loop/1")]
    Loop(WaitLoopCall),
    /// A wait loop tells the conductor that a call ended in no answer.
    #[serde(rename = "crash/1")]
    Crash(CrashReport),
    /// A wait loop was started by hand: the conductor makes the run.
    #[serde(rename = "start/1")]
    Start(Start),
    /// A minute has passed: the conductor reconciles what is overdue.
    #[serde(rename = "sweep/1")]
    Sweep {},
    /// The app was deployed: the conductor stores the manifest that it carries.
    #[serde(rename = "deployed/1")]
    Deployed {},
}

/// A call of a function ended in no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashReport {
    /// The call.
    pub call: WaitLoopCall,
    /// The error, as the service tells it.
    pub cause: String,
}

/// A wait loop was started by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The task's name.
    pub task: String,
    /// The body.
    #[serde(default)]
    pub body: Json,
    /// The execution's name.
    pub execution: String,
    /// The time of its start.
    pub started: Timestamp,
}

impl Invocation {
    /// Reads a payload: `None` where it is not Dacapo's own, and so a body.
    #[must_use]
    pub fn read(payload: &Json) -> Option<Result<Self, serde_json::Error>> {
        const OWN: [&str; 5] = ["loop/1", "crash/1", "start/1", "sweep/1", "deployed/1"];
        let fields: std::collections::BTreeMap<String, Json> = payload.parse().ok()?;
        let mut keys = fields.keys();
        let own = matches!((keys.next(), keys.next()), (Some(key), None) if OWN.contains(&key.as_str()));
        own.then(|| payload.parse())
    }
}
