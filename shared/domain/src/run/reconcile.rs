//! Watched until settled: when the conductor reconciles a run, and what it does then.

use jiff::Timestamp;

use super::{Facts, FinalState, Invoker, Need, Phase, Policy, RunRecord, Signal, Task, attempt, end, signal};
use crate::{Change, Decision, DecisionContext, later, limits};

impl RunRecord {
    /// The earliest time at which the record could need repair, plus the grace: `None` where it never will.
    #[must_use]
    pub fn earliest_repair(&self, now: Timestamp) -> Option<Timestamp> {
        let cascade = self.pending_cascade().map(|cascade| later(cascade.since, limits::LEASE_GRACE));
        [self.own_repair(now), cascade].into_iter().flatten().min()
    }

    /// The same, apart from an abort on its way to the children.
    fn own_repair(&self, now: Timestamp) -> Option<Timestamp> {
        let at = match (&self.phase, &self.invoker) {
            (Phase::Ended(_), _) if !self.is_unsettled() => return None,
            (Phase::Ended(end), _) => later(end.hooks_lease.map_or(end.at, |lease| lease.until), limits::LEASE_GRACE),
            // Its steps must not expire meanwhile.
            (Phase::Queued | Phase::Waiting | Phase::Awaiting { .. }, _) if self.is_paused() => {
                return self.steps_due();
            }
            (Phase::Parked { .. }, _) => return self.steps_due(),
            // After twice as long each time: the children may be many.
            (Phase::Awaiting { signal: Signal::Children { .. }, .. }, _) => {
                later(now, crate::until(self.due_at, now).clamp(limits::LOOP_GRACE, limits::WAIT_GRACE))
            }
            (Phase::Awaiting { until, .. }, _) => {
                let in_a_day = later(now, limits::WAIT_GRACE);
                until.map_or(in_a_day, |until| later(until, limits::QUEUE_GRACE).min(in_a_day))
            }
            (Phase::Running { lease, .. }, Invoker::Queue { .. }) => later(lease.until, limits::LEASE_GRACE),
            (Phase::Running { lease, .. }, Invoker::WaitLoop { .. }) => later(lease.until, limits::LOOP_GRACE),
            (_, Invoker::Queue { .. }) => later(self.due_at, limits::QUEUE_GRACE),
            (_, Invoker::WaitLoop { .. }) => later(self.due_at, limits::LOOP_GRACE).min(later(now, limits::WAIT_GRACE)),
        };
        Some(self.steps_due().map_or(at, |due| at.min(due)))
    }

    /// The question to answer about an overdue run.
    #[must_use]
    pub fn needs(&self, now: Timestamp) -> Need {
        match (&self.phase, &self.invoker) {
            _ if self.is_leased(now) => Need::Nothing,
            (Phase::Ended(_) | Phase::Parked { .. }, _) | (Phase::Running { .. }, Invoker::Queue { .. }) => {
                Need::Nothing
            }
            (Phase::Awaiting { .. }, _) => Need::Signal,
            (_, Invoker::Queue { .. }) if now < self.due_at => Need::Nothing,
            (_, Invoker::Queue { .. }) => Need::Backlog,
            (_, Invoker::WaitLoop { .. }) => Need::Execution,
        }
    }
}

/// The conductor reconciles a run. Each time it leaves a later one, unless nothing is left to repair.
pub(super) fn reconciled(run: &RunRecord, facts: Facts, task: Task<'_>, cx: &DecisionContext) -> Decision<RunRecord> {
    let now = cx.now;
    if run.phase.is_final() {
        return reconciled_end(run, task, cx);
    }
    let Task::Known(policy) = task else {
        let decision = end::fail_removed(&RunRecord { reconcile_at: None, ..run.clone() }, cx);
        return if decision.change == Change::Store { decision } else { again(run, cx) };
    };
    if run.is_leased(now) {
        return again(run, cx);
    }
    // Whatever follows sets the next time anew: only the conductor raises it.
    let run = &RunRecord { reconcile_at: None, ..run.clone() };
    match (&run.phase, &run.invoker, facts) {
        // An ended lease means a dead attempt, whatever calls the run.
        (Phase::Running { .. }, ..) => attempt::crashed(run, None, policy, cx),
        _ if run.is_paused() => again(run, cx),
        // The conductor has looked: the signal has not come.
        (Phase::Awaiting { until, .. }, ..) if until.is_some_and(|until| until <= now) => signal::woken(run, cx),
        (Phase::Awaiting { .. }, ..) => again(run, cx),
        (Phase::Parked { .. }, ..) if !run.is_past_start(policy, now) => again(run, cx),
        (_, Invoker::Queue { .. }, _) if now < run.due_at => again(run, cx),
        (_, Invoker::Queue { .. }, _) if run.is_past_start(policy, now) => {
            end::finish(run.clone(), FinalState::Expired, None, policy, cx)
        }
        (_, Invoker::Queue { .. }, Facts::Backlog(true)) => held_up(run, cx),
        (_, Invoker::Queue { .. }, _) if run.reconcile_count == 0 => sent_again(run, cx),
        // Sent again before, and still not taken. A queue doesn't say why; the wait loop tells a function that is
        // throttled, and waits, from one that can't start, which is a crash.
        (_, Invoker::Queue { .. }, _) | (_, Invoker::WaitLoop { .. }, Facts::Executing(false)) => run.renewed(cx),
        (_, Invoker::WaitLoop { .. }, _) => again(run, cx),
    }
}

/// An end without its ending: the function gets a message that asks for it. Where lifecycle events are all that is
/// left, the conductor publishes them itself.
fn reconciled_end(run: &RunRecord, task: Task<'_>, cx: &DecisionContext) -> Decision<RunRecord> {
    match (end::hooks_are_pending(run), task) {
        (true, Task::Removed) => end::hooks_done(run, false, cx),
        _ if run.is_leased(cx.now) => again(run, cx),
        (true, Task::Known(_)) => sent_again(run, cx),
        (false, _) if run.is_unsettled() => {
            let policy = if let Task::Known(policy) = task { policy } else { &Policy::default() };
            end::run_hooks(&RunRecord { reconcile_at: None, ..run.clone() }, policy, cx)
        }
        (false, _) => again(run, cx),
    }
}

/// Puts the next time off: to the earliest repair, and twice as far at each one in a row, up to an hour.
fn again(run: &RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    let mut next = run.clone();
    next.version = cx.version();
    let pause = limits::reconcile_pause(run.reconcile_count);
    next.reconcile_count = run.reconcile_count.saturating_add(1);
    next.reconcile_at = run.earliest_repair(cx.now).map(|due| due.max(later(cx.now, pause)));
    Decision::store(next, vec![])
}

/// The message waits behind others, which says nothing about it: asked again once it has waited twice as long, at most
/// an hour later.
fn held_up(run: &RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    let pause = crate::until(run.due_at, cx.now).clamp(limits::QUEUE_GRACE, limits::MAX_RECONCILE_DELAY);
    let version = cx.version();
    Decision::store(RunRecord { version, reconcile_at: Some(later(cx.now, pause)), ..run.clone() }, vec![])
}

/// The same with a message, which carries the record as it is stored.
fn sent_again(run: &RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    let mut decision = again(run, cx);
    decision.effects.push(decision.record.send());
    decision
}
