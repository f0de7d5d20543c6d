//! The one way of a delivery: a delivery and what happens to it give the delivery as it should be, and what follows.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    DeliveryFacts, DeliveryInput, DeliveryPhase, DeliveryRecord, HandlerFailure, HandlerRecord, HandlerState,
    Subscribed,
    table::{DeliveryCell, DeliveryTransition as T, cell},
};
use crate::{
    AttemptError, Decision, DecisionContext, Effect, Header, IndexEntry, Lease, Machine, Measured, Message,
    RecordedError, Retry, RetryHint, Version, Work, code, later, limits,
};

impl Machine for DeliveryRecord {
    const KIND: &'static str = "delivery";
    type Input = DeliveryInput;
    type Policy<'a> = Subscribed<'a>;

    fn measured(&self, input: &DeliveryInput, next: &Self) -> Option<Measured> {
        Some(self.measured(input, next))
    }

    fn header(&self) -> Header {
        Header {
            key: self.key(),
            version: self.version,
            reconcile_at: self.reconcile_at,
            expires_at_s: self.expires_at_s,
        }
    }

    fn index(&self) -> Vec<IndexEntry> {
        self.places()
    }

    fn decide(&self, input: &DeliveryInput, subscribed: Subscribed<'_>, cx: &DecisionContext) -> Decision<Self> {
        let from = self.phase.name();
        let DeliveryCell::Does(transition) = cell(from, input.name()) else { return Decision::keep(self, vec![]) };
        let decision = match (transition, input) {
            (T::TakeAttempt, DeliveryInput::Arrived { attempt }) => arrived(self, *attempt, subscribed, cx),
            (T::RecordCrash, DeliveryInput::Arrived { attempt } | DeliveryInput::Undelivered { attempt }) => {
                let taken = matches!(input, DeliveryInput::Arrived { .. });
                crashed(self, *attempt, taken, subscribed, cx)
            }
            (T::RecordAttempt, DeliveryInput::Handled(failures)) if self.is_fresh() => {
                attempted(self, failures, subscribed, cx)
            }
            (T::RecordAttempt, DeliveryInput::AttemptEnded(token, failures)) if self.holds(*token) => {
                attempted(self, failures, subscribed, cx)
            }
            (T::Reconcile, DeliveryInput::Reconciled(facts)) => reconciled(self, *facts, subscribed, cx),
            (T::Redrive, _) => redriven(self, cx),
            (T::Delete, _) => Decision::delete(self, vec![]),
            _ => Decision::keep(self, vec![]), // Another attempt's, or a duplicate: the record rules.
        };
        let to = decision.record.phase.name();
        debug_assert!(from == to || transition.leads_to(from).contains(&to), "{transition:?}: {from:?} → {to:?}");
        decision
    }

    fn bears(&self, decided: &Self) -> bool {
        matches!(
            (&self.phase, &decided.phase),
            (DeliveryPhase::Handling(found), DeliveryPhase::Handling(taken))
                if taken.token == decided.version && found.token == taken.token
        )
    }
}

impl DeliveryRecord {
    fn holds(&self, token: Version) -> bool {
        matches!(&self.phase, DeliveryPhase::Handling(lease) if lease.token == token)
    }
}

/// The message of an attempt has arrived: the attempt is taken.
///
/// Invariant: *a receive is no attempt*. It counts as one only once a handler was called under this lease.
fn arrived(
    seen: &DeliveryRecord,
    attempt: u32,
    subscribed: Subscribed<'_>,
    cx: &DecisionContext,
) -> Decision<DeliveryRecord> {
    if attempt != seen.attempt {
        return Decision::keep(seen, vec![]);
    }
    if cx.now < seen.due_at {
        return Decision::keep(seen, vec![seen.deliver(cx.now)]);
    }
    let is_called = |handler: &str| seen.attempt_of(handler, cx.now).is_some();
    let called = subscribed.handlers.iter().filter(|subscription| is_called(&subscription.handler)).count();
    if called == 0 {
        return attempted(seen, &[], subscribed, cx); // A deploy has removed those that were to be called.
    }
    let called = u32::try_from(called).unwrap_or(u32::MAX);
    let until = later(cx.now, limits::MAX_EVENT_TIMEOUT.saturating_mul(called) + limits::LEASE_MARGIN);
    let mut next = seen.clone();
    next.phase = DeliveryPhase::Handling(Lease { token: cx.version(), since: cx.now, until });
    next.reconcile_count = 0;
    stored(next, vec![], cx).then(Work::CallHandler)
}

