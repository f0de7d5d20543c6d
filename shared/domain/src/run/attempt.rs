//! An attempt: taken, extended, ended, retried.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    AttemptEnd, FinalState, Lease, Logged, Phase, Policy, Progress, Purpose, RunRecord, Update,
    bounds::{lease_until, next_try},
    end, pause, signal,
};
use crate::{
    AttemptError, AttemptOutcome, Child, Decision, DecisionContext, Effect, Json, LifecycleEvent, RetryHint, Version,
    Wait, Work, code, later, limits, slot,
};

/// The run's message has arrived at its function.
pub(super) fn delivered(
    run: &RunRecord,
    purpose: Purpose,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if !is_meant(run, purpose) || run.is_paused() {
        return Decision::keep(run, vec![]);
    }
    if cx.now < run.due_at {
        return Decision::keep(run, vec![run.deliver(cx.now)]);
    }
    take(run, policy, cx)
}

/// The message of the time that ends the wait without a signal takes the next iteration.
pub(super) fn timed_out(
    run: &RunRecord,
    purpose: Purpose,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    match &run.phase {
        Phase::Awaiting { until: Some(_), .. } if run.is_paused() && is_meant(run, purpose) => {
            pause::held(run.clone(), cx)
        }
        Phase::Awaiting { until: Some(_), .. } => delivered(run, purpose, policy, cx),
        _ => Decision::keep(run, vec![]),
    }
}

