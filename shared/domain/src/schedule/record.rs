//! The record of a schedule.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Schedule, SkippedFires};
use crate::{Effect, Id, Machine, RecordKey, Version, slug};

/// The record of a schedule: of one made at run time all of it, its body apart; of a declared one whether it is
/// paused, since when it fires, and what it skipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleRecord {
    /// The name, unique in the app.
    pub name: String,
    /// The name of the last write.
    pub version: Version,
    /// The task it fires.
    pub task: String,
    /// The time at which it was made: `every` counts from here.
    pub created_at: Timestamp,
    /// The times of its fires; `None` for a declared one, whose code names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put: Option<Schedule>,
    /// Is true while it is paused: checked at the fire, since a deploy sets a declared schedule enabled again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Fires that made no run, and why: the last 100.
    #[serde(default)]
    pub skipped: SkippedFires,
    /// The run of its latest fire, for the overlap policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Id>,
    /// The time at which the conductor puts it into the scheduler, where the program that put it has not said that it
    /// did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_at: Option<Timestamp>,
}

/// A phase of a schedule: a row of the [table](super::table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchedulePhaseName {
    /// Fires make runs.
    Active,
    /// Fires make none.
    Paused,
}

impl SchedulePhaseName {
    /// Both phases.
    pub const ALL: [Self; 2] = [Self::Active, Self::Paused];
}

impl ScheduleRecord {
    /// The partition of all schedules in the list.
    pub const PARTITION: &str = "schedule";

    /// The record of a schedule that was never stored.
    #[must_use]
    pub fn fresh(name: &str, task: &str, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            version: Version(0),
            task: task.to_owned(),
            created_at: now,
            put: None,
            paused: false,
            skipped: SkippedFires::default(),
            last_run: None,
            reconcile_at: None,
        }
    }

    /// The key of a schedule's record.
    #[must_use]
    pub fn key_of(name: &str) -> RecordKey {
        RecordKey::new(Self::KIND, name)
    }

    /// The effect that puts it into the scheduler; `None` for a declared one, which the deploy puts there.
    #[must_use]
    pub fn put_effect(&self) -> Option<Effect> {
        let (name, function) = (self.name.clone(), slug(&self.task));
        self.put.clone().map(|schedule| Effect::PutSchedule { name, function, schedule })
    }

    /// The phase's row in the table.
    #[must_use]
    pub const fn phase(&self) -> SchedulePhaseName {
        if self.paused { SchedulePhaseName::Paused } else { SchedulePhaseName::Active }
    }
}
