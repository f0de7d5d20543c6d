//! Bulk: what is done to all records that a filter names, by a run of a task that every app has.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BULK, DeliveryFilter, DeliveryRecord, DeliveryState, FilterError, ListFilter, RunRecord, later};

/// Reasons that a tally keeps, at most.
const REASONS: usize = 20;

/// The body of a bulk run, and what its next iteration goes on from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bulk {
    /// The action, and its filter.
    pub action: BulkAction,
    /// Records a second, at most: 1 to [`MAX_RATE`](Self::MAX_RATE).
    pub per_second: u32,
    /// The number of them when it was started.
    pub total: u64,
    /// The place in the list to go on from.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The page that it is being done to: told with what was done before it, and with the place after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<BulkPage>,
    /// The tally when this pass over the list began.
    #[serde(default)]
    pub done_before: u64,
    /// The tally so far.
    #[serde(default)]
    pub tally: BulkTally,
}

/// A page of the list, as it is stored before something is done to it: after a crash it is gone through again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkPage {
    /// The time before it was done to the first.
    pub begun_at: Timestamp,
    /// The texts of the keys of its records.
    pub keys: Vec<String>,
}

/// The action on all that a filter names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BulkAction {
    /// Runs that have not ended are aborted.
    Abort {
        /// The filter.
        runs: ListFilter,
        /// The reason, which is kept with each.
        message: String,
    },
    /// Runs are replayed: each gets a run of its own with the same body.
    Replay {
        /// The filter.
        runs: ListFilter,
    },
    /// Dead letters are redriven.
    Redrive {
        /// The filter.
        deliveries: DeliveryFilter,
    },
}

/// The result of a bulk run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkTally {
    /// Records to which it was done.
    pub done: u64,
    /// Records to which it could not be done.
    pub refused: u64,
    /// The reasons, each once, the first twenty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
}

impl Bulk {
    /// The records a second where its start doesn't say.
    pub const RATE: u32 = 50;
    /// The most records a second.
    pub const MAX_RATE: u32 = 1_000;

    /// A bulk run of records that are there by now.
    #[must_use]
    pub fn new(action: BulkAction, per_second: u32, total: u64) -> Self {
        Self { action, per_second, total, cursor: None, page: None, done_before: 0, tally: BulkTally::default() }
    }

    /// Is true while the list is read for the first time.
    #[must_use]
    pub const fn is_first_pass(&self) -> bool {
        self.done_before == 0
    }

    /// Is true after the last page. Unfinished runs move in their list while it is read, so that it is read again until
    /// nothing is left to do.
    pub fn ends(&mut self) -> bool {
        if self.cursor.is_some() {
            return false;
        }
        let moves = matches!(&self.action, BulkAction::Abort { runs, .. } if runs.unfinished);
        let is_over = !moves || self.tally.done == self.done_before;
        self.done_before = self.tally.done;
        is_over
    }

    /// The progress, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let (verb, BulkTally { done, refused, .. }) = (self.action.done(), &self.tally);
        if *refused == 0 { format!("{done} {verb}") } else { format!("{done} {verb}, {refused} refused") }
    }

    /// The progress, from 0 to 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        let done = self.tally.done + self.tally.refused;
        #[expect(clippy::cast_precision_loss, reason = "it is shown in percent")]
        let fraction = done as f64 / self.total.max(1) as f64;
        fraction.min(1.0)
    }
}

impl BulkAction {
    /// The action for those alone that were there by then, in the list that is shortest: what it makes itself is none of
    /// them.
    #[must_use]
    pub fn by(mut self, now: Timestamp) -> Self {
        let now = Self::first_made(now);
        match &mut self {
            Self::Abort { runs, .. } => {
                runs.unfinished |= runs.parent.is_none() && runs.schedule.is_none() && runs.tag.is_none();
                runs.until = Some(runs.until.map_or(now, |until| until.min(now)));
            }
            Self::Replay { runs } => runs.until = Some(runs.until.map_or(now, |until| until.min(now))),
            Self::Redrive { deliveries } => deliveries.state = deliveries.state.or(Some(DeliveryState::Dropped)),
        }
        self
    }

    /// The first moment that runs which it makes are of, where it was started then.
    #[must_use]
    pub fn first_made(started: Timestamp) -> Timestamp {
        later(started, Duration::from_millis(1))
    }

    /// The word for what was done.
    #[must_use]
    pub const fn done(&self) -> &'static str {
        match self {
            Self::Abort { .. } => "aborted",
            Self::Replay { .. } => "replayed",
            Self::Redrive { .. } => "redriven",
        }
    }

    /// Checks that it can be done to what the filter names.
    ///
    /// # Errors
    /// For a filter that can't be used, and for deliveries that are no dead letters.
    pub fn check(&self) -> Result<(), FilterError> {
        match self {
            Self::Abort { runs, .. } | Self::Replay { runs } => runs.check(),
            Self::Redrive { deliveries } => match deliveries.state {
                None | Some(DeliveryState::Dropped) => deliveries.check(),
                Some(state) => Err(FilterError::NotDead(state)),
            },
        }
    }

    /// Is true of a run that it is done to.
    #[must_use]
    pub fn is_for(&self, run: &RunRecord) -> bool {
        match self {
            // One that executes was told already.
            Self::Abort { .. } => !run.phase.is_final() && run.abort().is_none() && run.name != BULK,
            Self::Replay { .. } => run.name != BULK,
            Self::Redrive { .. } => false,
        }
    }
}

impl BulkPage {
    /// Is true of a dead letter of this page that was redriven since: it may have been dropped again by now.
    #[must_use]
    pub fn has_redriven(&self, delivery: &DeliveryRecord) -> bool {
        delivery.redriven_at.is_some_and(|at| at >= self.begun_at)
    }
}

impl BulkTally {
    /// Counts one that was refused.
    pub fn refuse(&mut self, why: String) {
        self.refused += 1;
        if self.why.len() < REASONS && !self.why.contains(&why) {
            self.why.push(why);
        }
    }
}
