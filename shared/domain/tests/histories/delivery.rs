//! A delivery's history: anything that may happen to it, in any order.

use std::time::Duration;

use dacapo_domain::{
    AttemptError, Change, Decision, DecisionContext, DeliveryFacts, DeliveryInput, DeliveryPhase, DeliveryRecord,
    Effect, EventMessage, HandlerFailure, Id, Json, Machine, Retry, RetryHint, Subscribed, Subscription, Version, Work,
    days, limits, minutes, seconds, until,
};
use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    rules::{Checked, check},
    start,
};

pub fn subscription(retry: Retry, dead_letter: bool) -> Subscription {
    Subscription { event: "user.joined".to_owned(), timeout: seconds(5), retry, dead_letter }
}

pub fn published(delay: Duration) -> EventMessage {
    EventMessage {
        id: Id::new(start(), 7),
        name: "user.joined".to_owned(),
        function: "send-welcome".to_owned(),
        body: Json::default(),
        published_at: start(),
        due_at: start() + delay,
        hops: 0,
        attempt: 1,
    }
}

#[derive(Clone, Debug)]
enum Happening {
    Arrived { stale: bool },
    FirstFailed(RetryHint),
    Failed { hint: RetryHint, late: bool },
    Handled { late: bool },
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
        2 => hint().prop_map(Happening::FirstFailed),
        6 => (hint(), late()).prop_map(|(hint, late)| Happening::Failed { hint, late }),
        1 => late().prop_map(|late| Happening::Handled { late }),
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

fn input(seen: &DeliveryRecord, happening: &Happening, handlers: usize) -> DeliveryInput {
    let token = if let DeliveryPhase::Handling(lease) = &seen.phase { lease.token } else { Version(0) };
    let token = |late| if late { Version(token.0.wrapping_add(1)) } else { token };
    let failures = |retry| -> Vec<HandlerFailure> {
        let error = AttemptError { retry, ..AttemptError::retryable("ERROR", "not yet") };
        (0..handlers).map(|handler| HandlerFailure { handler, error: error.clone() }).collect()
    };
    match happening {
        Happening::Arrived { stale } => DeliveryInput::Arrived { attempt: seen.attempt - u32::from(*stale) },
        Happening::FirstFailed(hint) => DeliveryInput::FirstFailed(failures(*hint)),
        Happening::Failed { hint, late } => DeliveryInput::Failed(token(*late), failures(*hint)),
        Happening::Handled { late } => DeliveryInput::Handled(token(*late)),
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
    }
    let late = matches!(
        happening,
        Happening::Arrived { stale: true } | Happening::Failed { late: true, .. } | Happening::Handled { late: true }
    );
    prop_assert!(!late || next.change == Change::Keep, "what doesn't match the record changes nothing");
    let dead_letters = next.effects.iter().filter(|effect| matches!(effect, Effect::DeadLetter { .. })).count();
    let drops = after.phase == DeliveryPhase::Dropped && !is_over(seen);
    let wanted = drops && handlers.iter().any(|subscription| subscription.dead_letter);
    prop_assert_eq!(dead_letters, usize::from(wanted), "dead-lettered if asked, exactly when dropped");
    if after.attempt > seen.attempt {
        check_next_try(seen, happening, handlers, next, cx)?;
    }
    Ok(())
}

/// The next attempt: within the largest number and age, at the soonest time that is asked for, brought by one message.
fn check_next_try(
    seen: &DeliveryRecord,
    happening: &Happening,
    handlers: &[Subscription],
    next: &Decision<DeliveryRecord>,
    cx: &DecisionContext,
) -> Checked {
    let after = &next.record;
    let retries = || handlers.iter().map(|subscription| subscription.retry);
    let soonest = retries().map(|retry| retry.delay(seen.attempt, cx.unit_interval())).min().unwrap_or_default();
    let due_at = match happening {
        Happening::FirstFailed(RetryHint::At(at)) | Happening::Failed { hint: RetryHint::At(at), .. } => {
            (*at).max(cx.now)
        }
        _ => cx.now + soonest,
    };
    prop_assert_eq!((after.attempt, after.due_at), (seen.attempt + 1, due_at));
    prop_assert_eq!(&after.phase, &DeliveryPhase::Retrying);
    let most = retries().map(|retry| retry.max_attempts()).max().unwrap_or_default();
    let age = retries().map(|retry| retry.max_age().unwrap_or(days(14))).max().unwrap_or_default();
    prop_assert!(seen.attempt < most && due_at <= seen.first_due_at + age);
    let delay = until(cx.now, due_at);
    let [effect] = &*next.effects else { return Err(TestCaseError::fail("one message brings the next attempt")) };
    match effect {
        Effect::Send { delay: actual, .. } => prop_assert_eq!(*actual, delay),
        Effect::SendAt { at, .. } => prop_assert!(*at == due_at && delay > minutes(15)),
        other => return Err(TestCaseError::fail(format!("{other:?}"))),
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
        let handlers: Vec<Subscription> = retries.into_iter().map(|(retry, dead)| subscription(retry, dead)).collect();
        let body = Json::default();
        let mut now = start();
        let mut delivery = DeliveryRecord::fresh(&published(seconds(delay_s)));
        for (happening, passed_s, random) in steps {
            now += seconds(passed_s);
            if matches!(happening, Happening::FirstFailed(_) | Happening::Undelivered) {
                now = now.max(delivery.due_at); // No handler starts before its time.
            }
            let is_removed = matches!(happening, Happening::ReconciledUnsubscribed);
            let handlers = if is_removed { &[][..] } else { &handlers };
            let (subscribed, cx) = (Subscribed { handlers, body: &body }, DecisionContext { now, random });
            let input = input(&delivery, &happening, handlers.len());
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
