//! A delivery's history: anything that may happen to it, in any order.

use std::time::Duration;

use dacapo_domain::{
    AttemptError, Change, Decision, DecisionContext, DeliveryFacts, DeliveryInput, DeliveryPhase, DeliveryRecord,
    Effect, EventMessage, HandlerFailure, HandlerState, Id, Json, Machine, Retry, RetryHint, Subscribed, Subscription,
    Version, Work, days, limits, minutes, seconds, until,
};
use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    rules::{Checked, check},
    start,
};

pub fn subscription(handler: &str, retry: Retry, dead_letter: bool) -> Subscription {
    let (event, handler) = ("user.joined".to_owned(), handler.to_owned());
    Subscription { event, handler, timeout: seconds(5), retry, dead_letter }
}

pub fn published(delay: Duration) -> EventMessage {
    let event = EventMessage::at(Id::new(start(), 7), "user.joined", Json::default(), start());
    EventMessage { function: "send-welcome".to_owned(), due_at: start() + delay, ..event }
}

#[derive(Clone, Debug)]
enum Happening {
    Arrived {
        stale: bool,
    },
    /// Those of the handlers fail whose bit is set.
    Handled {
        hint: RetryHint,
        failing: u8,
    },
    AttemptEnded {
        hint: RetryHint,
        failing: u8,
        late: bool,
    },
    Undelivered,
    Redriven,
    Reconciled(DeliveryFacts),
    ReconciledUnsubscribed,
}

fn happening() -> impl Strategy<Value = Happening> {
    use DeliveryFacts::{Backlog, NoBacklog};
    let hint = || {
        prop_oneof![
            6 => Just(RetryHint::ByPolicy),
            1 => Just(RetryHint::Never),
            2 => (-1_000..2_000_000_i64).prop_map(|s| RetryHint::At(start() + jiff::SignedDuration::from_secs(s))),
        ]
    };
    let late = || prop::bool::weighted(0.1);
    prop_oneof![
        6 => late().prop_map(|stale| Happening::Arrived { stale }),
        2 => (hint(), any::<u8>()).prop_map(|(hint, failing)| Happening::Handled { hint, failing }),
        6 => (hint(), any::<u8>(), late())
            .prop_map(|(hint, failing, late)| Happening::AttemptEnded { hint, failing, late }),
        1 => Just(Happening::Undelivered),
        1 => Just(Happening::Redriven),
        4 => prop_oneof![Just(Backlog), Just(NoBacklog)].prop_map(Happening::Reconciled),
        1 => Just(Happening::ReconciledUnsubscribed),
    ]
}

fn retry() -> impl Strategy<Value = Retry> {
    let age = prop::option::of((1..3_000_000_u64).prop_map(seconds));
    (1..8_u32, 0..2_000_u64, 0..2_000_u64, any::<bool>(), any::<bool>(), age).prop_map(
        |(attempts, min, more, jitter, endless, age)| {
            let retry = Retry::attempts(if endless { u32::MAX } else { attempts }).jitter(jitter);
            let retry = retry.min(seconds(min)).max(seconds(min + more));
            age.map_or(retry, |age| retry.age(age))
        },
    )
}

fn input(seen: &DeliveryRecord, happening: &Happening, handlers: &[Subscription]) -> DeliveryInput {
    let token = if let DeliveryPhase::Handling(lease) = &seen.phase { lease.token } else { Version(0) };
    let token = |late| if late { Version(token.0.wrapping_add(1)) } else { token };
    let failures = |retry, failing: u8| -> Vec<HandlerFailure> {
        let error = AttemptError { retry, ..AttemptError::retryable("ERROR", "not yet") };
        let failing = handlers.iter().enumerate().filter(|(place, _)| failing >> place & 1 == 1);
        failing.map(|(_, one)| HandlerFailure { handler: one.handler.clone(), error: error.clone() }).collect()
    };
    match happening {
        Happening::Arrived { stale } => DeliveryInput::Arrived { attempt: seen.attempt - u32::from(*stale) },
        Happening::Handled { hint, failing } => DeliveryInput::Handled(failures(*hint, *failing)),
        Happening::AttemptEnded { hint, failing, late } => {
            DeliveryInput::AttemptEnded(token(*late), failures(*hint, *failing))
        }
        Happening::Undelivered => DeliveryInput::Undelivered { attempt: seen.attempt },
        Happening::Redriven => DeliveryInput::Redriven,
        Happening::Reconciled(facts) => DeliveryInput::Reconciled(*facts),
        Happening::ReconciledUnsubscribed => DeliveryInput::Reconciled(DeliveryFacts::NoBacklog),
    }
}

