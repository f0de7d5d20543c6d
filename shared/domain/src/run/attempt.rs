//! An attempt: taken, extended, ended, retried.

use std::time::Duration;

use jiff::Timestamp;

use super::{Invoker, Lease, Phase, Policy, Progress, Purpose, RunRecord, end};
use crate::{
    AttemptError, AttemptOutcome, Decision, DecisionContext, Effect, Json, RecordedError, Retry, RetryHint, Version,
    Wait, Work, code, limits, run::FinalState, slot,
};

/// The run's message has arrived at its function.
pub(super) fn delivered(
    run: &RunRecord,
    purpose: Purpose,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if !is_meant(run, purpose) {
        return Decision::keep(run, vec![]);
    }
    if cx.now < run.due_at {
        return Decision::keep(run, vec![run.deliver(cx.now)]);
    }
    take(run, policy, cx)
}

/// Takes the attempt that is due.
pub(super) fn take(run: &RunRecord, policy: &Policy, cx: &DecisionContext) -> Decision<RunRecord> {
    if run.is_past_start(cx.now) {
        return end::finish(run.clone(), FinalState::Expired, None, policy, cx);
    }
    let mut next = run.clone();
    let until = policy.lease_until(cx.now, policy.timeout);
    next.phase = Phase::Running { lease: Lease { token: cx.version(), since: cx.now, until }, abort: None };
    next.started_at = run.started_at.or(Some(cx.now));
    next.reconcile_count = 0;
    next.stored(cx, vec![]).then(Work::CallHandler)
}

/// The message of an attempt comes again while its record says that it executes.
pub(super) fn found_dead(
    run: &RunRecord,
    purpose: Purpose,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if !is_meant(run, purpose) || run.is_leased(cx.now) {
        return Decision::keep(run, vec![]);
    }
    crashed(run, None, policy, cx)
}

/// The process of an attempt ended without an answer: it counts as an attempt.
pub(super) fn crashed(
    run: &RunRecord,
    cause: Option<&str>,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    let mut run = run.clone();
    if let Some(lease) = run.lease() {
        run.handler_ms += millis(crate::until(lease.since, cx.now.min(lease.until)));
    }
    let cause = cause.unwrap_or("the process ended without an answer");
    let message = format!("attempt {} of iteration {} crashed: {cause}", run.attempt, run.iteration);
    failed(run, AttemptError::retryable(code::CRASHED, message), policy, cx)
}

/// A message came to the app's dead-letter queue: its function was throttled for long, or can't start. What still
/// waits for it gets a fresh one; whether the function starts, the conductor finds out.
pub(super) fn sent_afresh(run: &RunRecord, purpose: Purpose) -> Decision<RunRecord> {
    Decision::keep(run, if is_meant(run, purpose) { vec![run.send()] } else { vec![] })
}

/// The attempt that holds the lease has ended. A late one is refused.
pub(super) fn ended(
    run: &RunRecord,
    token: Version,
    outcome: &AttemptOutcome,
    spent: Duration,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if !holds(run, token) {
        return Decision::keep(run, vec![]);
    }
    let abort = run.abort().map(ToOwned::to_owned);
    let mut run = run.clone();
    run.handler_ms += millis(spent);
    match outcome {
        AttemptOutcome::Done { result, message } => end::complete(run, result.as_ref(), message.clone(), policy, cx),
        AttemptOutcome::Aborted => end::finish(run, FinalState::Aborted, abort, policy, cx),
        AttemptOutcome::Failed(error) => failed(run, error.clone(), policy, cx),
        AttemptOutcome::Continue { .. } if abort.is_some() => end::finish(run, FinalState::Aborted, abort, policy, cx),
        AttemptOutcome::Continue { input, wait } => match may_continue(&run, input, *wait, policy, cx.now) {
            Err(error) => failed(run, error, policy, cx),
            Ok(due_at) => proceed(run, input.clone(), due_at, cx),
        },
    }
}

/// The time at which another iteration is due, where it is allowed.
fn may_continue(
    run: &RunRecord,
    input: &Json,
    wait: Wait,
    policy: &Policy,
    now: Timestamp,
) -> Result<Timestamp, AttemptError> {
    if let Some(max) = policy.max_iterations.filter(|max| run.iteration >= *max) {
        let message = format!("the handler said `continue` in iteration {max}, the last that `max_iterations` allows");
        return Err(AttemptError::terminal(code::MAX_ITERATIONS, message));
    }
    if is_past_max_duration(run, policy) {
        return Err(AttemptError { error: max_duration(run, policy), retry: RetryHint::Never });
    }
    if input.bytes() > limits::MESSAGE_BYTES {
        let (bytes, allowed) = (input.bytes(), limits::MESSAGE_BYTES);
        let message = format!("the input of `continue` has {bytes} bytes (allowed: {allowed})");
        return Err(AttemptError::terminal(code::TOO_LARGE, message));
    }
    wait.due(now)
}

