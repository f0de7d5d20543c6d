//! Deliveries that fail: listed, shown, redriven, deleted.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use dacapo::{BulkTally, DeliveryFilter, DeliveryState, DeliveryView, ErrorKind, Json, prelude::*};
use dacapo_test_kit::TestApp;

const PAID: EventRef<u32> = EventRef::new("order.paid");
const SENT: EventRef<u32> = EventRef::new("order.sent");

/// An app of two functions, the second of which fails while the switch is on: `events-2` twice, a minute apart, for what
/// was paid, and once for what was sent.
fn shop() -> (TestApp, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(true));
    let switch = fails.clone();
    let flaky = move |n: u32, _: EventContext| {
        let fails = switch.load(Ordering::Relaxed);
        async move { if fails { Err(TaskError::from(format!("no stock for {n}"))) } else { Ok(()) } }
    };
    let twice = Retry::attempts(2).min(minutes(1)).max(minutes(1)).jitter(false);
    let app = TestApp::new()
        .with([on(PAID, async |_: u32, _: EventContext| Ok::<(), TaskError>(()))])
        .with([on(PAID, flaky.clone()).retry(twice), on(SENT, flaky).retry(Retry::never())]);
    (app, fails)
}

async fn list(app: &TestApp, filter: DeliveryFilter) -> Vec<DeliveryView> {
    app.client().deliveries().list(filter).await.unwrap().deliveries
}

fn all() -> DeliveryFilter {
    DeliveryFilter::default()
}

fn in_state(state: DeliveryState) -> DeliveryFilter {
    DeliveryFilter { state: Some(state), ..all() }
}

#[tokio::test(start_paused = true)]
async fn failing_delivery_is_shown_with_its_body_attempts_error_and_next_try_until_it_is_over() {
    let (app, fails) = shop();
    let published = app.now();
    app.publish(PAID, 7).await.unwrap();
    app.advance(seconds(1)).await;
    let [found] = &list(&app, in_state(DeliveryState::Retrying)).await[..] else { panic!("there is one") };
    let shown = app.client().deliveries().get(&found.id).await.unwrap();
    assert_eq!(shown.body, Some(Json::of(&7).unwrap()));
    assert_eq!((&*shown.name, &*shown.function, shown.attempts), ("order.paid", "events-2", 1));
    assert_eq!(shown.error_message.as_deref(), Some("no stock for 7"));
    assert_eq!((shown.published_at, shown.handlers[0].attempts), (published, 1));
    let next = shown.next_try_at.unwrap();
    assert!(next >= published + minutes(1) && next <= published + minutes(1) + seconds(1), "{next}");

    fails.store(false, Ordering::Relaxed);
    app.advance(minutes(2)).await;
    assert!(list(&app, in_state(DeliveryState::Retrying)).await.is_empty());
    let [done] = &list(&app, in_state(DeliveryState::Delivered)).await[..] else { panic!("there is one") };
    assert_eq!((&done.id, done.attempts, done.next_try_at), (&shown.id, 2, None));
}

#[tokio::test(start_paused = true)]
async fn deliveries_are_listed_by_function_event_state_and_time_newest_first() {
    let (app, _) = shop();
    let start = app.now();
    for n in 0..3 {
        app.publish(PAID, n).await.unwrap();
        app.publish(SENT, n).await.unwrap();
        app.advance(seconds(10)).await;
    }
    let bodies = |found: Vec<DeliveryView>| -> Vec<(String, String)> {
        found.into_iter().map(|it| (it.name, it.body.unwrap().text().to_owned())).collect()
    };
    let of = |name: &str, numbers: &[u32]| -> Vec<(String, String)> {
        numbers.iter().map(|n| (name.to_owned(), n.to_string())).collect()
    };
    let event = |name: &str| DeliveryFilter { event: Some(name.to_owned()), ..all() };
    let function = |name: &str| DeliveryFilter { function: Some(name.to_owned()), ..all() };
    assert_eq!(list(&app, all()).await.len(), 6);
    assert_eq!(bodies(list(&app, event("order.paid")).await), of("order.paid", &[2, 1, 0]));
    assert_eq!(list(&app, function("events-2")).await.len(), 6);
    assert!(list(&app, function("events-1")).await.is_empty(), "it never fails");
    assert_eq!(bodies(list(&app, in_state(DeliveryState::Dropped)).await), of("order.sent", &[2, 1, 0]));
    let both = DeliveryFilter { function: Some("events-2".to_owned()), ..event("order.sent") };
    assert_eq!(bodies(list(&app, both).await), of("order.sent", &[2, 1, 0]));
    let (since, until) = (Some(start + seconds(10)), Some(start + seconds(20)));
    assert_eq!(
        bodies(list(&app, DeliveryFilter { since, until, ..event("order.paid") }).await),
        of("order.paid", &[1])
    );

    for limit in [1, 2, 5] {
        let (mut filter, mut ids) = (DeliveryFilter { limit, ..all() }, vec![]);
        loop {
            let page = app.client().deliveries().list(filter.clone()).await.unwrap();
            assert!(page.deliveries.len() <= limit);
            ids.extend(page.deliveries.into_iter().map(|it| it.id));
            filter.cursor = page.cursor;
            if filter.cursor.is_none() {
                break;
            }
        }
        let expected: Vec<String> = list(&app, all()).await.into_iter().map(|it| it.id).collect();
        assert_eq!(ids, expected, "{limit} a page");
    }
}

