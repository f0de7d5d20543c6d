//! The one way of a delivery: a delivery and what happens to it give the delivery as it should be, and what follows.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    DeliveryFacts, DeliveryInput, DeliveryPhase, DeliveryRecord, HandlerFailure, Subscribed,
    table::{DeliveryCell, DeliveryTransition as T, cell},
};
use crate::{
    AttemptError, Decision, DecisionContext, Effect, Header, Lease, Machine, Message, RecordedError, Retry, RetryHint,
    Subscription, Version, Work, code, limits,
};

impl Machine for DeliveryRecord {
    const KIND: &'static str = "delivery";
    type Input = DeliveryInput;
    type Policy<'a> = Subscribed<'a>;

    fn header(&self) -> Header {
        Header {
            key: self.key(),
            version: self.version,
            reconcile_at: self.reconcile_at,
            expires_at_s: self.expires_at_s,
        }
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
            (T::RecordFailure, DeliveryInput::FirstFailed(failures)) if self.is_fresh() => {
                failed(self, failures, subscribed, cx)
            }
            (T::RecordFailure, DeliveryInput::Failed(token, failures)) if self.holds(*token) => {
                failed(self, failures, subscribed, cx)
            }
            (T::RecordSuccess, DeliveryInput::Handled(token)) if self.holds(*token) => handled(self, cx),
            (T::Reconcile, DeliveryInput::Reconciled(facts)) => reconciled(self, *facts, subscribed, cx),
            (T::Redrive, _) => redriven(self, cx),
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
    let handlers = u32::try_from(subscribed.handlers.len()).unwrap_or(u32::MAX).max(1);
    let until = cx.now + limits::MAX_EVENT_TIMEOUT * handlers + limits::LEASE_MARGIN;
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

/// A crash doesn't say which handler it was: all of them have their say in what follows.
fn crash(
    seen: &DeliveryRecord,
    cause: &str,
    subscribed: Subscribed<'_>,
    cx: &DecisionContext,
) -> Decision<DeliveryRecord> {
    let failure = |handler| HandlerFailure { handler, error: AttemptError::retryable(code::CRASHED, cause) };
    // Without a handler any more, there is still the crash to be recorded.
    let failures: Vec<HandlerFailure> = (0..subscribed.handlers.len().max(1)).map(failure).collect();
    failed(seen, &failures, subscribed, cx)
}

/// Handlers failed: the next attempt is due, or the delivery is dropped.
fn failed(
    seen: &DeliveryRecord,
    failures: &[HandlerFailure],
    subscribed: Subscribed<'_>,
    cx: &DecisionContext,
) -> Decision<DeliveryRecord> {
    let asking: Vec<&Subscription> =
        failures.iter().filter_map(|failure| subscribed.handlers.get(failure.handler)).collect();
    let mut next = seen.clone();
    next.error = Some(merged(failures));
    next.reconcile_count = 0;
    let Some(due_at) = next_try(seen, failures, &asking, cx) else {
        let text = || Message::Event(seen.event_message(subscribed.body.clone())).to_text();
        let letter = || Effect::DeadLetter { function: seen.function.clone(), text: text() };
        let is_wanted = asking.iter().any(|subscription| subscription.dead_letter);
        return over(next, DeliveryPhase::Dropped, is_wanted.then(letter).into_iter().collect(), cx);
    };
    next.phase = DeliveryPhase::Retrying;
    next.attempt += 1;
    next.due_at = due_at;
    let deliver = next.deliver(cx.now);
    stored(next, vec![deliver], cx)
}

/// One error of several: the first one's code, and all messages, each once.
fn merged(failures: &[HandlerFailure]) -> RecordedError {
    let errors = || failures.iter().map(|failure| &failure.error.error);
    let mut messages: Vec<&str> = vec![];
    for error in errors() {
        if !messages.contains(&error.message.as_str()) {
            messages.push(&error.message);
        }
    }
    let first = errors().next().cloned().unwrap_or_else(|| RecordedError::new(code::CRASHED, ""));
    RecordedError { message: messages.join("; "), ..first }
}

/// The time of the next attempt, if there is one: the soonest that a failing handler asks for, within the
/// largest number and age that one of them allows.
fn next_try(
    seen: &DeliveryRecord,
    failures: &[HandlerFailure],
    asking: &[&Subscription],
    cx: &DecisionContext,
) -> Option<Timestamp> {
    let asked = failures.iter().filter_map(|failure| match failure.error.retry {
        RetryHint::At(at) => Some(at.max(cx.now)),
        RetryHint::ByPolicy | RetryHint::Never => None,
    });
    let by_policy = failures.iter().any(|failure| failure.error.retry == RetryHint::ByPolicy);
    let retries = || asking.iter().map(|subscription| &subscription.retry);
    let delay = || retries().map(|retry| retry.delay(seen.attempt, cx.unit_interval())).min();
    let due_at = match asked.min() {
        Some(at) => Some(at),
        None if by_policy => delay().map(|delay| cx.now + delay),
        None => None,
    };
    let most = retries().map(Retry::max_attempts).max().unwrap_or(0);
    // A policy that names no age ends too: an event is not tried for ever.
    let age = retries().map(|retry| retry.max_age().unwrap_or(limits::EVENT_AGE)).max().unwrap_or_default();
    due_at.filter(|due_at| seen.attempt < most && crate::until(seen.first_due_at, *due_at) <= age)
}

/// The attempt succeeded: the record stays for its history, so that the same event published again is dropped.
fn handled(seen: &DeliveryRecord, cx: &DecisionContext) -> Decision<DeliveryRecord> {
    over(DeliveryRecord { error: None, ..seen.clone() }, DeliveryPhase::Delivered, vec![], cx)
}

/// A client sends it again from the record, with its attempts at 0.
fn redriven(seen: &DeliveryRecord, cx: &DecisionContext) -> Decision<DeliveryRecord> {
    let mut next = seen.clone();
    next.phase = DeliveryPhase::Retrying;
    next.attempt = 1;
    next.first_due_at = cx.now;
    next.due_at = cx.now;
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
        let cause = format!("{} has no handler of {:?} any more", seen.function, seen.name);
        let error = Some(RecordedError::new(code::ERROR, cause));
        return over(DeliveryRecord { error, ..seen.clone() }, DeliveryPhase::Dropped, vec![], cx);
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
    next.reconcile_at = seen.earliest_repair().map(|due| due.max(cx.now + pause));
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