fn proceed(mut run: RunRecord, input: Json, due_at: Timestamp, cx: &DecisionContext) -> Decision<RunRecord> {
    run.phase = Phase::Waiting;
    run.error = None;
    run.iteration += 1;
    run.attempt = 1;
    run.due_at = due_at;
    run.iteration_at = Some(due_at);
    run.reconcile_count = 0;
    let effects = match run.invoker {
        Invoker::WaitLoop { .. } => vec![], // The execution that called is answered with the time.
        Invoker::Queue => {
            run.invoker = Invoker::WaitLoop { generation: 1, execution: None };
            vec![run.start_wait_loop(cx.now)]
        }
    };
    run.stored(cx, effects).with(slot::INPUT, input)
}

/// A failed attempt: retried by the policy, or the end.
pub(super) fn failed(
    mut run: RunRecord,
    failed: AttemptError,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if let Some(message) = run.abort().map(ToOwned::to_owned) {
        return end::finish(run, FinalState::Aborted, Some(message), policy, cx);
    }
    let over = is_past_max_duration(&run, policy);
    run.error = Some(if over { max_duration(&run, policy) } else { failed.error });
    match next_try(&run, failed.retry, policy, cx) {
        Some(due_at) if !over => {
            run.phase = Phase::Queued;
            run.attempt += 1;
            run.due_at = due_at;
            run.reconcile_count = 0;
            run.stored_and_delivered(cx)
        }
        _ => end::finish(run, FinalState::Failed, None, policy, cx),
    }
}

/// The time at which a failed attempt is tried again, if at all.
fn next_try(run: &RunRecord, hint: RetryHint, policy: &Policy, cx: &DecisionContext) -> Option<Timestamp> {
    let mismatch = run.error.as_ref().is_some_and(|error| error.code == code::INPUT_MISMATCH);
    // A stored input that stops parsing after a deploy waits an hour for the deploy that mends it.
    let patience = Retry::attempts(13).min(Duration::from_secs(300)).max(Duration::from_secs(300)).jitter(false);
    let retry = if mismatch { &patience } else { &policy.retry };
    if run.attempt >= retry.max_attempts() {
        return None;
    }
    match hint {
        RetryHint::Never => None,
        RetryHint::ByPolicy => Some(cx.now + retry.delay(run.attempt, cx.unit_interval())),
        RetryHint::At(at) => Some(at.max(cx.now)),
    }
}

fn is_past_max_duration(run: &RunRecord, policy: &Policy) -> bool {
    policy.max_duration.is_some_and(|max| u128::from(run.handler_ms) > max.as_millis())
}

/// The error of a run whose handlers took too long in all.
fn max_duration(run: &RunRecord, policy: &Policy) -> RecordedError {
    let allowed = policy.max_duration.unwrap_or_default().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a time in seconds, for people")]
    let spent = run.handler_ms as f64 / 1000.0;
    RecordedError::new(code::MAX_DURATION, format!("the handler took {spent} s in all (`max_duration`: {allowed} s)"))
}

/// The attempt says how far it is.
pub(super) fn progressed(
    run: &RunRecord,
    token: Version,
    progress: &Progress,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if !holds(run, token) {
        return Decision::keep(run, vec![]);
    }
    RunRecord { progress: Some(progress.clone()), ..run.clone() }.stored(cx, vec![])
}

/// The attempt asks for another limit, counted from its start: the lease moves before the limit does.
pub(super) fn extended(
    run: &RunRecord,
    token: Version,
    limit: Duration,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    let mut next = run.clone();
    match &mut next.phase {
        Phase::Running { lease, .. } if lease.token == token => {
            lease.until = policy.lease_until(lease.since, limit);
            next.stored(cx, vec![])
        }
        _ => Decision::keep(run, vec![]),
    }
}

/// A client moves a run that has not started. Its older messages are dropped by their revision.
pub(super) fn rescheduled(run: &RunRecord, due_at: Timestamp, cx: &DecisionContext) -> Decision<RunRecord> {
    if run.started_at.is_some() {
        return Decision::keep(run, vec![]);
    }
    let was_on_timer = run.is_on_timer(cx.now);
    let mut run = run.clone();
    let ttl = run.start_by.map(|start_by| crate::until(run.due_at, start_by));
    run.revision += 1;
    run.due_at = due_at.max(cx.now);
    run.scheduled_at = Some(run.due_at);
    run.start_by = ttl.map(|ttl| run.due_at.saturating_add(ttl).unwrap_or(Timestamp::MAX));
    let mut decision = run.stored_and_delivered(cx);
    if was_on_timer && !decision.record.is_on_timer(cx.now) {
        // A new one would have replaced the former.
        decision.effects.push(Effect::CancelTimer { timer: decision.record.timer() });
    }
    decision
}

/// Is true where a message calls for what the record is about to do, and the queue may.
fn is_meant(run: &RunRecord, purpose: Purpose) -> bool {
    run.invoker.is_queue() && purpose == run.purpose()
}

fn holds(run: &RunRecord, token: Version) -> bool {
    matches!(&run.phase, Phase::Running { lease, .. } if lease.token == token)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
