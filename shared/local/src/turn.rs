//! Turns: how a process that knows the engine answers for its last invocation and gets the next, in one exchange.
//!
//! Beside Lambda's Runtime API, at the same address. A run comes to such a process with its attempt taken: the engine
//! has committed that its message arrived, which on Lambda the function does by itself.

use dacapo_core::runner::{EndedAttempt, Taken};
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
    /// A run whose message was taken. Its answer is the attempt that was made, or that all is done.
    Run(Box<Taken>),
    /// Any other event, as Lambda brings it.
    Event(Json),
}

/// A process's answer for its last invocation.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The invocation's id.
    pub id: String,
    /// The way it ended.
    pub ended: Ended,
    /// Is true where the process ends now: it gets no other invocation.
    pub leaves: bool,
}

/// The end of an invocation.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ended {
    /// It answered.
    Answered(Json),
    /// It made an attempt, whose end is the engine's to commit.
    Attempt(Box<EndedAttempt>),
    /// It failed: the error, as JSON of Lambda's form.
    Failed(String),
}
