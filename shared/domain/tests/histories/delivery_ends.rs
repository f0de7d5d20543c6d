//! Deliveries that only ever fail, or that no queue has room for.

use std::time::Duration;

use dacapo_domain::{
    AttemptError, DecisionContext, DeliveryFacts, DeliveryInput, DeliveryPhase, DeliveryRecord, HandlerFailure, Json,
    Machine, Retry, Subscribed, days, minutes, seconds, until,
};

use super::{
    delivery::{published, subscription},
    start,
};

/// Fails each attempt the moment it is due: how many there were, and when the last was, since it was first due.
fn fail_for_ever(retry: Retry) -> (u32, Duration) {
    let (handlers, body) = ([subscription("greet", retry, false)], Json::default());
    let subscribed = Subscribed { handlers: &handlers, body: &body };
    let failures =
        || vec![HandlerFailure { handler: "greet".to_owned(), error: AttemptError::retryable("ERROR", "not yet") }];
    let mut delivery = DeliveryRecord::fresh(&published(minutes(1)));
    for random in 0..1_000_000 {
        let cx = DecisionContext { now: delivery.due_at, random };
        let input = if delivery.reconcile_at.is_none() {
            DeliveryInput::Handled(failures())
        } else {
            let arrived = DeliveryInput::Arrived { attempt: delivery.attempt };
            delivery = delivery.decide(&arrived, subscribed, &cx).record;
            DeliveryInput::AttemptEnded(cx.version(), failures())
        };
        delivery = delivery.decide(&input, subscribed, &cx).record;
        if delivery.phase == DeliveryPhase::Dropped {
            return (delivery.attempt, until(delivery.aged_from(), cx.now));
        }
    }
    panic!("it is tried for ever: {delivery:?}");
}

#[test]
fn delivery_that_always_fails_ends_after_the_attempts_and_the_age_of_its_policy() {
    for (retry, attempts, after) in [
        (Retry::of_events(), 3_361, days(14)), // every six minutes, and the first
        (Retry::every(minutes(60)), 337, days(14)),
        (Retry::every(minutes(60)).at_most(24), 24, minutes(23 * 60)),
        (Retry::every(minutes(60)).age(days(30)), 721, days(30)),
        (Retry::never(), 1, Duration::ZERO),
        (Retry::attempts(3).jitter(false), 3, seconds(3)),
        // A policy that names no age ends after 14 days all the same.
        (Retry::attempts(u32::MAX).min(minutes(60)).max(minutes(60)).jitter(false), 337, days(14)),
        (Retry::attempts(100).min(days(1)).max(days(1)).jitter(false), 15, days(14)),
    ] {
        assert_eq!(fail_for_ever(retry), (attempts, after), "{retry:?}");
    }
}

#[test]
fn delivery_with_a_busy_queue_is_reconciled_ever_more_rarely_up_to_an_hour() {
    let (handlers, body) = ([subscription("greet", Retry::of_events(), false)], Json::default());
    let subscribed = Subscribed { handlers: &handlers, body: &body };
    let fresh = DeliveryRecord::fresh(&published(Duration::ZERO));
    let not_taken = DeliveryInput::Undelivered { attempt: 1 };
    let mut delivery = fresh.decide(&not_taken, subscribed, &DecisionContext { now: start(), random: 0 }).record;
    let mut pauses = vec![];
    while let Some(now) = delivery.reconcile_at.filter(|_| pauses.len() < 9) {
        let busy = DeliveryInput::Reconciled(DeliveryFacts::Backlog);
        delivery = delivery.decide(&busy, subscribed, &DecisionContext { now, random: 1 }).record;
        pauses.push(delivery.reconcile_at.map_or(0, |at| until(now, at).as_secs() / 60));
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}
