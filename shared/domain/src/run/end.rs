//! The end of a run.

use jiff::Timestamp;

use super::{End, FinalState, Lease, Phase, Policy, RunRecord, bounds::lease_until};
use crate::{
    Decision, DecisionContext, Effect, Json, LifecycleEvent, RecordedError, Work, code, later, limits, slot, text::cut,
};

/// Ends a run. Where hooks or a lifecycle event follow, this process sees to them and others leave the run alone for as
/// long.
pub(super) fn finish(
    run: RunRecord,
    state: FinalState,
    message: Option<String>,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    end(
        run,
        End { state, at: cx.now, message, result_left_out: None, hooks_pending: false, hooks_lease: None },
        policy,
        cx,
    )
}

/// The handler returned a value.
pub(super) fn complete(
    mut run: RunRecord,
    result: Result<&Json, &String>,
    message: Option<String>,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    run.error = None;
    let (result, left_out) = match result {
        Ok(json) if json.bytes() <= limits::RESULT_BYTES => (Some(json.clone()), None),
        Ok(json) => {
            let (bytes, allowed) = (json.bytes(), limits::RESULT_BYTES);
            (None, Some(format!("the result has {bytes} bytes (kept: up to {allowed})")))
        }
        Err(cause) => (None, Some(format!("the result can't be serialized: {cause}"))),
    };
    let (state, at) = (FinalState::Completed, cx.now);
    let ended = End { state, at, message, result_left_out: left_out, hooks_pending: false, hooks_lease: None };
    let decision = end(run, ended, policy, cx);
    match result {
        Some(result) => decision.with(slot::RESULT, result),
        None => decision,
    }
}

fn end(mut run: RunRecord, mut end: End, policy: &Policy, cx: &DecisionContext) -> Decision<RunRecord> {
    end.message = end.message.map(|text| cut(text, limits::TEXT_BYTES));
    end.result_left_out = end.result_left_out.map(|text| cut(text, limits::TEXT_BYTES));
    let mut effects = vec![];
    let executes = matches!(run.phase, Phase::Running { .. });
    if run.is_on_timer(cx.now) && !executes {
        effects.push(Effect::CancelTimer { timer: run.timer() });
    }
    if !run.invoker.is_queue() && !executes {
        let cause = "the run has ended".to_owned();
        effects.push(Effect::StopWaitLoop { execution: run.execution_name(), cause });
    }
    // A key can be judged by its run's record alone, which therefore lives as long.
    let kept_until = later(cx.now, policy.history);
    let kept_until = run.key.as_ref().map_or(kept_until, |key| key.until.max(kept_until));
    // So can a fire, which may come again.
    let kept_until =
        run.schedule.as_ref().map_or(kept_until, |_| kept_until.max(later(run.created_at, limits::HISTORY)));
    run.expires_at_s = Some(kept_until.as_second() + 1);
    run.reconcile_count = 0;
    run.owe(end.state.into(), policy);
    end.hooks_pending = policy.has_end_hooks;
    let is_unsettled = end.hooks_pending || !run.unpublished.is_empty();
    end.hooks_lease = is_unsettled.then(|| lease(policy, cx));
    run.paused = None;
    run.phase = Phase::Ended(end);
    let expiry_beside_s = run.move_steps(kept_until);
    let decision = Decision { expiry_beside_s, ..run.stored(cx, effects) };
    if is_unsettled { decision.then(Work::RunEndHooks) } else { decision }
}

impl RunRecord {
    /// Notes that a lifecycle event is to be published, where a function subscribes to it.
    pub(super) fn owe(&mut self, event: LifecycleEvent, policy: &Policy) {
        if policy.publishes.contains(&event) {
            self.unpublished.insert(event);
        }
    }

    /// Is true where it has ended and hooks, or lifecycle events, are still to follow.
    pub(super) fn is_unsettled(&self) -> bool {
        matches!(&self.phase, Phase::Ended(end) if end.hooks_pending || !self.unpublished.is_empty())
    }
}

