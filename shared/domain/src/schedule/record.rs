//! The record of a schedule, the fires that made no run, and the inputs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Overlap, Schedule};
use crate::{Effect, Id, Json, Machine, RecordKey, Version, limits, slug};

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
    /// Is true once it is to be deleted: the record goes when the scheduler has it no more.
    #[serde(default, rename = "deleted", skip_serializing_if = "std::ops::Not::not")]
    pub is_deleted: bool,
    /// The run of its latest fire, for the overlap policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Id>,
    /// The time at which the conductor puts it into the scheduler or takes it out, where the program that was to do so
    /// has not said that it did.
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
    /// It is to be deleted, and the scheduler may have it still.
    Deleted,
}

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

/// The last 100 fires of a schedule that made no run, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SkippedFires(Vec<SkippedFire>);

/// A schedule as a program puts it: its times, its task, and the body of its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulePut {
    /// The task it fires.
    pub task: String,
    /// The times of its fires; one that fires once has a moment.
    pub schedule: Schedule,
    /// The body of its runs.
    pub body: Json,
}

/// An input of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub enum ScheduleInput {
    /// A program puts it.
    Put(SchedulePut),
    /// It has been put into the scheduler as it was made then: its `created_at`.
    Scheduled(Timestamp),
    /// The conductor reconciles it.
    Reconciled,
    /// A deploy declares it.
    Declared {
        /// The task it fires.
        task: String,
        /// Is true where it was declared before and fires at the same times: it is not made anew then.
        is_same: bool,
        /// The time at which the deploy was made.
        at: Timestamp,
    },
    /// A program pauses it.
    Paused,
    /// A program resumes it.
    Resumed,
    /// It has fired.
    Fired {
        /// The time it fired for.
        time: Timestamp,
        /// The run that the fire makes.
        run: Id,
        /// The schedule as its code declares it, or as it was put.
        schedule: Schedule,
        /// Is true where that run is there already: the fire comes again.
        is_there: bool,
        /// The run of its latest fire, as the record had it when it was asked for.
        last_run: Option<Id>,
        /// Is true where that run is unfinished.
        is_unfinished: bool,
    },
    /// The run of its only fire is there: of one that was made then, its `created_at`.
    Used(Timestamp),
    /// Fires were missed while the engine was down.
    Missed(Vec<Timestamp>),
    /// A program deletes it, or a deploy no longer declares it.
    Deleted,
    /// The scheduler has it no more.
    Unscheduled,
}

/// An input without what it holds: a column of the [table](super::table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named as its input")]
pub enum ScheduleInputName {
    Put,
    Scheduled,
    Reconciled,
    Declared,
    Paused,
    Resumed,
    Fired,
    Used,
    Missed,
    Deleted,
    Unscheduled,
}

impl SchedulePhaseName {
    /// All phases.
    pub const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Deleted];
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
            is_deleted: false,
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
        match (self.is_deleted, self.paused) {
            (true, _) => SchedulePhaseName::Deleted,
            (false, true) => SchedulePhaseName::Paused,
            (false, false) => SchedulePhaseName::Active,
        }
    }
}

impl Schedule {
    /// Says whether a fire makes a run.
    ///
    /// # Errors
    /// The reason, if it doesn't.
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

impl SkippedFires {
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
        let beyond = self.0.len().saturating_sub(limits::SKIPPED_FIRES);
        self.0.drain(..beyond);
    }

    /// The fires, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &SkippedFire> {
        self.0.iter()
    }
}

impl ScheduleInputName {
    /// All inputs.
    pub const ALL: [Self; 11] = [
        Self::Put,
        Self::Scheduled,
        Self::Reconciled,
        Self::Declared,
        Self::Paused,
        Self::Resumed,
        Self::Fired,
        Self::Used,
        Self::Missed,
        Self::Deleted,
        Self::Unscheduled,
    ];
}

impl ScheduleInput {
    /// The input's column in the table.
    #[must_use]
    pub const fn name(&self) -> ScheduleInputName {
        match self {
            Self::Put(_) => ScheduleInputName::Put,
            Self::Scheduled(_) => ScheduleInputName::Scheduled,
            Self::Reconciled => ScheduleInputName::Reconciled,
            Self::Declared { .. } => ScheduleInputName::Declared,
            Self::Paused => ScheduleInputName::Paused,
            Self::Resumed => ScheduleInputName::Resumed,
            Self::Fired { .. } => ScheduleInputName::Fired,
            Self::Used(_) => ScheduleInputName::Used,
            Self::Missed(_) => ScheduleInputName::Missed,
            Self::Deleted => ScheduleInputName::Deleted,
            Self::Unscheduled => ScheduleInputName::Unscheduled,
        }
    }
}
