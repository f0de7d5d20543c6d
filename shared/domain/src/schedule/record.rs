//! What is stored of a schedule, and what happens to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Overlap, Schedule, SkipReason, SkippedFire, SkippedFires,
    table::{ScheduleCell, ScheduleTransition as T, cell},
};
use crate::{
    Decision, DecisionContext, Effect, Header, Id, Index, IndexEntry, Json, Machine, RecordKey, Version, Work, limits,
    slot, slug,
};

/// The record of a schedule: of one made at run time all of it, its body apart; of a declared one whether it is
/// paused, since when it fires, and what it skipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleRecord {
    /// Its name, unique in the app.
    pub name: String,
    /// The name of the last write.
    pub version: Version,
    /// The task it fires.
    pub task: String,
    /// When it was made: `every` counts from here.
    pub created_at: Timestamp,
    /// When it fires; `None` for a declared one, whose code says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put: Option<Schedule>,
    /// Whether it is paused: checked at the fire, since a deploy sets a declared schedule enabled again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Fires that made no run, and why: the last 100.
    #[serde(default)]
    pub skipped: SkippedFires,
    /// The run of its latest fire, for the overlap policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Id>,
    /// When the conductor puts it into the scheduler, where the program that put it has not said that it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_at: Option<Timestamp>,
}

/// What a program puts: when a schedule fires, which task, and with what.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulePut {
    /// The task it fires.
    pub task: String,
    /// When it fires; one that fires once has a moment.
    pub schedule: Schedule,
    /// What its runs are started with.
    pub body: Json,
}

/// What happens to a schedule.
#[derive(Clone, Debug, PartialEq)]
pub enum ScheduleInput {
    /// A program puts it.
    Put(SchedulePut),
    /// It has been put into the scheduler.
    Scheduled,
    /// The conductor reconciles it.
    Reconciled,
    /// A deploy declares it.
    Declared {
        /// The task it fires.
        task: String,
        /// Whether it was declared before and fires at the same times: it is not made anew then.
        is_same: bool,
        /// When the deploy was made.
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
        /// When it fires, and how: as its code declares it, or as it was put.
        schedule: Schedule,
        /// Whether that run is there already: the fire comes again.
        is_there: bool,
        /// Whether the run of its latest fire is unfinished.
        is_unfinished: bool,
    },
    /// Fires were missed while the engine was down.
    Missed(Vec<Timestamp>),
    /// A program deletes it, once the scheduler has it no more; or a deploy no longer declares it.
    Deleted,
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
    Missed,
    Deleted,
}

/// A phase of a schedule: a row of the [table](super::table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchedulePhaseName {
    /// Its fires make runs.
    Active,
    /// Its fires make none.
    Paused,
}

impl ScheduleInputName {
    /// All inputs.
    pub const ALL: [Self; 9] = [
        Self::Put,
        Self::Scheduled,
        Self::Reconciled,
        Self::Declared,
        Self::Paused,
        Self::Resumed,
        Self::Fired,
        Self::Missed,
        Self::Deleted,
    ];
}

impl SchedulePhaseName {
    /// Both phases.
    pub const ALL: [Self; 2] = [Self::Active, Self::Paused];
}

impl ScheduleInput {
    /// Its column in the table.
    #[must_use]
    pub const fn name(&self) -> ScheduleInputName {
        match self {
            Self::Put(_) => ScheduleInputName::Put,
            Self::Scheduled => ScheduleInputName::Scheduled,
            Self::Reconciled => ScheduleInputName::Reconciled,
            Self::Declared { .. } => ScheduleInputName::Declared,
            Self::Paused => ScheduleInputName::Paused,
            Self::Resumed => ScheduleInputName::Resumed,
            Self::Fired { .. } => ScheduleInputName::Fired,
            Self::Missed(_) => ScheduleInputName::Missed,
            Self::Deleted => ScheduleInputName::Deleted,
        }
    }
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

    /// Its row in the table.
    #[must_use]
    pub const fn phase(&self) -> SchedulePhaseName {
        if self.paused { SchedulePhaseName::Paused } else { SchedulePhaseName::Active }
    }

    /// What puts it into the scheduler; `None` for a declared one, which the deploy puts there.
    #[must_use]
    pub fn put_effect(&self) -> Option<Effect> {
        let (name, function) = (self.name.clone(), slug(&self.task));
        self.put.clone().map(|schedule| Effect::PutSchedule { name, function, schedule })
    }