/// The rules of deliveries alone.
fn check_delivery(
    seen: &DeliveryRecord,
    happening: &Happening,
    handlers: &[Subscription],
    next: &Decision<DeliveryRecord>,
    cx: &DecisionContext,
) -> Checked {
    let after = &next.record;
    let is_over =
        |delivery: &DeliveryRecord| matches!(delivery.phase, DeliveryPhase::Delivered | DeliveryPhase::Dropped);
    prop_assert_eq!(after.expires_at_s.is_some(), is_over(after), "what is over expires, and nothing else");
    let kept = (cx.now + limits::HISTORY).as_second();
    prop_assert!(next.change == Change::Keep || after.expires_at_s.is_none_or(|at| at > kept), "kept for its history");
    prop_assert!(after.attempt >= 1 && after.due_at >= after.first_due_at);
    if next.work == Some(Work::CallHandler) {
        prop_assert!(cx.now >= seen.due_at, "no handler starts before its time");
        prop_assert_eq!(after.attempt, seen.attempt, "a receive is no attempt");
        prop_assert!(after.bears(after) && seen.phase == DeliveryPhase::Retrying);
        prop_assert!(handlers.iter().any(|one| after.attempt_of(&one.handler, cx.now).is_some()), "someone is called");
    }
    let late = matches!(happening, Happening::Arrived { stale: true } | Happening::AttemptEnded { late: true, .. });
    prop_assert!(!late || next.change == Change::Keep, "what doesn't match the record changes nothing");
    if !matches!(happening, Happening::Redriven) {
        check_handlers(seen, handlers, next, cx)?;
    }
    if after.phase == DeliveryPhase::Delivered {
        prop_assert!(after.handlers.iter().all(|one| one.state == HandlerState::Done));
    }
    if after.attempt > seen.attempt {
        check_next_try(seen, next, cx)?;
    }
    Ok(())
}

/// Each handler by itself: what is over stays so, one attempt is counted at a time and within its policy, and a dead
/// letter is left if, and only if, one that asks for it is given up.
fn check_handlers(
    seen: &DeliveryRecord,
    handlers: &[Subscription],
    next: &Decision<DeliveryRecord>,
    cx: &DecisionContext,
) -> Checked {
    let found =
        |delivery: &DeliveryRecord, name: &str| delivery.handlers.iter().find(|one| one.handler == name).cloned();
    for before in &seen.handlers {
        let is_over = !matches!(before.state, HandlerState::Retrying { .. });
        prop_assert!(!is_over || found(&next.record, &before.handler).as_ref() == Some(before), "it is over");
    }
    let mut wanted = false;
    for one in handlers {
        let (before, after) = (found(seen, &one.handler), found(&next.record, &one.handler));
        let Some(after) = after.filter(|after| before.as_ref() != Some(after)) else { continue };
        let former =
            before.map_or(if seen.handlers.is_empty() { seen.attempt - 1 } else { 0 }, |before| before.attempts);
        prop_assert_eq!(after.attempts, former + 1);
        wanted |= one.dead_letter && matches!(after.state, HandlerState::GivenUp { .. });
        if let HandlerState::Retrying { due_at, .. } = after.state {
            let age = one.retry.max_age().unwrap_or(days(14));
            prop_assert!(after.attempts < one.retry.max_attempts() && due_at <= seen.aged_from() + age);
            prop_assert!(due_at >= cx.now);
        }
    }
    let dead_letters = next.effects.iter().filter(|effect| matches!(effect, Effect::DeadLetter { .. })).count();
    prop_assert_eq!(dead_letters, usize::from(wanted), "dead-lettered if asked, exactly when given up");
    Ok(())
}