/// The message of an attempt comes again: an ended lease means that its process died. One in the dead-letter queue
/// means that its function could not take it, again and again.
fn crashed(
    seen: &DeliveryRecord,
    attempt: u32,
    was_taken: bool,
    subscribed: Subscribed<'_>,
    cx: &DecisionContext,
) -> Decision<DeliveryRecord> {
    let is_live = matches!(&seen.phase, DeliveryPhase::Handling(lease) if lease.is_live(cx.now));
    if attempt != seen.attempt || is_live {
        return Decision::keep(seen, vec![]);
    }
    let cause = if was_taken {
        "the process ended without an answer"
    } else {
        "the function could not take its message (does it start? see its logs)"
    };
    crash(seen, cause, subscribed, cx)
}

/// A crash doesn't say which handler it was: it counts for each of those that were to be called.
fn crash(
    seen: &DeliveryRecord,
    cause: &str,
    subscribed: Subscribed<'_>,
    cx: &DecisionContext,
) -> Decision<DeliveryRecord> {
    let error = AttemptError::retryable(code::CRASHED, cause);
    let failure = |handler: &String| HandlerFailure { handler: handler.clone(), error: error.clone() };
    let failures: Vec<_> = subscribed.handlers.iter().map(|subscription| failure(&subscription.handler)).collect();
    attempted(seen, &failures, subscribed, cx)
}

/// The handlers that were due have been called. Each that failed waits for its next try, or is given up, by its own
/// policy; a handler that is done is not called again.
fn attempted(
    seen: &DeliveryRecord,
    failures: &[HandlerFailure],
    subscribed: Subscribed<'_>,
    cx: &DecisionContext,
) -> Decision<DeliveryRecord> {
    if subscribed.handlers.is_empty() {
        let next = DeliveryRecord { error: Some(unsubscribed(seen)), ..seen.clone() };
        return over(next, DeliveryPhase::Dropped, vec![], cx);
    }
    let taken_at = match &seen.phase {
        DeliveryPhase::Handling(lease) => lease.since,
        _ => cx.now.max(seen.due_at),
    };
    let mut next = DeliveryRecord { error: None, reconcile_count: 0, ..seen.clone() };
    let mut is_letter_wanted = false;
    for subscription in subscribed.handlers {
        let handler = &subscription.handler;
        let Some(attempts) = seen.attempt_of(handler, taken_at) else { continue };
        let failure = failures.iter().find(|failure| failure.handler == *handler);
        let state =
            failure.map_or(HandlerState::Done, |failed| after(&failed.error, attempts, seen, &subscription.retry, cx));
        is_letter_wanted |= subscription.dead_letter && matches!(state, HandlerState::GivenUp { .. });
        next.note(HandlerRecord { handler: handler.clone(), attempts, state });
    }
    give_up_removed(&mut next, subscribed, taken_at);
    let text = || Message::Event(seen.event_message(subscribed.body.clone())).to_text();
    let letter = || Effect::DeadLetter { function: seen.function.clone(), text: text() };
    let mut effects: Vec<Effect> = is_letter_wanted.then(letter).into_iter().collect();
    let Some(due_at) = next.next_due() else {
        let is_done = next.handlers.iter().all(|known| known.state == HandlerState::Done);
        let phase = if is_done { DeliveryPhase::Delivered } else { DeliveryPhase::Dropped };
        return over(next, phase, effects, cx);
    };
    next.phase = DeliveryPhase::Retrying;
    next.attempt = next.attempt.saturating_add(1);
    next.due_at = due_at;
    effects.push(next.deliver(cx.now));
    stored(next, effects, cx)
}

/// The fate of a handler after a failed attempt: its error may name the time of the next one or rule it out, else
/// its policy does; the policy's number and age hold for both.
fn after(
    failure: &AttemptError,
    attempt: u32,
    seen: &DeliveryRecord,
    retry: &Retry,
    cx: &DecisionContext,
) -> HandlerState {
    let error = failure.error.clone();
    let due_at = match failure.retry {
        RetryHint::At(at) => at.max(cx.now),
        RetryHint::ByPolicy => later(cx.now, retry.delay(attempt, cx.unit_interval())),
        RetryHint::Never => return HandlerState::GivenUp { error },
    };
    // A policy that names no age ends too: an event is not tried for ever.
    let age = retry.max_age().unwrap_or(limits::EVENT_AGE);
    if attempt < retry.max_attempts() && crate::until(seen.aged_from(), due_at) <= age {
        HandlerState::Retrying { due_at, error }
    } else {
        HandlerState::GivenUp { error }
    }
}

