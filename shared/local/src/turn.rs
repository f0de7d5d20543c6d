//! Turns: how a process that knows the engine answers for its last invocation and gets the next, in one exchange.
//!
//! Beside Lambda's Runtime API, at the same address. A run comes to such a process with its attempt taken: the engine
//! has committed that its message arrived, which on Lambda the function does by itself.

use dacapo_core::runner::Taken;
use dacapo_domain::Json;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Behind a process's own address; its version is in it.
pub(crate) const TURN_PATH: &str = "/turn/1";

/// An invocation that a process gets.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// The id, by which it is answered.
    pub id: String,
    /// The time at which the process is stopped.
    pub deadline: Timestamp,
    /// The work.
    pub work: Work,
}

/// The work of an invocation.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Work {
    /// A run whose message was taken. Its answer is that it is done, or failed.
    Run(Box<Taken>),
    /// Any other event, as Lambda brings it.
    Event(Json),
}

/// A process's answer for its last invocation.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The invocation's id.
    pub id: String,
    /// The answer, or why there is none.
    pub answer: Result<Json, String>,
    /// Is true where the process ends now: it gets no other invocation.
    pub leaves: bool,
}
