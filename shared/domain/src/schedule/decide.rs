//! One way through: a schedule and what happens to it give the schedule as it should be, and what follows.

use jiff::Timestamp;

use super::{
    Overlap, Schedule, ScheduleInput, SchedulePut, ScheduleRecord, SkipReason, SkippedFire,
    table::{ScheduleCell, ScheduleTransition as T, cell},
};
use crate::{Decision, DecisionContext, Header, Id, Index, IndexEntry, Machine, Version, Work, limits, slot};

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
            // Another put has come in between, and the scheduler may have them in either order.
            (T::NoteScheduled, ScheduleInput::Scheduled(made)) if self.put.is_some() && *made != self.created_at => {
                self.clone().into_scheduler(cx)
            }
            // It is in the scheduler already.
            (T::NoteScheduled | T::PutAgain, _) if self.reconcile_at.is_none() => Decision::keep(self, vec![]),
            (T::NoteScheduled, _) => Self { reconcile_at: None, ..self.clone() }.stored(cx),
            (T::PutAgain, _) => Self { reconcile_at: None, ..self.clone() }.into_scheduler(cx),
            (T::Declare, ScheduleInput::Declared { task, is_same, at }) => {
                if *is_same && self.version != Version(0) {
                    return Decision::keep(self, vec![]);
                }
                let next = Self { task: task.clone(), created_at: *at, put: None, reconcile_at: None, ..self.clone() };
                next.stored(cx)
            }
            (T::Pause | T::Resume, _) => Self { paused: transition == T::Pause, ..self.clone() }.stored(cx),
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
                if next == *self { Decision::keep(self, vec![]) } else { next.stored(cx) }
            }
            (T::Delete, _) => Decision::delete(self, vec![]),
            _ => unreachable!("the table leads {input:?} to {transition:?}"),
        }
    }
}

impl ScheduleRecord {
    fn put(&self, SchedulePut { task, schedule, body }: &SchedulePut, cx: &DecisionContext) -> Decision<Self> {
        // Another `every` fires at once and counts anew, so only other times replace it.
        let same_times = self.put.as_ref().is_some_and(|former| former.has_same_times(schedule)) && self.task == *task;
        let mut next = Self { task: task.clone(), put: Some(schedule.clone()), ..self.clone() };
        let decision = if same_times && self.reconcile_at.is_none() {
            next.stored(cx)
        } else {
            next.created_at = if same_times { self.created_at } else { cx.now };
            next.into_scheduler(cx)
        };
        decision.with(slot::BODY, body.clone())
    }

    /// Invariant: *the record first*. A fire that comes at once finds it; until it is in the scheduler, the conductor
    /// is the net.
    fn into_scheduler(mut self, cx: &DecisionContext) -> Decision<Self> {
        let at = cx.now + limits::QUEUE_GRACE;
        self.reconcile_at = Some(self.reconcile_at.map_or(at, |former| former.min(at)));
        self.stored(cx).then(Work::PutSchedule)
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
                next.stored(cx).then(Work::StartRun)
            }
            Err(reason) => {
                next.skipped.remember(SkippedFire { time, reason });
                next.stored(cx)
            }
        }
    }

    fn stored(self, cx: &DecisionContext) -> Decision<Self> {
        Decision::store(Self { version: cx.version(), ..self }, vec![])
    }
}