/// A handler that was due and is no more is given up.
fn give_up_removed(next: &mut DeliveryRecord, subscribed: Subscribed<'_>, taken_at: Timestamp) {
    let error = unsubscribed(next);
    for known in &mut next.handlers {
        let is_due = matches!(&known.state, HandlerState::Retrying { due_at, .. } if *due_at <= taken_at);
        if is_due && !subscribed.handlers.iter().any(|subscription| subscription.handler == known.handler) {
            known.state = HandlerState::GivenUp { error: error.clone() };
        }
    }
}

fn unsubscribed(delivery: &DeliveryRecord) -> RecordedError {
    let cause = format!("{} has no handler of {:?} any more", delivery.function, delivery.name);
    RecordedError::new(code::ERROR, cause)
}

/// A client sends it again from the record, with its attempts at 0 and its age anew: to the handlers that are not done.
fn redriven(seen: &DeliveryRecord, cx: &DecisionContext) -> Decision<DeliveryRecord> {
    let mut next = seen.clone();
    next.handlers.retain(|known| known.state == HandlerState::Done);
    next.redriven_count = seen.redriven_count.saturating_add(1);
    next.phase = DeliveryPhase::Retrying;
    next.attempt = 1;
    next.redriven_at = Some(cx.now);
    next.due_at = cx.now.max(seen.first_due_at); // Given up before its time, it waits for it.
    next.expires_at_s = None;
    next.reconcile_count = 0;
    let send = next.deliver(cx.now);
    stored(next, vec![send], cx)
}

/// The conductor reconciles it: sent again where nothing waits in the queue, else later.
fn reconciled(
    seen: &DeliveryRecord,
    facts: DeliveryFacts,
    subscribed: Subscribed<'_>,
    cx: &DecisionContext,
) -> Decision<DeliveryRecord> {
    let now = cx.now;
    if let DeliveryPhase::Handling(lease) = &seen.phase {
        let cause = "the process ended without an answer";
        return if lease.is_live(now) { again(seen, vec![], cx) } else { crash(&raised(seen), cause, subscribed, cx) };
    }
    if subscribed.handlers.is_empty() {
        return attempted(seen, &[], subscribed, cx);
    }
    let is_lost = facts == DeliveryFacts::NoBacklog && seen.due_at <= now;
    let send = if is_lost { vec![Effect::send(&seen.function, &seen.message())] } else { vec![] };
    again(seen, send, cx)
}

/// Puts the next time off: to the earliest repair, and twice as far at each one in a row, up to an hour.
fn again(seen: &DeliveryRecord, effects: Vec<Effect>, cx: &DecisionContext) -> Decision<DeliveryRecord> {
    let mut next = seen.clone();
    next.version = cx.version();
    let pause = limits::reconcile_pause(seen.reconcile_count);
    next.reconcile_count = seen.reconcile_count.saturating_add(1);
    next.reconcile_at = seen.earliest_repair().map(|due| due.max(later(cx.now, pause)));
    Decision::store(next, effects)
}

/// The record as the conductor changes it: what follows sets its next time anew.
fn raised(seen: &DeliveryRecord) -> DeliveryRecord {
    DeliveryRecord { reconcile_at: None, ..seen.clone() }
}

fn over(
    next: DeliveryRecord,
    phase: DeliveryPhase,
    effects: Vec<Effect>,
    cx: &DecisionContext,
) -> Decision<DeliveryRecord> {
    let kept = Duration::from_secs(1) + limits::HISTORY;
    let expires_at_s = Some((cx.now + kept).as_second());
    let version = cx.version();
    Decision::store(DeliveryRecord { phase, version, reconcile_at: None, expires_at_s, ..next }, effects)
}

/// Stores a changed record. The conductor's time is moved forward where the change asks for it, never back.
///
/// Invariant: *watched until settled*. Only the conductor raises `reconcile_at`.
fn stored(mut next: DeliveryRecord, effects: Vec<Effect>, cx: &DecisionContext) -> Decision<DeliveryRecord> {
    next.version = cx.version();
    let wanted = next.earliest_repair();
    next.reconcile_at = wanted.map(|wanted| next.reconcile_at.map_or(wanted, |former| former.min(wanted)));
    Decision::store(next, effects)
}
