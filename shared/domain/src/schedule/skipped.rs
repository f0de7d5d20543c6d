//! Fires that make no run, and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Overlap, Schedule};

/// A fire that made no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedFire {
    /// The time it was scheduled for.
    pub time: Timestamp,
    /// The reason.
    pub reason: SkipReason,
}

/// The reason why a fire made no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SkipReason {
    /// The schedule was paused.
    Paused,
    /// A run of the schedule was unfinished, and its overlap policy is to skip.
    Overlap,
    /// The engine was down, and the schedule doesn't catch up, or caught up with a later one.
    Missed,
}

impl Schedule {
    /// Says whether a fire makes a run.
    ///
    /// # Errors
    /// Why it doesn't.
    ///
    /// ```
    /// use dacapo_domain::{SkipReason, every};
    ///
    /// let (paused, unfinished) = (false, true);
    /// assert_eq!(every("1 hour").admits(paused, unfinished), Ok(()));
    /// assert_eq!(every("1 hour").skip_while_running().admits(paused, unfinished), Err(SkipReason::Overlap));
    /// ```
    pub fn admits(&self, paused: bool, unfinished: bool) -> Result<(), SkipReason> {
        match self.overlap() {
            _ if paused => Err(SkipReason::Paused),
            Overlap::Skip if unfinished => Err(SkipReason::Overlap),
            Overlap::Skip | Overlap::Allow => Ok(()),
        }
    }
}

/// The last 100 fires of a schedule that made no run, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SkippedFires(Vec<SkippedFire>);

impl SkippedFires {
    pub(super) const KEPT: usize = 100;

    /// Remembers a fire, in place of the oldest where there are 100. One that is delivered twice is remembered once.
    ///
    /// ```
    /// use dacapo_domain::{SkipReason, SkippedFire, SkippedFires};
    ///
    /// let mut skipped = SkippedFires::default();
    /// let fire = SkippedFire { time: "2026-01-01T06:00:00Z".parse()?, reason: SkipReason::Overlap };
    /// skipped.remember(fire);
    /// skipped.remember(fire);
    /// assert_eq!(skipped.iter().count(), 1);
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn remember(&mut self, fire: SkippedFire) {
        let Err(place) = self.0.binary_search_by_key(&fire.time, |fire| fire.time) else { return };
        self.0.insert(place, fire);
        let beyond = self.0.len().saturating_sub(Self::KEPT);
        self.0.drain(..beyond);
    }

    /// The fires, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &SkippedFire> {
        self.0.iter()
    }
}