/// The next attempt: at the soonest time that a handler waits for, brought by one message.
fn check_next_try(seen: &DeliveryRecord, next: &Decision<DeliveryRecord>, cx: &DecisionContext) -> Checked {
    let after = &next.record;
    let waits = after.handlers.iter().filter_map(|one| match &one.state {
        HandlerState::Retrying { due_at, .. } => Some(*due_at),
        _ => None,
    });
    prop_assert_eq!((after.attempt, Some(after.due_at)), (seen.attempt + 1, waits.min()));
    prop_assert_eq!(&after.phase, &DeliveryPhase::Retrying);
    let delay = until(cx.now, after.due_at);
    match next.effects.last() {
        Some(Effect::Send { delay: actual, .. }) => prop_assert_eq!(*actual, delay),
        Some(Effect::SendAt { at, .. }) => prop_assert!(*at == after.due_at && delay > minutes(15)),
        other => return Err(TestCaseError::fail(format!("one message brings the next attempt: {other:?}"))),
    }
    Ok(())
}

/// Drives a delivery by nothing but the conductor and messages whose handlers always fail, until it is over.
fn repair(mut delivery: DeliveryRecord, subscribed: Subscribed<'_>, mut now: Timestamp) -> Checked {
    for random in 1..20_000_u64 {
        let Some(reconcile_at) = delivery.reconcile_at else { return Ok(()) };
        now = now.max(reconcile_at);
        let lost = DeliveryInput::Reconciled(DeliveryFacts::NoBacklog);
        let decision = delivery.decide(&lost, subscribed, &DecisionContext { now, random });
        delivery = decision.record;
        if !decision.effects.is_empty() {
            now = now.max(delivery.due_at);
            let arrived = DeliveryInput::Arrived { attempt: delivery.attempt };
            delivery = delivery.decide(&arrived, subscribed, &DecisionContext { now, random: random << 32 }).record;
        }
    }
    Err(TestCaseError::fail(format!("still tried: {delivery:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn delivery_of_any_history_keeps_the_rules_and_is_driven_to_its_end_by_the_conductor(
        delay_s in prop_oneof![Just(0), 1..900_u64, 900..100_000_u64],
        retries in prop::collection::vec((retry(), any::<bool>()), 1..4),
        steps in prop::collection::vec((happening(), 0..200_000_u64, any::<u64>()), 1..40),
    ) {
        let names = ["greet", "count", "audit"];
        let handlers: Vec<Subscription> =
            retries.into_iter().zip(names).map(|((retry, dead), name)| subscription(name, retry, dead)).collect();
        let body = Json::default();
        let mut now = start();
        let mut delivery = DeliveryRecord::fresh(&published(seconds(delay_s)));
        for (happening, passed_s, random) in steps {
            now += seconds(passed_s);
            if matches!(happening, Happening::Handled { .. } | Happening::Undelivered) {
                now = now.max(delivery.due_at); // No handler starts before its time.
            }
            let is_removed = matches!(happening, Happening::ReconciledUnsubscribed);
            let handlers = if is_removed { &[][..] } else { &handlers };
            let (subscribed, cx) = (Subscribed { handlers, body: &body }, DecisionContext { now, random });
            let input = input(&delivery, &happening, handlers);
            let decision = delivery.decide(&input, subscribed, &cx);
            check(&delivery, &input, &decision, &cx)?;
            check_delivery(&delivery, &happening, handlers, &decision, &cx)?;
            delivery = decision.record;
        }
        // Whatever the policies: at most eight attempts, so that the end is near.
        let few: Vec<Subscription> =
            handlers.into_iter().map(|one| Subscription { retry: one.retry.at_most(8), ..one }).collect();
        repair(delivery, Subscribed { handlers: &few, body: &body }, now)?;
    }
}
