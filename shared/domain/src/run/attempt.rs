//! An attempt: taken, extended, ended, retried.

use std::time::Duration;

use jiff::Timestamp;

use super::{Decision, Driver, Effect, Lease, Policy, Progress, Purpose, Run, State, decide::failed, end};
use crate::{Failed, Failure, Moment, Outcome, Retry, RetryWish, Version, code, limits};

/// The run's message has arrived at its function.
pub(super) fn delivered(run: &Run, purpose: Purpose, policy: &Policy, moment: &Moment) -> Decision {
    if run.state.is_final() {
        // Whoever ended it holds a lease while the hooks run; after that somebody else has to.
        let effects = if run.owes && !run.is_held(moment.now) { vec![Effect::Settle] } else { vec![] };
        return Decision::stay(run, effects);
    }
    if run.driver != Driver::Queue || purpose != run.purpose() {
        return Decision::stay(run, vec![]);
    }
    if moment.now < run.due_at {
        return Decision::stay(run, vec![Effect::carry(run.due_at, moment.now)]);
    }
    start(run, policy, moment)
}

/// Takes the attempt that is due, or notices that the one which held the run is dead.
pub(super) fn start(run: &Run, policy: &Policy, moment: &Moment) -> Decision {
    if run.state == State::Running {
        return if run.is_held(moment.now) { Decision::stay(run, vec![]) } else { crashed(run, None, policy, moment) };
    }
    if run.started_at.is_none() && run.expires_at.is_some_and(|expires| expires <= moment.now) {
        return end::finish(run.clone(), State::Expired, None, policy, moment);
    }
    let mut next = run.clone();
    next.state = State::Running;
    next.started_at = run.started_at.or(Some(moment.now));
    let until = policy.lease_until(moment.now, policy.timeout);
    next.lease = Some(Lease { token: moment.version(), since: moment.now, until });
    next.looks = 0;
    Decision::write(next, moment, vec![Effect::Handle])
}

/// The process of an attempt ended without an answer: it counts as an attempt.
pub(super) fn crashed(run: &Run, cause: Option<String>, policy: &Policy, moment: &Moment) -> Decision {
    let mut run = run.clone();
    if let Some(lease) = run.lease {
        run.handler_ms += millis(crate::until(lease.since, moment.now.min(lease.until)));
    }
    let cause = cause.unwrap_or_else(|| "the process ended without an answer".to_owned());
    let message = format!("attempt {} of iteration {} crashed: {cause}", run.attempt, run.iteration);
    failed(run, Failed::retryable(code::CRASHED, message), policy, moment)
}

/// A message came to the app's dead-letter queue: its function was throttled for long, or can't start. What still
/// waits for it gets a fresh one; whether the function starts, the conductor's next look finds out.
pub(super) fn undelivered(run: &Run, purpose: Purpose) -> Decision {
    let waits = !run.state.is_final() && run.driver == Driver::Queue && purpose == run.purpose();
    Decision::stay(run, if waits { vec![Effect::Send(Duration::ZERO)] } else { vec![] })
}

/// The attempt that holds the lease has ended. A late one is refused.
pub(super) fn ended(
    run: &Run,
    token: Version,
    outcome: Outcome,
    spent: Duration,
    policy: &Policy,
    moment: &Moment,
) -> Decision {
    if !holds(run, token) {
        return Decision::stay(run, vec![]);
    }
    let mut run = run.clone();
    run.handler_ms += millis(spent);
    match outcome {
        Outcome::Done { result, message } => end::complete(run, result, message, policy, moment),
        Outcome::Aborted => {
            let message = run.abort.clone();
            end::finish(run, State::Aborted, message, policy, moment)
        }
        Outcome::Failed(failure) => failed(run, failure, policy, moment),
        Outcome::Continue { .. } if run.abort.is_some() => {
            let message = run.abort.clone();
            end::finish(run, State::Aborted, message, policy, moment)
        }
        Outcome::Continue { input, wait } => match may_continue(&run, &input, wait, policy, moment.now) {
            Err(failure) => failed(run, failure, policy, moment),
            Ok(due_at) => proceed(run, input, due_at, moment),
        },
    }
}

