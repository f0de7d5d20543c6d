//! One way through: `(run, event, now) → (run, effects)`.

use std::time::Duration;

use jiff::Timestamp;

use super::{Facts, LoopCall, Policy, Progress, Purpose, Run, State, attempt, end, long, look};
use crate::{Failed, Json, Moment, Outcome, Version, limits};

/// What happens to a run.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// Its message arrives at its function's queue.
    Delivered(Purpose),
    /// Its loop calls.
    LoopCalled(&'a LoopCall),
    /// Its loop is about to be answered.
    LoopAnswered(&'a LoopCall),
    /// The loop reports that a call of the function ended in no answer.
    LoopCrashed(&'a LoopCall, String),
    /// Its message was received again and again and never taken, as when the function can't start.
    Undelivered(Purpose),
    /// The attempt that holds the lease has ended, after so much time in the handler.
    Ended {
        /// The lease's token.
        token: Version,
        /// What came of it.
        outcome: Outcome,
        /// Time spent in the handler.
        spent: Duration,
    },
    /// The attempt says how far it is.
    Progressed(Version, Progress),
    /// The attempt asks for another limit, counted from its start.
    Extended(Version, Duration),
    /// Somebody asks to end it.
    Aborted(String),
    /// Somebody moves a run that has not started.
    Rescheduled(Timestamp),
    /// The conductor looks at it.
    Looked(Facts),
    /// An execution of the generation ended from outside.
    LoopEnded(u32, long::ExecutionEnd),
    /// The hooks of its end have run.
    Settled,
}

impl Event<'_> {
    /// Whether it is decided in the task's own function, which has the code of the hooks.
    fn is_inside(&self) -> bool {
        matches!(self, Self::Delivered(_) | Self::LoopCalled(_) | Self::Ended { .. })
    }
}

/// What is to be done once the decision is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Call the handler: the record's lease is this process's.
    Handle,
    /// Run the hooks that follow the end, then say [`Event::Settled`].
    Settle,
    /// Send the run's message to its function's queue, with this delay (15 minutes at most).
    Send(Duration),
    /// Let a one-time schedule send the run's message at this time.
    Schedule(Timestamp),
    /// Delete that schedule.
    Unschedule,
    /// Start the execution of the record's generation.
    StartLoop,
    /// Stop it.
    StopLoop,
}

impl Effect {
    /// What brings a run's message to its function at a time: the queue's delay, or beyond it a schedule.
    #[must_use]
    pub fn carry(due_at: Timestamp, now: Timestamp) -> Self {
        let delay = crate::until(now, due_at);
        if delay <= limits::MAX_QUEUE_DELAY { Self::Send(delay) } else { Self::Schedule(due_at) }
    }
}

/// A run as it should be, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The run after the event.
    pub run: Run,
    /// Whether it is to be stored: on the condition that its version is still the one decided from.
    pub write: bool,
    /// The next iteration's input, stored in the same write.
    pub input: Option<Json>,
    /// The result, stored in the same write.
    pub result: Option<Json>,
    /// What is to be done then, in this order.
    pub effects: Vec<Effect>,
}

impl Decision {
    /// Leaves the record as it is.
    pub(super) fn stay(run: &Run, effects: Vec<Effect>) -> Self {
        Self { run: run.clone(), write: false, input: None, result: None, effects }
    }

    /// Writes a changed record. The look is moved forward where the change asks for it, never back.
    pub(super) fn write(mut run: Run, moment: &Moment, effects: Vec<Effect>) -> Self {
        run.version = moment.version();
        let wanted = if effects.contains(&Effect::StartLoop) {
            Some(moment.now + limits::LOOP_GRACE)
        } else {
            look::due_look(&run, moment.now)
        };
        run.watch_at = match (run.watch_at, wanted) {
            (_, None) => None,
            (None, wanted) => wanted,
            (Some(watched), Some(wanted)) => Some(watched.min(wanted)),
        };
        Self { run, write: true, input: None, result: None, effects }
    }
}

/// Decides what an event makes of a run.
///
/// The policy is the task's as it is now; `None` means that no function has the task any more.
#[must_use]
pub fn decide(run: &Run, event: Event<'_>, policy: Option<&Policy>, moment: &Moment) -> Decision {
    let inside = event.is_inside();
    let decision = match (event, policy) {
        (Event::Settled, _) => end::settled(run, moment),
        (Event::Progressed(token, progress), _) => attempt::progressed(run, token, progress, moment),
        (Event::LoopAnswered(call), _) => long::answering(run, call, moment),
        (Event::Looked(facts), policy) => look::looked(run, facts, policy, moment),
        (_, None) => end::unknown_task(run, moment),
        (Event::Delivered(purpose), Some(policy)) => attempt::delivered(run, purpose, policy, moment),
        (Event::Undelivered(purpose), Some(_)) => attempt::undelivered(run, purpose),
        (Event::LoopCalled(call), Some(policy)) => long::called(run, call, policy, moment),
        (Event::LoopCrashed(call, cause), Some(policy)) => long::crashed(run, call, cause, policy, moment),
        (Event::Ended { token, outcome, spent }, Some(policy)) => {
            attempt::ended(run, token, outcome, spent, policy, moment)
        }
        (Event::Extended(token, limit), Some(policy)) => attempt::extended(run, token, limit, policy, moment),
        (Event::Aborted(message), Some(policy)) => end::abort(run, message, policy, moment),
        (Event::Rescheduled(due_at), Some(_)) => attempt::rescheduled(run, due_at, moment),
        (Event::LoopEnded(generation, how), Some(policy)) => long::ended(run, generation, how, policy, moment),
    };
    let decision = if inside { decision } else { end::settle_elsewhere(decision, moment) };
    debug_assert!(
        run.state == decision.run.state || run.state.may_become(decision.run.state),
        "{} → {}",
        run.state,
        decision.run.state
    );
    decision
}

/// A failed attempt, of which nobody has heard before: retried by the policy, or the end.
pub(super) fn failed(mut run: Run, failed: Failed, policy: &Policy, moment: &Moment) -> Decision {
    run.lease = None;
    if let Some(message) = run.abort.clone() {
        return end::finish(run, State::Aborted, Some(message), policy, moment);
    }
    let over = policy.max_duration.is_some_and(|max| u128::from(run.handler_ms) > max.as_millis());
    let failure = if over { attempt::max_duration(&run, policy) } else { failed.failure };
    run.error = Some(failure);
    match attempt::next_try(&run, failed.retry, policy, moment) {
        Some(due_at) if !over => {
            run.state = State::Submitted;
            run.attempt += 1;
            run.due_at = due_at;
            run.looks = 0;
            let effects = match run.driver {
                super::Driver::Queue => vec![Effect::carry(due_at, moment.now)],
                super::Driver::Loop => vec![], // The loop is answered with the time.
            };
            Decision::write(run, moment, effects)
        }
        _ => end::finish(run, State::Failed, None, policy, moment),
    }
}
