//! The phases of a run, each with what means something there alone, as the lease of its one owner at a time; and the
//! states that are told of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{PoolId, Version};

/// A phase of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// An attempt is due, or will be: the first of the run, or one after a failure.
    Queued,
    /// An attempt executes, or its process died and its lease has not been found out yet.
    Running {
        /// The right to write the attempt's outcome.
        lease: Lease,
        /// The message of the abort that was asked for meanwhile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        abort: Option<String>,
    },
    /// Between two iterations, until a time that its wait loop keeps.
    Waiting,
    /// Between two iterations, until a signal: no execution waits with it, and a message wakes it.
    Awaiting {
        /// The signal.
        signal: Signal,
        /// The time at which the next iteration is due without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// An attempt is due and waits for a permit: no message is on its way, and nothing watches the run but its pool.
    Parked {
        /// The pool.
        pool: PoolId,
        /// Is true where its queue was paused when it came.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_held: bool,
    },
    /// Over: nothing but the hooks of the end is left to do.
    Ended(End),
}

/// The signal that a run waits for: the end of a token or of children, which are records of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Signal {
    /// The token of this name is completed, or over.
    Token {
        /// The name.
        name: String,
    },
    /// All of the children have ended that it waits for before this iteration.
    Children {
        /// The iteration that comes next.
        iteration: u32,
    },
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// The final state.
    pub state: FinalState,
    /// The time of the end.
    #[serde(with = "crate::stamp")]
    pub at: Timestamp,
    /// The message of `Done` or of an abort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The reason why the result was left out: its size in bytes, or that it can't be serialized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_left_out: Option<String>,
    /// Is true while the hooks of the end are still to run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hooks_pending: bool,
    /// The right to run them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hooks_lease: Option<Lease>,
}

/// A run's final state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FinalState {
    /// The handler returned a value.
    Completed,
    /// The last attempt failed.
    Failed,
    /// Aborted from outside or by the handler.
    Aborted,
    /// The run was not started within its `ttl`.
    Expired,
}

/// A phase without what it holds: a row of the [table](super::table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseName {
    /// [`Phase::Queued`]
    Queued,
    /// [`Phase::Running`]
    Running,
    /// [`Phase::Waiting`]
    Waiting,
    /// [`Phase::Awaiting`]
    Awaiting,
    /// [`Phase::Parked`]
    Parked,
    /// [`Phase::Ended`]
    Ended,
}

/// The lease of an attempt, or of the hooks of the end: the right to write what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// The version that the taking write left: it names the owner.
    pub token: Version,
    /// The time at which it was taken.
    #[serde(with = "crate::stamp")]
    pub since: Timestamp,
    /// The time at which it ends: an ended lease means a dead owner.
    #[serde(with = "crate::stamp")]
    pub until: Timestamp,
}

/// A run's state, as people and programs are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Stored, and held back by a paused queue.
    Created,
    /// Due later, by queue delay or schedule alike.
    Scheduled,
    /// Due, in a queue or waiting for a place; also between two attempts.
    Submitted,
    /// An attempt executes.
    Running,
    /// Between two iterations.
    Waiting,
    /// Held until it is resumed: by a client, or because its attempts were used up.
    Paused,
    /// Final: the handler returned a value.
    Completed,
    /// Final: the last attempt failed.
    Failed,
    /// Final: aborted from outside or by the handler.
    Aborted,
    /// Final: not started within its `ttl`.
    Expired,
}

use State::{Aborted, Completed, Created, Expired, Failed, Paused, Running, Scheduled, Submitted, Waiting};

/// The text names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a state (allowed: created, scheduled, submitted, running, waiting, paused, completed, failed, aborted, expired)"
)]
pub struct StateError(String);

impl From<FinalState> for State {
    fn from(state: FinalState) -> Self {
        match state {
            FinalState::Completed => Self::Completed,
            FinalState::Failed => Self::Failed,
            FinalState::Aborted => Self::Aborted,
            FinalState::Expired => Self::Expired,
        }
    }
}

impl Phase {
    /// The phase's row in the table.
    #[must_use]
    pub const fn name(&self) -> PhaseName {
        match self {
            Self::Queued => PhaseName::Queued,
            Self::Running { .. } => PhaseName::Running,
            Self::Waiting => PhaseName::Waiting,
            Self::Awaiting { .. } => PhaseName::Awaiting,
            Self::Parked { .. } => PhaseName::Parked,
            Self::Ended(_) => PhaseName::Ended,
        }
    }

    /// Is true where the run is over.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Ended(_))
    }
}

impl PhaseName {
    /// All phases, in the order of a run's life.
    pub const ALL: [Self; 6] = [Self::Queued, Self::Parked, Self::Running, Self::Waiting, Self::Awaiting, Self::Ended];
}

impl Lease {
    /// Is true while its owner may still be alive.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

impl State {
    /// All states, in the order of a run's life.
    pub const ALL: [Self; 10] =
        [Created, Scheduled, Submitted, Running, Waiting, Paused, Completed, Failed, Aborted, Expired];

    /// Is true of a run that has ended.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Completed | Failed | Aborted | Expired)
    }

    /// The state's name, as in records and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Created => "created",
            Scheduled => "scheduled",
            Submitted => "submitted",
            Running => "running",
            Waiting => "waiting",
            Paused => "paused",
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

impl std::str::FromStr for State {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| StateError(text.to_owned()))
    }
}
