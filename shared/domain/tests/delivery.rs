//! The life of a delivery: the rules that hold whatever happens in whatever order.

use std::time::Duration;

use dacapo_domain::{
    Delivery, DeliveryEffect, DeliveryFacts, DeliveryState, EventMessage, EventPolicy, Failure, Id, Json, Moment,
    Retry, RetryWish, Subscription, code, days, limits, minutes, seconds, until,
};
use jiff::Timestamp;
use proptest::prelude::*;

fn start() -> Timestamp {
    Timestamp::from_second(1_767_225_600).expect("2026")
}

fn subscription(retry: Retry, dead_letter: bool) -> Subscription {
    Subscription { event: "user.joined".to_owned(), timeout: seconds(5), retry, dead_letter }
}

fn published(delay: Duration) -> EventMessage {
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

fn failure() -> Failure {
    Failure::new(code::ERROR, "not yet")
}

#[derive(Clone, Debug)]
enum Happening {
    Failed(RetryWish),
    Delivered,
    Redriven,
    Looked(DeliveryFacts),
}

fn happening() -> impl Strategy<Value = Happening> {
    use DeliveryFacts::{Backlog, NoBacklog, Unsubscribed};
    let wish = prop_oneof![
        6 => Just(RetryWish::ByPolicy),
        1 => Just(RetryWish::Never),
        2 => (-1_000..2_000_000_i64).prop_map(|s| RetryWish::At(start() + jiff::SignedDuration::from_secs(s))),
    ];
    prop_oneof![
        6 => wish.prop_map(Happening::Failed),
        1 => Just(Happening::Delivered),
        1 => Just(Happening::Redriven),
        4 => prop_oneof![4 => Just(Backlog), 4 => Just(NoBacklog), 1 => Just(Unsubscribed)].prop_map(Happening::Looked),
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

/// What several failing handlers ask for together: the soonest next try, the largest number and age, and the
/// dead-letter queue if one of them wants it.
struct Asked {
    attempts: u32,
    age: Duration,
    soonest: Duration,
    dead_letter: bool,
}

impl Asked {
    fn of(subscriptions: &[Subscription], attempt: u32, roll: f64) -> Self {
        let retries = || subscriptions.iter().map(|subscription| subscription.retry);
        Self {
            attempts: retries().map(|retry| retry.max_attempts()).max().unwrap_or_default(),
            age: retries().map(|retry| retry.max_age().unwrap_or(days(14))).max().unwrap_or_default(),
            soonest: retries().map(|retry| retry.delay(attempt, roll)).min().unwrap_or_default(),
            dead_letter: subscriptions.iter().any(|subscription| subscription.dead_letter),
        }
    }
}

/// What holds of every record.
fn check(delivery: &Delivery) -> Result<(), TestCaseError> {
    let open = delivery.state == DeliveryState::Retrying;
    prop_assert_eq!(delivery.watch_at.is_some(), open, "watched until settled, and no longer");
    prop_assert_eq!(delivery.ttl.is_some(), !open, "what is still tried never expires, what is settled does");
    prop_assert!(delivery.attempt >= 1 && delivery.due_at >= delivery.first_due_at);
    Ok(())
}

fn check_failed(
    before: &Delivery,
    wish: RetryWish,
    asked: &Asked,
    (next, effects): &(Delivery, Vec<DeliveryEffect>),
    moment: &Moment,
) -> Result<(), TestCaseError> {
    let due_at = match wish {
        RetryWish::Never => None,
        RetryWish::ByPolicy => Some(moment.now + asked.soonest),
        RetryWish::At(at) => Some(at.max(moment.now)),
    };
    let due_at = due_at.filter(|due_at| *due_at <= before.first_due_at + asked.age && before.attempt < asked.attempts);
    prop_assert_eq!(next.error.as_ref(), Some(&failure()));
    let Some(due_at) = due_at else {
        prop_assert_eq!(next.state, DeliveryState::Dropped);
        let expected = if asked.dead_letter { vec![DeliveryEffect::DeadLetter] } else { vec![] };
        prop_assert_eq!(effects, &expected, "dead-lettered if asked, exactly when dropped");
        return Ok(());
    };
    prop_assert_eq!(next.state, DeliveryState::Retrying);
    prop_assert_eq!((next.attempt, next.due_at), (before.attempt + 1, due_at));
    let delay = until(moment.now, due_at);
    let carried = if delay <= minutes(15) { DeliveryEffect::Send(delay) } else { DeliveryEffect::Schedule(due_at) };
    prop_assert_eq!(effects, &vec![carried], "one message brings the next attempt");
    let latest = before.watch_at.map_or(due_at + limits::QUEUE_GRACE, |at| at.min(due_at + limits::QUEUE_GRACE));
    prop_assert_eq!(next.watch_at, Some(latest), "only the conductor raises the watch");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_over_every_change(
        delay_s in prop_oneof![Just(0), 1..900_u64, 900..100_000_u64],
        retries in prop::collection::vec((retry(), any::<bool>()), 1..4),
        steps in prop::collection::vec((happening(), 0..200_000_u64, any::<u64>()), 1..40),
    ) {
        let subscriptions: Vec<Subscription> = retries.into_iter().map(|(retry, dead)| subscription(retry, dead)).collect();
        let policy = EventPolicy::together(&subscriptions);
        let mut now = start();
        let mut delivery = Delivery::new(&published(seconds(delay_s)), &Moment { now, random: 1 });
        check(&delivery)?;
        for (happening, passed_s, random) in steps {
            now += seconds(passed_s);
            if matches!(happening, Happening::Failed(_) | Happening::Delivered) {
                now = now.max(delivery.due_at); // No handler starts before its time.
            }
            let moment = Moment { now, random };
            let asked = Asked::of(&subscriptions, delivery.attempt, moment.roll());
            let done = match &happening {
                Happening::Failed(wish) => delivery.failed(failure(), *wish, &policy, &moment),
                Happening::Delivered => (delivery.delivered(&moment), vec![]),
                Happening::Redriven => delivery.redriven(&moment),
                Happening::Looked(facts) => delivery.looked(*facts, &moment),
            };
            let (next, effects) = &done;
            check(next)?;
            let open = delivery.state == DeliveryState::Retrying;
            if !open && !matches!(happening, Happening::Redriven) {
                prop_assert_eq!((next, effects.len()), (&delivery, 0), "what has ended is begun anew by nothing but a redrive");
            } else {
                prop_assert_eq!(next.version, moment.version(), "each write leaves a version of its own");
                prop_assert!(next.ttl.is_none_or(|ttl| ttl > (now + limits::HISTORY).as_second()), "kept for its history");
            }
            match (&happening, open) {
                (Happening::Failed(wish), true) => check_failed(&delivery, *wish, &asked, &done, &moment)?,
                (Happening::Delivered, true) => prop_assert_eq!((next.state, &next.error), (DeliveryState::Delivered, &None)),
                (Happening::Looked(DeliveryFacts::Unsubscribed), true) => {
                    prop_assert_eq!((next.state, effects.len()), (DeliveryState::Dropped, 0), "there is no queue to put it into");
                }
                (Happening::Looked(facts), true) => {
                    prop_assert!(next.watch_at.is_some_and(|at| at > now), "a look leaves a later one");
                    prop_assert_eq!((next.state, next.attempt, next.due_at), (delivery.state, delivery.attempt, delivery.due_at));
                    let missing = *facts == DeliveryFacts::NoBacklog && delivery.due_at <= now;
                    let expected = if missing { vec![DeliveryEffect::Send(Duration::ZERO)] } else { vec![] };
                    prop_assert_eq!(effects, &expected);
                }
                (Happening::Redriven, _) => {
                    prop_assert_eq!((next.state, next.attempt, next.due_at), (DeliveryState::Retrying, 1, now));
                    prop_assert_eq!(next.first_due_at, now, "its age counts anew");
                    prop_assert_eq!(effects, &vec![DeliveryEffect::Send(Duration::ZERO)]);
                }
                _ => {}
            }
            delivery = done.0;
        }
    }
}

/// Fails each attempt the moment it is due: how many there were, and when the last was, since it was first due.
fn fail_for_ever(retry: Retry) -> (u32, Duration) {
    let policy = EventPolicy::together(&[subscription(retry, false)]);
    let mut delivery = Delivery::new(&published(minutes(1)), &Moment { now: start(), random: 0 });
    for random in 0..1_000_000 {
        let moment = Moment { now: delivery.due_at, random };
        delivery = delivery.failed(failure(), RetryWish::ByPolicy, &policy, &moment).0;
        if delivery.state == DeliveryState::Dropped {
            return (delivery.attempt, until(delivery.first_due_at, moment.now));
        }
    }
    panic!("it is tried for ever: {delivery:?}");
}

#[test]
fn every_delivery_ends() {
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
fn an_error_may_name_the_time_of_the_next_try() {
    let policy = EventPolicy::together(&[subscription(Retry::attempts(3), true)]);
    let now = start() + minutes(10);
    let delivery = Delivery::new(&published(Duration::ZERO), &Moment { now, random: 0 });
    let failed = |at| delivery.failed(failure(), RetryWish::At(at), &policy, &Moment { now, random: 1 });
    for (at, effect) in [
        (now + seconds(90), DeliveryEffect::Send(seconds(90))),
        (now + days(2), DeliveryEffect::Schedule(now + days(2))),
        (start(), DeliveryEffect::Send(Duration::ZERO)), // it has passed
        (start() + days(15), DeliveryEffect::DeadLetter),
    ] {
        assert_eq!(failed(at).1, [effect], "{at}");
    }
}

#[test]
fn the_looks_at_a_busy_queue_become_rarer_up_to_an_hour() {
    let mut delivery = Delivery::new(&published(Duration::ZERO), &Moment { now: start(), random: 0 });
    let mut pauses = vec![];
    while let Some(now) = delivery.watch_at.filter(|_| pauses.len() < 9) {
        delivery = delivery.looked(DeliveryFacts::Backlog, &Moment { now, random: 1 }).0;
        pauses.push(delivery.watch_at.map_or(0, |at| until(now, at).as_secs() / 60));
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}
