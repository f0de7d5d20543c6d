//! The phases of a run: each holds what means something there alone, as the lease of its one owner at a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;
use crate::Version;

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
    /// Between two iterations.
    Waiting,
    /// Over: nothing but the hooks of the end is left to do.
    Ended(End),
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// The final state.
    pub state: FinalState,
    /// The time of the end.
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

/// A phase without what it holds: a row of the [table](super::table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseName {
    /// [`Phase::Queued`]
    Queued,
    /// [`Phase::Running`]
    Running,
    /// [`Phase::Waiting`]
    Waiting,
    /// [`Phase::Ended`]
    Ended,
}

impl Phase {
    /// The phase's row in the table.
    #[must_use]
    pub const fn name(&self) -> PhaseName {
        match self {
            Self::Queued => PhaseName::Queued,
            Self::Running { .. } => PhaseName::Running,
            Self::Waiting => PhaseName::Waiting,
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
    pub const ALL: [Self; 4] = [Self::Queued, Self::Running, Self::Waiting, Self::Ended];
}

/// The lease of an attempt, or of the hooks of the end: the right to write what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// The version that the taking write left: it names the owner.
    pub token: Version,
    /// The time at which it was taken.
    pub since: Timestamp,
    /// The time at which it ends: an ended lease means a dead owner.
    pub until: Timestamp,
}

impl Lease {
    /// Is true while its owner may still be alive.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.until
    }
}