/// Takes the attempt that is due.
pub(super) fn take(run: &RunRecord, policy: &Policy, cx: &DecisionContext) -> Decision<RunRecord> {
    if run.is_past_start(policy, cx.now) {
        return end::finish(run.clone(), FinalState::Expired, None, policy, cx);
    }
    let mut next = run.clone();
    let until = lease_until(cx.now, run.attempt_limit(policy.timeout, policy));
    next.phase = Phase::Running { lease: Lease { token: cx.version(), since: cx.now, until }, abort: None };
    if run.started_at.is_none() {
        next.started_at = Some(cx.now);
        next.owe(LifecycleEvent::Started, policy);
    }
    next.reconcile_count = 0;
    next.exhausted_count = 0;
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

/// The process of an attempt ended without an answer: it counts as an attempt. How long its handler took is not known:
/// its limit counts, but at most half of what `max_duration` leaves. So no crash uses it up, the next attempt has the
/// other half at least, and the handlers of a run whose attempts all crash take less than twice `max_duration`.
///
/// Where several share a process, any of them may have ended it. So the first crash costs no attempt, and from then on the
/// run is called by a wait loop: nothing shares its process, and the next crash is its own.
pub(super) fn crashed(
    run: &RunRecord,
    cause: Option<&str>,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    let mut run = run.with_uncounted_steps(policy);
    if let Some(lease) = run.lease() {
        let limit = crate::until(lease.since, lease.until).saturating_sub(limits::LEASE_MARGIN);
        let left = run.attempt_limit(Duration::MAX, policy);
        run.add_spent(limit.min(left / 2));
        if policy.batch > 1 && run.invoker.is_queue() && run.abort().is_none() {
            run.phase = Phase::Queued;
            run.logged.again = run.logged.again.saturating_add(1);
            return if run.is_paused() { pause::held(run, cx) } else { run.renewed(cx) };
        }
    }
    let cause = cause.unwrap_or("the process ended without an answer");
    let message = format!("attempt {} of iteration {} crashed: {cause}", run.attempt, run.iteration);
    failed(run, AttemptError::retryable(code::CRASHED, message), policy, cx)
}

/// A message came to the app's dead-letter queue: its function was throttled for long, or can't start. What still
/// waits for it gets a fresh one; whether the function starts, the conductor finds out.
pub(super) fn sent_afresh(run: &RunRecord, purpose: Purpose) -> Decision<RunRecord> {
    Decision::keep(run, if is_meant(run, purpose) && !run.is_paused() { vec![run.send()] } else { vec![] })
}

/// The attempt that holds the lease has ended. A late one is refused.
pub(super) fn ended(run: &RunRecord, ended: &AttemptEnd, policy: &Policy, cx: &DecisionContext) -> Decision<RunRecord> {
    if !holds(run, ended.token) {
        return Decision::keep(run, vec![]);
    }
    let abort = run.abort().map(ToOwned::to_owned);
    let mut run = run.clone();
    run.add_spent(ended.spent);
    if let Some(progress) = &ended.progress {
        run.progress = Some(progress.bounded());
    }
    if let Some(logged) = ended.logged {
        run.logged = logged;
    }
    if ended.published {
        run.unpublished.clear();
    }
    run.add_steps(ended.steps, ended.tokens, policy);
    let overrun = run.overrun(Duration::ZERO, policy);
    match &ended.outcome {
        AttemptOutcome::Aborted => end::finish(run, FinalState::Aborted, abort, policy, cx),
        AttemptOutcome::Failed(error) => {
            run.logged.attempt = run.attempt;
            failed(run, error.clone(), policy, cx)
        }
        AttemptOutcome::Continue { .. } if abort.is_some() => end::finish(run, FinalState::Aborted, abort, policy, cx),
        AttemptOutcome::Continue { input, wait } => match may_continue(&run, input, wait, policy, cx.now) {
            Err(error) => failed(run, error, policy, cx),
            Ok(due_at) => proceed(run, input.clone(), wait, due_at, cx),
        },
        AttemptOutcome::Done { result, message } => match overrun {
            Some(error) => failed(run, error, policy, cx),
            None => end::complete(run, result.as_ref(), message.clone(), policy, cx),
        },
    }
}

/// The time at which another iteration is due, where it is allowed.
fn may_continue(
    run: &RunRecord,
    input: &Json,
    wait: &Wait,
    policy: &Policy,
    now: Timestamp,
) -> Result<Timestamp, AttemptError> {
    if let Some(max) = policy.max_iterations.filter(|max| run.iteration >= *max) {
        let message = format!("the handler said `continue` in iteration {max}, the last that `max_iterations` allows");
        return Err(AttemptError::terminal(code::MAX_ITERATIONS, message));
    }
    if let Some(error) = run.overrun(Duration::ZERO, policy) {
        return Err(error);
    }
    if input.bytes() > limits::MESSAGE_BYTES {
        let (bytes, allowed) = (input.bytes(), limits::MESSAGE_BYTES);
        let message = format!("the input of `continue` has {bytes} bytes (allowed: {allowed})");
        return Err(AttemptError::terminal(code::TOO_LARGE, message));
    }
    if let Wait::Children(children) = wait {
        Child::check(children, run.id).map_err(|error| AttemptError::terminal(code::ERROR, error.to_string()))?;
    }
    if let Wait::Token { run: other, name, .. } = wait
        && *other != run.id
    {
        let message = format!("can't wait for token {name:?} of run {other}: a run waits for its own (`cx.token`)");
        return Err(AttemptError::terminal(code::ERROR, message));
    }
    wait.due(now)
}

fn proceed(
    mut run: RunRecord,
    input: Json,
    wait: &Wait,
    due_at: Timestamp,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    run.error = None;
    run.iteration = run.iteration.saturating_add(1);
    run.attempt = 1;
    run.logged = Logged { bytes: run.logged.bytes, ..Logged::default() };
    run.due_at = due_at;
    run.iteration_at = Some(due_at);
    run.reconcile_count = 0;
    let decision = match wait.signal(run.iteration) {
        Some((signal, until)) => signal::awaits(run, signal, until, cx),
        None => {
            run.phase = Phase::Waiting;
            let effects = if run.invoker.is_queue() {
                run = run.next_generation();
                vec![run.start_wait_loop(cx.now)]
            } else {
                vec![] // The execution that called is answered with the time.
            };
            run.stored(cx, effects)
        }
    };
    let decision = decision.with(slot::INPUT, input);
    match wait {
        Wait::Children(children) => decision.with(slot::CHILDREN, Child::list(children)),
        _ => decision,
    }
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
    let failed = match run.overrun(Duration::ZERO, policy) {
        Some(overrun) => instead_of(failed, overrun),
        None => failed,
    };
    let next_try = next_try(&run, &failed, policy, cx);
    run.error = Some(failed.error.bounded());
    match next_try {
        Some(due_at) => {
            run.phase = Phase::Queued;
            run.attempt = run.attempt.saturating_add(1);
            run.due_at = due_at;
            run.reconcile_count = 0;
            run.stored_and_delivered(cx)
        }
        None if failed.retry != RetryHint::Never && policy.pauses_when_exhausted => pause::exhausted(run, cx),
        None => end::finish(run, FinalState::Failed, None, policy, cx),
    }
}

/// The overrun of a run, which also says what its last attempt failed with, unless that is the same.
fn instead_of(failed: AttemptError, mut overrun: AttemptError) -> AttemptError {
    if ![code::TIMEOUT, code::MAX_DURATION].contains(&failed.error.code.as_str()) {
        overrun.error.add_line(format!("after {}: {}", failed.error.code, failed.error.message));
    }
    overrun
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
    RunRecord { progress: Some(progress.bounded()), ..run.clone() }.stored(cx, vec![])
}

/// The attempt updates the run's own stored data.
pub(super) fn updated(run: &RunRecord, token: Version, update: &Update, cx: &DecisionContext) -> Decision<RunRecord> {
    if !holds(run, token) {
        return Decision::keep(run, vec![]);
    }
    let tags = update.tags.clone().unwrap_or_else(|| run.tags.clone());
    let decision = RunRecord { tags, ..run.clone() }.stored(cx, vec![]);
    Decision { payloads: update.payloads.clone(), ..decision }
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
            lease.until = lease_until(lease.since, run.attempt_limit(limit, policy));
            next.stored(cx, vec![])
        }
        _ => Decision::keep(run, vec![]),
    }
}

/// A client moves a run that has not started. Its older messages are dropped by their revision; a wait loop that waits
/// for a later time is followed by another.
pub(super) fn rescheduled(run: &RunRecord, due_at: Timestamp, cx: &DecisionContext) -> Decision<RunRecord> {
    if run.started_at.is_some() {
        return Decision::keep(run, vec![]);
    }
    let is_earlier = due_at < run.due_at;
    let was_on_timer = run.is_on_timer(cx.now);
    let mut run = run.clone();
    run.phase = Phase::Queued;
    run.revision = run.revision.saturating_add(1);
    run.move_to(due_at.max(cx.now));
    if is_earlier && !run.invoker.is_queue() && !run.is_paused() {
        return run.renewed(cx);
    }
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

impl RunRecord {
    /// Moves the due time of a run that has not started, and the time by which it must have.
    pub(super) fn move_to(&mut self, due_at: Timestamp) {
        let ttl = self.start_by.map(|start_by| crate::until(self.first_due(), start_by));
        (self.due_at, self.scheduled_at) = (due_at, Some(due_at));
        self.start_by = ttl.map(|ttl| later(due_at, ttl));
    }

    fn add_spent(&mut self, spent: Duration) {
        self.handler_ms = self.handler_ms.saturating_add(u64::try_from(spent.as_millis()).unwrap_or(u64::MAX));
    }
}
