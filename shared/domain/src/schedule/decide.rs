//! One way through: a schedule and what happens to it give the schedule as it should be, and what follows.

use jiff::Timestamp;

use super::{
    Overlap, Schedule, ScheduleInput, SchedulePut, ScheduleRecord, SkipReason, SkippedFire,
    table::{ScheduleCell, ScheduleTransition as T, cell},
};
use crate::{
    Decision, DecisionContext, Effect, Header, Index, IndexEntry, Machine, Version, Work, later, limits, slot,
};

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
        let decision = match (transition, input) {
            (T::Put, ScheduleInput::Put(put)) => self.put(put, cx),
            // Another put has come in between, and the scheduler may have them in either order.
            (T::NoteScheduled, ScheduleInput::Scheduled(made)) if self.put.is_some() && *made != self.created_at => {
                self.clone().into_scheduler(cx)
            }
            // It is in the scheduler already.
            (T::NoteScheduled | T::PutAgain, _) if self.reconcile_at.is_none() => Decision::keep(self, vec![]),
            (T::NoteScheduled, _) => Self { reconcile_at: None, ..self.clone() }.stored(cx),
            (T::PutAgain, _) => Self { reconcile_at: None, ..self.clone() }.into_scheduler(cx),
            (T::PutBack, _) if self.put.is_some() => self.clone().into_scheduler(cx),
            (T::PutBack, _) => Decision::keep(self, vec![]),
            (T::Declare, ScheduleInput::Declared { task, is_same, at }) => self.declared(task, *is_same, *at, cx),
            (T::Pause | T::Resume, _) => Self { paused: transition == T::Pause, ..self.clone() }.stored(cx),
            // The same fire again: its run is there, or is still to be made.
            (T::Fire, ScheduleInput::Fired { run, is_there, .. }) if *is_there || self.last_run == Some(*run) => {
                Decision::keep(self, vec![]).then(Work::StartRun)
            }
            (T::Fire, fired @ ScheduleInput::Fired { .. }) => self.fired(fired, cx),
            (T::RememberMissed, ScheduleInput::Missed(times)) => {
                let mut next = self.clone();
                for time in times {
                    next.skipped.remember(SkippedFire { time: *time, reason: SkipReason::Missed });
                }
                if next == *self { Decision::keep(self, vec![]) } else { next.stored(cx) }
            }
            (T::DeleteUsed, ScheduleInput::Used(made)) if !self.is_used(*made) => Decision::keep(self, vec![]),
            (T::Delete, _) if self.put.is_none() => Decision::delete(self, vec![]),
            (T::TakeOutAgain, ScheduleInput::Reconciled) => {
                Self { reconcile_at: None, ..self.clone() }.out_of_scheduler(cx)
            }
            (T::Delete | T::DeleteUsed | T::TakeOutAgain, _) => self.clone().out_of_scheduler(cx),
            (T::Forget, _) => Decision::delete(self, vec![]),
            _ => unreachable!("the table leads {input:?} to {transition:?}"),
        };
        let (from, to) = (self.phase(), decision.record.phase());
        debug_assert!(from == to || transition.leads_to(from).contains(&to), "{transition:?}: {from:?} → {to:?}");
        decision
    }
}

impl ScheduleRecord {
    fn put(&self, SchedulePut { task, schedule, body }: &SchedulePut, cx: &DecisionContext) -> Decision<Self> {
        // Another `every` fires at once and counts anew, so only other times replace it.
        let same_times = self.put.as_ref().is_some_and(|former| former.has_same_times(schedule)) && self.task == *task;
        let goes_on = same_times && !self.is_deleted;
        let mut next = Self { task: task.clone(), put: Some(schedule.clone()), ..self.revived(cx) };
        let decision = if goes_on && self.reconcile_at.is_none() {
            next.stored(cx)
        } else {
            next.created_at = if goes_on { self.created_at } else { cx.now };
            next.into_scheduler(cx)
        };
        decision.with(slot::BODY, body.clone())
    }

    /// The code declares it. One that a program had put under this name leaves the scheduler: else both would fire.
    fn declared(&self, task: &str, is_same: bool, at: Timestamp, cx: &DecisionContext) -> Decision<Self> {
        let is_declared = self.version != Version(0) && self.put.is_none();
        if is_same && is_declared {
            return Decision::keep(self, vec![]);
        }
        let next = Self { task: task.to_owned(), created_at: at, put: None, reconcile_at: None, ..self.revived(cx) };
        let mut decision = next.stored(cx);
        decision.effects.extend(self.put.is_some().then(|| Effect::DeleteSchedule { name: self.name.clone() }));
        decision
    }

    /// The record to make another one of. Nothing is left of one that was to be deleted.
    fn revived(&self, cx: &DecisionContext) -> Self {
        if !self.is_deleted {
            return self.clone();
        }
        Self { reconcile_at: self.reconcile_at, ..Self::fresh(&self.name, &self.task, cx.now) }
    }

    /// Is true of one that was made then and fires no more: put again, it is another.
    fn is_used(&self, made: Timestamp) -> bool {
        self.created_at == made && self.put.as_ref().is_some_and(Schedule::fires_once)
    }

    /// Invariant: *the record first*. A fire that comes at once finds it; until it is in the scheduler, the conductor
    /// is the net.
    fn into_scheduler(self, cx: &DecisionContext) -> Decision<Self> {
        self.reconciled_later(cx).then(Work::PutSchedule)
    }

    /// The record last: until the scheduler has it no more, the conductor is the net.
    fn out_of_scheduler(self, cx: &DecisionContext) -> Decision<Self> {
        Self { is_deleted: true, ..self }.reconciled_later(cx).then(Work::DeleteSchedule)
    }

    fn reconciled_later(mut self, cx: &DecisionContext) -> Decision<Self> {
        let at = later(cx.now, limits::QUEUE_GRACE);
        self.reconcile_at = Some(self.reconcile_at.map_or(at, |former| former.min(at)));
        self.stored(cx)
    }

    fn fired(&self, fired: &ScheduleInput, cx: &DecisionContext) -> Decision<Self> {
        let ScheduleInput::Fired { time, run, schedule, last_run, is_unfinished, .. } = fired else {
            return Decision::keep(self, vec![]);
        };
        let (time, run) = (*time, *run);
        let is_skipped = self.skipped.iter().any(|skipped| skipped.time == time);
        // Another fire has come in between: this one is to be judged by that one's run.
        let is_outdated = schedule.overlap() == Overlap::Skip && self.last_run != *last_run;
        if is_skipped || is_outdated {
            return Decision::keep(self, vec![]);
        }
        let mut next = self.clone();
        match schedule.admits(self.paused, *is_unfinished) {
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