    fn put(&self, SchedulePut { task, schedule, body }: &SchedulePut, cx: &DecisionContext) -> Decision<Self> {
        // Another `every` fires at once and counts anew, so only other times replace it.
        let same_times = self.put.as_ref().is_some_and(|former| former.has_same_times(schedule)) && self.task == *task;
        let mut next = Self { task: task.clone(), put: Some(schedule.clone()), ..self.clone() };
        if same_times {
            let decision = next.stored(cx, vec![]).with(slot::BODY, body.clone());
            return if self.reconcile_at.is_some() { decision.then(Work::PutSchedule) } else { decision };
        }
        // The record first: a fire that comes at once finds it. Until it is there, the conductor is the net.
        next.created_at = cx.now;
        next.reconcile_at = Some(cx.now + limits::QUEUE_GRACE);
        next.stored(cx, vec![]).with(slot::BODY, body.clone()).then(Work::PutSchedule)
    }

    fn fired(
        &self,
        time: Timestamp,
        run: Id,
        schedule: &Schedule,
        is_unfinished: bool,
        cx: &DecisionContext,
    ) -> Decision<Self> {
        if self.skipped.iter().any(|skipped| skipped.time == time) {
            return Decision::keep(self, vec![]);
        }
        let mut next = self.clone();
        match schedule.admits(self.paused, is_unfinished) {
            // The usual schedule: nothing is kept of its fires.
            Ok(()) if schedule.overlap() == Overlap::Allow => Decision::keep(self, vec![]).then(Work::StartRun),
            Ok(()) => {
                next.last_run = Some(run);
                next.stored(cx, vec![]).then(Work::StartRun)
            }
            Err(reason) => {
                next.skipped.remember(SkippedFire { time, reason });
                next.stored(cx, vec![])
            }
        }
    }

    fn stored(self, cx: &DecisionContext, effects: Vec<Effect>) -> Decision<Self> {
        Decision::store(Self { version: cx.version(), ..self }, effects)
    }
}

impl Machine for ScheduleRecord {
    const KIND: &'static str = "schedule";
    type Input = ScheduleInput;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        Header {
            key: Self::key_of(&self.name),
            version: self.version,
            reconcile_at: self.reconcile_at,
            expires_at_s: None,
        }
    }

    fn index(&self) -> Vec<IndexEntry> {
        let (index, partition, sort) = (Index::List, Self::PARTITION.to_owned(), self.name.clone());
        vec![IndexEntry { index, partition, sort }]
    }

    fn decide(&self, input: &ScheduleInput, (): (), cx: &DecisionContext) -> Decision<Self> {
        let ScheduleCell::Does(transition) = cell(self.phase(), input.name()) else {
            return Decision::keep(self, vec![]);
        };
        match (transition, input) {
            (T::Put, ScheduleInput::Put(put)) => self.put(put, cx),
            (T::NoteScheduled, _) if self.reconcile_at.is_some() => {
                Self { reconcile_at: None, ..self.clone() }.stored(cx, vec![])
            }
            (T::NoteScheduled, _) => Decision::keep(self, vec![]),
            (T::PutAgain, _) => {
                let reconcile_at = Some(cx.now + limits::QUEUE_GRACE);
                Self { reconcile_at, ..self.clone() }.stored(cx, vec![]).then(Work::PutSchedule)
            }
            (T::Declare, ScheduleInput::Declared { task, is_same, at }) => {
                if *is_same && self.version != Version(0) {
                    return Decision::keep(self, vec![]);
                }
                let (task, created_at) = (task.clone(), if *is_same { self.created_at } else { *at });
                Self { task, created_at, put: None, reconcile_at: None, ..self.clone() }.stored(cx, vec![])
            }
            (T::Pause | T::Resume, _) => Self { paused: transition == T::Pause, ..self.clone() }.stored(cx, vec![]),
            // The same fire again: its run is there, or is still to be made.
            (T::Fire, ScheduleInput::Fired { run, is_there, .. }) if *is_there || self.last_run == Some(*run) => {
                Decision::keep(self, vec![]).then(Work::StartRun)
            }
            (T::Fire, ScheduleInput::Fired { time, run, schedule, is_unfinished, .. }) => {
                self.fired(*time, *run, schedule, *is_unfinished, cx)
            }
            (T::RememberMissed, ScheduleInput::Missed(times)) => {
                let mut next = self.clone();
                for time in times {
                    next.skipped.remember(SkippedFire { time: *time, reason: SkipReason::Missed });
                }
                next.stored(cx, vec![])
            }
            (T::Delete, _) => Decision::delete(self, vec![]),
            _ => unreachable!("the table leads {input:?} to {transition:?}"),
        }
    }
}