/// A process without the code of the task, or without the time, decided this: a message brings the ended run to its
/// function. Where lifecycle events are all that follows, any process publishes them.
pub(super) fn delegate_end_hooks(decision: Decision<RunRecord>, cx: &DecisionContext) -> Decision<RunRecord> {
    if decision.work != Some(Work::RunEndHooks) {
        return decision;
    }
    if !hooks_are_pending(&decision.record) {
        return decision.then(Work::PublishLifecycle);
    }
    let mut run = decision.record;
    if let Phase::Ended(end) = &mut run.phase {
        end.hooks_lease = None;
    }
    let mut delegated = run.stored(cx, decision.effects);
    // The message carries the record as it is stored.
    delegated.effects.push(delegated.record.send());
    Decision { payloads: decision.payloads, expiry_beside_s: decision.expiry_beside_s, ..delegated }
}

/// Another run waits, and reads this one's end once it wakes.
pub(super) fn keep_longer(run: &RunRecord, until: Timestamp, cx: &DecisionContext) -> Decision<RunRecord> {
    let needed = until.as_second() + 1;
    if run.expires_at_s.is_none_or(|expires_at_s| expires_at_s >= needed) {
        return Decision::keep(run, vec![]);
    }
    let mut run = RunRecord { expires_at_s: Some(needed), ..run.clone() };
    let expiry_beside_s = run.move_steps(until);
    Decision { expiry_beside_s, ..run.stored(cx, vec![]) }
}

/// The ended run's message has come to its function: its hooks run here, unless another process runs them.
///
/// Invariant: *hooks run under a lease*. One taken by a write, so that neither a message that comes twice nor an old
/// record in a message runs them side by side.
pub(super) fn run_hooks(run: &RunRecord, policy: &Policy, cx: &DecisionContext) -> Decision<RunRecord> {
    let mut next = run.clone();
    match &mut next.phase {
        Phase::Ended(end) if run.is_unsettled() && !run.is_leased(cx.now) => {
            end.hooks_lease = Some(lease(policy, cx));
        }
        _ => return Decision::keep(run, vec![]),
    }
    next.reconcile_count = 0;
    next.stored(cx, vec![]).then(Work::RunEndHooks)
}

/// The right to see to what follows the end: one hook after the other, each under its own limit.
fn lease(policy: &Policy, cx: &DecisionContext) -> Lease {
    let until = lease_until(cx.now, policy.end_hooks_limit());
    Lease { token: cx.version(), since: cx.now, until }
}

/// The hooks of the end have run, or never will: nothing is left to repair but lifecycle events that could not be
/// published.
pub(super) fn hooks_done(run: &RunRecord, published: bool, cx: &DecisionContext) -> Decision<RunRecord> {
    let mut next = run.clone();
    match &mut next.phase {
        Phase::Ended(end) if run.is_unsettled() => (end.hooks_pending, end.hooks_lease) = (false, None),
        _ => return Decision::keep(run, vec![]),
    }
    if published {
        next.unpublished.clear();
    }
    next.stored(cx, vec![])
}

/// No function has the task any more. An attempt that still executes may end by itself.
pub(super) fn fail_removed(run: &RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    if run.is_leased(cx.now) {
        return Decision::keep(run, vec![]);
    }
    let mut run = run.with_uncounted_steps(&Policy::default());
    let message = format!("no function has the task {:?} any more; its hooks did not run", run.name);
    run.error = Some(RecordedError::new(code::UNKNOWN_TASK, message));
    finish(run, FinalState::Failed, None, &Policy::of_removed(), cx)
}

/// Is true where the run has ended and its hooks are still to run.
pub(super) fn hooks_are_pending(run: &RunRecord) -> bool {
    matches!(&run.phase, Phase::Ended(end) if end.hooks_pending)
}
