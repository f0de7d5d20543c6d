//! The states of a run, as they are told.

use serde::{Deserialize, Serialize};

/// A run's state, as people and programs are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Due later, by queue delay or schedule alike.
    Scheduled,
    /// Due, in a queue or waiting for a place; also between two attempts.
    Submitted,
    /// An attempt executes.
    Running,
    /// Between two iterations.
    Waiting,
    /// Final: the handler returned a value.
    Completed,
    /// Final: the last attempt failed.
    Failed,
    /// Final: aborted from outside or by the handler.
    Aborted,
    /// Final: not started within its `ttl`.
    Expired,
}

use State::{Aborted, Completed, Expired, Failed, Running, Scheduled, Submitted, Waiting};

/// Every move that a run can make, as it is told. Staying (another lease, another attempt) is no move.
pub const MOVES: [(State, &[State]); 8] = [
    (Scheduled, &[Submitted, Running, Aborted, Expired, Failed]),
    (Submitted, &[Scheduled, Running, Aborted, Expired, Failed]),
    (Running, &[Completed, Failed, Aborted, Waiting, Submitted]),
    (Waiting, &[Submitted, Running, Aborted, Failed]),
    (Completed, &[]),
    (Failed, &[]),
    (Aborted, &[]),
    (Expired, &[]),
];

impl State {
    /// Is true where a run in this state may go over to the other.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        MOVES.iter().any(|(from, to)| *from == self && to.contains(&next))
    }

    /// All states, in the order of a run's life.
    pub const ALL: [Self; 8] = [Scheduled, Submitted, Running, Waiting, Completed, Failed, Aborted, Expired];

    /// Is true of a run that has ended.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Completed | Failed | Aborted | Expired)
    }

    /// The state's name, as in records and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Scheduled => "scheduled",
            Submitted => "submitted",
            Running => "running",
            Waiting => "waiting",
            Completed => "completed",
            Failed => "failed",
            Aborted => "aborted",
            Expired => "expired",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a state (allowed: scheduled, submitted, running, waiting, completed, failed, aborted, expired)")]
pub struct StateError(String);

impl std::str::FromStr for State {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| StateError(text.to_owned()))
    }
}