#[tokio::test(start_paused = true)]
async fn dead_letter_is_redriven_from_its_record_with_its_attempts_at_0() {
    let (app, fails) = shop();
    app.publish(PAID, 7).await.unwrap();
    app.run_until_idle().await;
    let [dead] = &list(&app, in_state(DeliveryState::Dropped)).await[..] else { panic!("there is one") };
    assert_eq!((dead.attempts, dead.redriven_count), (2, 0));

    let redriven = app.client().deliveries().redrive(&dead.id).await.unwrap();
    assert_eq!((redriven.state, redriven.attempts), (DeliveryState::Retrying, 0));
    app.run_until_idle().await;
    let [again] = &list(&app, in_state(DeliveryState::Dropped)).await[..] else { panic!("there is one") };
    assert_eq!((&again.id, again.attempts, again.redriven_count), (&dead.id, 2, 1), "it had both attempts again");

    fails.store(false, Ordering::Relaxed);
    app.client().deliveries().redrive(&dead.id).await.unwrap();
    app.run_until_idle().await;
    let [done] = &list(&app, all()).await[..] else { panic!("there is one") };
    assert_eq!((done.state, done.attempts, done.redriven_count), (DeliveryState::Delivered, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_redriven_by_a_filter_and_all() {
    let (app, fails) = shop();
    for n in 0..30 {
        app.publish(PAID, n).await.unwrap();
        app.publish(SENT, n).await.unwrap();
    }
    app.run_until_idle().await;
    assert_eq!(list(&app, DeliveryFilter { limit: 100, ..in_state(DeliveryState::Dropped) }).await.len(), 60);
    fails.store(false, Ordering::Relaxed);
    let paid = DeliveryFilter { event: Some("order.paid".to_owned()), ..all() };
    assert_eq!(app.client().deliveries().redrive_all(paid.clone()).count().await.unwrap(), 30);
    let started = app.client().deliveries().redrive_all(paid).await.unwrap();
    app.run_until_idle().await;
    let tally = app.state(started.id()).await.unwrap().result.unwrap().parse::<BulkTally>().unwrap();
    assert_eq!(tally, BulkTally { done: 30, ..BulkTally::default() });
    let dead = list(&app, DeliveryFilter { limit: 100, ..in_state(DeliveryState::Dropped) }).await;
    assert!(dead.len() == 30 && dead.iter().all(|it| it.name == "order.sent"));
    let started = app.client().deliveries().redrive_all(all()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.state(started.id()).await.unwrap().message.as_deref(), Some("30 redriven"));
    assert!(list(&app, in_state(DeliveryState::Dropped)).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn dead_letter_that_is_deleted_is_gone() {
    let (app, _) = shop();
    app.publish(SENT, 7).await.unwrap();
    app.run_until_idle().await;
    let id = list(&app, all()).await[0].id.clone();
    app.client().deliveries().delete(&id).await.unwrap();
    assert!(list(&app, all()).await.is_empty());
    for error in [
        app.client().deliveries().get(&id).await.unwrap_err(),
        app.client().deliveries().redrive(&id).await.unwrap_err(),
        app.client().deliveries().delete(&id).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn redrive_of_what_is_not_dead_is_refused_with_its_state() {
    let (app, fails) = shop();
    app.publish(PAID, 7).await.unwrap();
    app.advance(seconds(1)).await;
    let id = list(&app, all()).await[0].id.clone();
    let deliveries = app.client().deliveries();
    for (verb, error) in
        [("redrive", deliveries.redrive(&id).await.unwrap_err()), ("delete", deliveries.delete(&id).await.unwrap_err())]
    {
        assert_eq!(error.kind(), ErrorKind::Refused);
        let expected = format!(
            "{verb} delivery {id:?}: it is retrying and no dead letter (its next attempt is due at {})",
            deliveries.get(&id).await.unwrap().next_try_at.unwrap()
        );
        assert!(error.to_string().ends_with(&expected), "{error}");
    }
    fails.store(false, Ordering::Relaxed);
    app.run_until_idle().await;
    let error = deliveries.redrive(&id).await.unwrap_err();
    assert!(
        error.to_string().ends_with("it is delivered and no dead letter (all of its handlers are done)"),
        "{error}"
    );
    let error = deliveries.redrive_all(in_state(DeliveryState::Retrying)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[tokio::test(start_paused = true)]
async fn list_of_deliveries_refuses_what_it_cannot_have() {
    let (app, _) = shop();
    for n in 0..3 {
        app.publish(SENT, n).await.unwrap();
    }
    app.run_until_idle().await;
    let deliveries = app.client().deliveries();
    let cursor = deliveries.list(DeliveryFilter { limit: 1, ..all() }).await.unwrap().cursor;
    assert!(cursor.is_some());
    let now = Some(app.now());
    for (filter, kind, text) in [
        (DeliveryFilter { limit: 0, ..all() }, ErrorKind::Usage, "list a page of 0 deliveries (allowed: 1 to 1000)"),
        (DeliveryFilter { since: now, until: now, ..all() }, ErrorKind::Usage, "(since is the earlier one)"),
        (
            DeliveryFilter { function: Some("events-3".to_owned()), ..all() },
            ErrorKind::NotFound,
            "find a function of event handlers named \"events-3\" (did you mean \"events-1\"?)",
        ),
        (
            DeliveryFilter { event: Some("lost".to_owned()), ..all() },
            ErrorKind::NotFound,
            "find a handler of an event named \"lost\" (there are: order.paid, order.sent)",
        ),
        (
            DeliveryFilter { cursor: cursor.clone(), ..in_state(DeliveryState::Dropped) },
            ErrorKind::Refused,
            "another list",
        ),
    ] {
        let error = deliveries.list(filter).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}
