//! The wait loop: the Step Functions execution that waits and calls again.

use super::{ExecutionEnd, FinalState, Invoker, Phase, Policy, RunRecord, WaitLoopCall, attempt, cascade, end, pause};
use crate::{Decision, DecisionContext, Effect, RecordedError, code, later, limits};

/// Is true where the execution must hand over before it waits for the run's next call.
fn is_exhausted(run: &RunRecord, call: &WaitLoopCall) -> bool {
    call.is_last() || run.due_at > later(call.started, limits::LOOP_LIFE)
}

/// Is true where the execution of this generation is what calls the run.
///
/// Invariant: *one invoker*. A call of any other generation changes nothing.
fn is_invoker(run: &RunRecord, generation: u32) -> bool {
    matches!(run.invoker, Invoker::WaitLoop { generation: current, .. } if current == generation)
}

/// The wait loop calls: the attempt that is due is taken.
pub(super) fn called(
    run: &RunRecord,
    call: &WaitLoopCall,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if !is_invoker(run, call.generation) || cx.now < run.due_at {
        return Decision::keep(run, vec![]);
    }
    if run.is_paused() {
        return pause::held(run.clone(), cx); // The execution is told to stop: the run's queue calls it once it is resumed.
    }
    without_stop(attempt::take(run, policy, cx))
}

/// The wait loop calls while the record says that an attempt executes: an ended lease means that it is dead.
pub(super) fn found_dead(
    run: &RunRecord,
    call: &WaitLoopCall,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if !is_invoker(run, call.generation) || run.is_leased(cx.now) {
        return Decision::keep(run, vec![]);
    }
    attempt::crashed(run, None, policy, cx)
}

/// The wait loop is about to be answered: an exhausted execution gets a successor, whose generation is recorded first.
pub(super) fn answering(run: &RunRecord, call: &WaitLoopCall, cx: &DecisionContext) -> Decision<RunRecord> {
    if !is_invoker(run, call.generation) || !is_exhausted(run, call) {
        return Decision::keep(run, vec![]);
    }
    run.next_generation().stored(cx, vec![])
}

/// A call of the function ended in no answer. While the lease is held, that is no news; once it has ended, the
/// attempt is dead; an attempt that was never taken, of a function that can't start, counts as one.
pub(super) fn crashed(
    run: &RunRecord,
    call: &WaitLoopCall,
    cause: &str,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    let is_meant = run.iteration == call.iteration && run.attempt == call.attempt;
    if !is_invoker(run, call.generation) || !is_meant || run.is_leased(cx.now) || cx.now < run.due_at {
        return Decision::keep(run, vec![]);
    }
    if run.is_paused() && !matches!(run.phase, Phase::Running { .. }) {
        return pause::held(run.clone(), cx); // It was called in vain.
    }
    without_stop(attempt::crashed(run, Some(cause), policy, cx))
}

/// An execution ended from outside. That of another generation is no news.
pub(super) fn execution_ended(
    run: &RunRecord,
    generation: u32,
    how: &ExecutionEnd,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if !is_invoker(run, generation) {
        return Decision::keep(run, vec![]);
    }
    let message = "the Step Functions execution was stopped";
    match how {
        ExecutionEnd::Stopped if run.is_leased(cx.now) => cascade::request_abort(run, message, cx),
        ExecutionEnd::Stopped => without_stop(cascade::abort(run, message.to_owned(), policy, cx)),
        _ if run.is_paused() && !matches!(run.phase, Phase::Running { .. }) => pause::held(run.clone(), cx),
        ExecutionEnd::Exhausted => exhausted(run, cx),
        ExecutionEnd::Failed(_) if run.is_leased(cx.now) => run.renewed(cx),
        ExecutionEnd::Failed(cause) => {
            let mut run = run.with_uncounted_steps(policy);
            run.error = Some(RecordedError::new(code::CRASHED, format!("the loop failed: {cause}")).bounded());
            without_stop(end::finish(run, FinalState::Failed, None, policy, cx))
        }
    }
}

/// Lets an execution of the next generation carry on, after a pause: what ended one before its time may end the next as
/// soon. The pause doubles with each in a row, up to an hour.
fn exhausted(run: &RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    let pause = limits::reconcile_pause(run.exhausted_count);
    let exhausted_count = run.exhausted_count.saturating_add(1);
    let mut decision = RunRecord { exhausted_count, ..run.clone() }.renewed(cx);
    for effect in &mut decision.effects {
        if let Effect::StartWaitLoop { until, .. } = effect {
            *until = (*until).max(later(cx.now, pause));
        }
    }
    decision
}

/// The same for an execution that ends by itself: it has, or its call is answered with the run's end, which is its output.
fn without_stop(mut decision: Decision<RunRecord>) -> Decision<RunRecord> {
    decision.effects.retain(|effect| !matches!(effect, Effect::StopWaitLoop { .. }));
    decision
}