/// Whether another iteration is allowed, and when it is due.
fn may_continue(
    run: &Run,
    input: &crate::Json,
    wait: crate::Wait,
    policy: &Policy,
    now: Timestamp,
) -> Result<Timestamp, Failed> {
    if let Some(max) = policy.max_iterations.filter(|max| run.iteration >= *max) {
        let message = format!("the handler said `continue` in iteration {max}, the last that `max_iterations` allows");
        return Err(Failed::terminal(code::MAX_ITERATIONS, message));
    }
    if policy.max_duration.is_some_and(|max| u128::from(run.handler_ms) > max.as_millis()) {
        return Err(Failed { failure: max_duration(run, policy), retry: RetryWish::Never });
    }
    if input.bytes() > limits::MESSAGE_BYTES {
        let (bytes, allowed) = (input.bytes(), limits::MESSAGE_BYTES);
        let message = format!("the input of `continue` has {bytes} bytes (allowed: {allowed})");
        return Err(Failed::terminal(code::TOO_LARGE, message));
    }
    wait.due(now)
}

fn proceed(mut run: Run, input: crate::Json, due_at: Timestamp, moment: &Moment) -> Decision {
    run.state = State::Waiting;
    run.lease = None;
    run.error = None;
    run.iteration += 1;
    run.attempt = 1;
    run.due_at = due_at;
    run.iteration_at = Some(due_at);
    run.looks = 0;
    let effects = match run.driver {
        Driver::Loop => vec![], // The loop that called is answered with the time.
        Driver::Queue => {
            run.driver = Driver::Loop;
            run.generation += 1;
            vec![Effect::StartLoop]
        }
    };
    Decision { input: Some(input), ..Decision::write(run, moment, effects) }
}

/// When a failed attempt is tried again, if at all.
pub(super) fn next_try(run: &Run, wish: RetryWish, policy: &Policy, moment: &Moment) -> Option<Timestamp> {
    let mismatch = run.error.as_ref().is_some_and(|error| error.code == code::INPUT_MISMATCH);
    // A stored input that stops parsing after a deploy waits an hour for the deploy that mends it.
    let patience = Retry::attempts(13).min(Duration::from_secs(300)).max(Duration::from_secs(300)).jitter(false);
    let retry = if mismatch { &patience } else { &policy.retry };
    if run.attempt >= retry.max_attempts() {
        return None;
    }
    match wish {
        RetryWish::Never => None,
        RetryWish::ByPolicy => Some(moment.now + retry.delay(run.attempt, moment.roll())),
        RetryWish::At(at) => Some(at.max(moment.now)),
    }
}

/// The failure of a run whose handlers took too long in all.
pub(super) fn max_duration(run: &Run, policy: &Policy) -> Failure {
    let allowed = policy.max_duration.unwrap_or_default().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a time in seconds, for people")]
    let spent = run.handler_ms as f64 / 1000.0;
    Failure::new(code::MAX_DURATION, format!("the handler took {spent} s in all (`max_duration`: {allowed} s)"))
}

/// The attempt says how far it is.
pub(super) fn progressed(run: &Run, token: Version, progress: Progress, moment: &Moment) -> Decision {
    if !holds(run, token) {
        return Decision::stay(run, vec![]);
    }
    let mut run = run.clone();
    run.progress = Some(progress);
    Decision::write(run, moment, vec![])
}

/// The attempt asks for another limit, counted from its start: the lease moves before the limit does.
pub(super) fn extended(run: &Run, token: Version, limit: Duration, policy: &Policy, moment: &Moment) -> Decision {
    let Some(mut lease) = run.lease.filter(|_| holds(run, token)) else {
        return Decision::stay(run, vec![]);
    };
    let mut run = run.clone();
    lease.until = policy.lease_until(lease.since, limit);
    run.lease = Some(lease);
    Decision::write(run, moment, vec![])
}

/// Somebody moves a run that has not started. Its older messages are dropped by their revision.
pub(super) fn rescheduled(run: &Run, due_at: Timestamp, moment: &Moment) -> Decision {
    if !matches!(run.state, State::Created | State::Scheduled | State::Submitted) || run.started_at.is_some() {
        return Decision::stay(run, vec![]);
    }
    let was_carried = run.is_carried_by_schedule(moment.now);
    let mut run = run.clone();
    let ttl = run.expires_at.map(|expires| crate::until(run.due_at, expires));
    run.revision += 1;
    run.due_at = due_at.max(moment.now);
    run.scheduled_at = Some(run.due_at);
    run.state = if run.due_at > moment.now { State::Scheduled } else { State::Submitted };
    run.expires_at = ttl.map(|ttl| run.due_at + ttl);
    let mut effects = vec![Effect::carry(run.due_at, moment.now)];
    if was_carried && !run.is_carried_by_schedule(moment.now) {
        effects.push(Effect::Unschedule); // A new schedule would have replaced the former.
    }
    Decision::write(run, moment, effects)
}

fn holds(run: &Run, token: Version) -> bool {
    run.state == State::Running && run.lease.is_some_and(|lease| lease.token == token)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
