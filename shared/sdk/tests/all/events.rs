//! Events: each handler by its own policy, what is published twice, and what only looks alike.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use dacapo::{Definition, EventHandler, Id, Json, ListFilter, Trigger, prelude::*};
use dacapo_core::{commit::load, runner::Runner};
use dacapo_domain::{DeliveryPhase, DeliveryRecord, EventMessage, Machine, Message, RecordKey};
use dacapo_test_kit::TestApp;
use jiff::Timestamp;

const PAID: EventRef<String> = EventRef::new("order.paid");
const CREATED: EventRef<String> = EventRef::new("order.created");
const COUNT: TaskRef<u32> = TaskRef::new("count");

/// The handlers that were called, in order.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn note(&self, call: String) -> usize {
        let mut calls = self.0.lock().unwrap();
        calls.push(call);
        calls.len()
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A handler that notes its name and attempt, and fails so often.
fn failing(event: EventRef<String>, name: &'static str, fails: u32, calls: &Calls) -> EventHandler {
    let calls = calls.clone();
    on(event, move |_: String, cx: EventContext| {
        calls.note(format!("{name} {}", cx.attempt()));
        async move { if cx.attempt() <= fails { Err(TaskError::retryable("not yet")) } else { Ok(()) } }
    })
}

async fn count(_: u32, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

async fn delivery(app: &TestApp, event: Id) -> Option<DeliveryRecord> {
    let key = RecordKey::new(DeliveryRecord::KIND, format!("{event}/events-1/{}", PAID.name()));
    load::<DeliveryRecord>(app.client().ports(), &key).await.unwrap().map(|stored| stored.record)
}

#[tokio::test(start_paused = true)]
async fn handler_that_succeeded_is_not_called_again_while_its_neighbour_is_retried() {
    let calls = Calls::default();
    let app = TestApp::new().with([failing(PAID, "a", 0, &calls), failing(PAID, "b", 2, &calls)]);
    let event = app.publish(PAID, "x".into()).await.unwrap().id;
    app.run_until_idle().await;
    assert_eq!(calls.taken(), ["a 1", "b 1", "b 2", "b 3"]);
    assert_eq!(delivery(&app, event).await.unwrap().phase, DeliveryPhase::Delivered);
}

#[tokio::test(start_paused = true)]
async fn handlers_that_fail_are_tried_each_at_its_own_interval_and_number() {
    let calls = Calls::default();
    let fast = failing(PAID, "fast", 9, &calls).retry(Retry::every(minutes(1)).at_most(3));
    let slow = failing(PAID, "slow", 9, &calls).retry(Retry::every(hours(1)).at_most(2));
    let app = TestApp::new().with([fast, slow]);
    let event = app.publish(PAID, "x".into()).await.unwrap().id;
    app.advance(minutes(59)).await;
    assert_eq!(calls.taken(), ["fast 1", "slow 1", "fast 2", "fast 3"]);
    assert_eq!(delivery(&app, event).await.unwrap().phase, DeliveryPhase::Retrying);
    app.run_until_idle().await;
    assert_eq!(calls.taken(), ["slow 2"]);
    assert_eq!(delivery(&app, event).await.unwrap().phase, DeliveryPhase::Dropped);
}

#[tokio::test(start_paused = true)]
async fn terminal_failure_of_one_handler_asks_for_no_next_try() {
    let app = TestApp::new().with([
        on(PAID, async |_: String, _: EventContext| Err(TaskError::terminal("a"))).retry(Retry::every(seconds(1))),
        on(PAID, async |_: String, _: EventContext| Err(TaskError::retryable("b"))).retry(Retry::every(hours(1))),
    ]);
    let event = app.publish(PAID, "x".into()).await.unwrap().id;
    app.advance(seconds(30)).await;
    assert_eq!(delivery(&app, event).await.unwrap().attempt, 2);
}

/// Paths of functions, which a deploy may bring into another order.
mod named {
    use super::*;

    pub async fn first(_: String, cx: EventContext) -> Result<(), TaskError> {
        cx.run(COUNT, 1).await?;
        Ok(())
    }

    pub async fn second(_: String, _: EventContext) -> Result<(), TaskError> {
        Err(TaskError::retryable("not yet"))
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_that_a_deploy_reorders_are_known_by_their_functions() {
    let app = TestApp::new().with([on(PAID, named::first), on(PAID, named::second)]).with(task(COUNT, count));
    let event = app.publish(PAID, "x".into()).await.unwrap().id;
    app.advance(minutes(1)).await;
    let reordered = [on(PAID, named::second), on(PAID, named::first)];
    let app = app.redeployed([Definition::of(reordered), Definition::of(task(COUNT, count))]);
    app.advance(minutes(10)).await;
    assert_eq!(app.runs_of(COUNT).len(), 1);
    let attempts: Vec<u32> = delivery(&app, event).await.unwrap().handlers.iter().map(|one| one.attempts).collect();
    assert_eq!(attempts, [1, 2]);
}

#[test]
fn closures_in_one_place_are_told_apart_by_their_order() {
    let calls = Calls::default();
    let handlers = [failing(PAID, "a", 0, &calls), failing(CREATED, "b", 0, &calls), failing(PAID, "c", 0, &calls)];
    let entry = Definition::of(handlers).describe("events").unwrap();
    let names: Vec<&str> = entry.subscriptions().iter().map(|one| &*one.handler).collect();
    assert!(names[0] == names[1] && names[2] == format!("{}#2", names[0]), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn event_published_again_while_its_delivery_is_on_record_is_dropped() {
    let calls = Calls::default();
    let app = TestApp::new().with(failing(PAID, "a", 1, &calls));
    let mut seen = vec![];
    for time in [seconds(1), minutes(5), minutes(30)] {
        app.publish(PAID, "x".into()).id("x").await.unwrap();
        app.advance(time).await;
        seen.push(calls.taken().len());
    }
    assert_eq!(seen, [1, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn named_event_is_handled_once_in_14_days_by_each_function() {
    let calls = Calls::default();
    let a = || Definition::of(failing(PAID, "a", 0, &calls));
    let app = TestApp::new().redeployed([a()]);
    for later in [minutes(0), hours(1)] {
        app.publish(PAID, "x".into()).id("x").after(seconds(1) + later).await.unwrap();
        app.advance(days(1)).await;
    }
    assert_eq!(calls.taken(), ["a 1"]);

    let app = app.redeployed([a(), Definition::of(failing(PAID, "b", 0, &calls))]);
    app.publish(PAID, "x".into()).id("x").await.unwrap();
    app.publish(CREATED, "x".into()).id("x").await.unwrap();
    app.advance(days(1)).await;
    assert_eq!(calls.taken(), ["b 1"]);

    app.advance(days(13)).await;
    app.publish(PAID, "x".into()).id("x").await.unwrap();
    app.advance(minutes(1)).await;
    assert_eq!(calls.taken(), ["a 1"], "a's was 15 days ago, b's less than 14");
}

#[tokio::test(start_paused = true)]
async fn success_of_an_event_without_a_chosen_id_writes_nothing() {
    let calls = Calls::default();
    let app = TestApp::new().with(failing(PAID, "a", 0, &calls));
    let (plain, named) = (app.publish(PAID, "x".into()), app.publish(PAID, "x".into()).id("x"));
    let (plain, named) = (plain.await.unwrap().id, named.await.unwrap().id);
    app.advance(minutes(1)).await;
    assert_eq!(calls.taken().len(), 2);
    assert_eq!(delivery(&app, plain).await, None);
    assert_eq!(delivery(&app, named).await.unwrap().phase, DeliveryPhase::Delivered);
}

#[tokio::test(start_paused = true)]
async fn named_event_whose_process_is_lost_or_doubled_is_handled() {
    for seed in 0..20 {
        let calls = Calls::default();
        let app = TestApp::with_faults(seed).with(failing(PAID, "a", 1, &calls));
        let event = app.publish(PAID, "x".into()).id("x").await.unwrap().id;
        app.advance(days(20)).await;
        let calls = calls.taken();
        assert!(calls.iter().any(|call| call != "a 1"), "seed {seed}: {calls:?}");
        assert_eq!(delivery(&app, event).await, None, "seed {seed}: its 14 days are over");
    }
}

#[tokio::test(start_paused = true)]
async fn second_delivery_of_an_event_starts_no_second_run() {
    let app = TestApp::new().with(on(PAID, named::first)).with(task(COUNT, count));
    for _ in 0..2 {
        app.publish(PAID, "x".into()).id("x").await.unwrap();
        app.advance(seconds(1)).await;
    }
    assert_eq!(app.runs_of(COUNT).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn run_that_an_event_starts_has_an_id_of_its_time_and_is_listed_as_the_newest() {
    for delay in [None, Some(days(1))] {
        for id in [None, Some("x")] {
            let app = TestApp::new().with(on(PAID, named::first)).with(task(COUNT, count));
            app.run(COUNT, 7).await.unwrap();
            app.advance(seconds(1)).await;
            let publish = app.publish(PAID, "x".into());
            let publish = if let Some(delay) = delay { publish.after(delay) } else { publish };
            if let Some(id) = id { publish.id(id) } else { publish }.await.unwrap();
            app.advance(delay.unwrap_or_default()).await;

            let newest = ListFilter { limit: 1, ..ListFilter::default() };
            let run = app.list(newest).await.unwrap().runs.remove(0);
            assert_eq!((run.trigger, run.id.time()), (Trigger::Event, run.created_at), "after {delay:?}, {id:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn event_that_each_try_of_a_handler_publishes_starts_one_run() {
    for delay in [seconds(1), hours(1)] {
        let publishes = on(CREATED, move |_: String, cx: EventContext| async move {
            cx.publish(PAID, "x".into()).after(delay).await?;
            if cx.attempt() < 3 { Err(TaskError::retryable("not yet")) } else { Ok(()) }
        });
        let app = TestApp::new().with(publishes).with(on(PAID, named::first)).with(task(COUNT, count));
        app.publish(CREATED, "x".into()).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(app.runs_of(COUNT).len(), 1, "after {delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_events_with_one_id_are_both_delivered() {
    for (delay, fails) in [(seconds(1), 0), (seconds(1), 1), (hours(1), 0), (hours(1), 1)] {
        let calls = Calls::default();
        let app =
            TestApp::new().with([failing(CREATED, "created", fails, &calls), failing(PAID, "paid", fails, &calls)]);
        for event in [CREATED, PAID] {
            app.publish(event, "x".into()).id("order-42").after(delay).await.unwrap();
        }
        app.run_until_idle().await;
        let last = fails + 1;
        let called = calls.taken();
        let done = [format!("created {last}"), format!("paid {last}")];
        assert!(done.iter().all(|call| called.contains(call)), "{delay:?}, {fails}: {called:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn event_due_tomorrow_reaches_a_handler_that_is_deployed_meanwhile() {
    let calls = Calls::default();
    let app = TestApp::new();
    app.publish(PAID, "x".into()).after(days(1)).await.unwrap();
    let app = app.with(failing(PAID, "a", 0, &calls));
    app.advance(days(2)).await;
    assert_eq!(calls.taken(), ["a 1"]);
}

#[tokio::test(start_paused = true)]
async fn publish_to_a_subscriber_that_was_just_removed_reaches_the_others() {
    let calls = Calls::default();
    let function = |name| Definition::of(failing(PAID, name, 0, &calls));
    let app = TestApp::new().redeployed([function("a"), function("b")]);
    let client = app.client().clone();
    client.publish(PAID, "x".into()).await.unwrap();
    let app = app.redeployed([function("a")]);
    let published = client.publish(PAID, "x".into()).await.unwrap();
    assert_eq!(published.subscribers, 1);
    app.advance(seconds(1)).await;
    // What waited for b went with its queue.
    assert_eq!(calls.taken(), ["a 1", "a 1"]);
}

/// An event's message as its function gets it, received for the n-th time.
async fn received(app: &TestApp, function: Definition, event: EventMessage, receives: u32) {
    let runner = Runner::new(function.handlers, app.client().ports().clone(), "events-1");
    let deadline = app.now() + minutes(1);
    runner.deliver(&Message::Event(event).to_text(), receives, deadline).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn event_that_was_received_in_vain_is_handled_before_it_is_given_up() {
    let calls = Calls::default();
    let function = || Definition::of(failing(PAID, "a", 0, &calls).retry(Retry::never()));
    let app = TestApp::new().redeployed([function()]);
    // Lambda was throttled, or a neighbour died: the queue handed it out once before, and nothing was called.
    received(&app, function(), paid(&app), 2).await;
    app.advance(hours(1)).await;
    assert_eq!(calls.taken(), ["a 1"]);
}

/// An event as it was published just now.
fn paid(app: &TestApp) -> EventMessage {
    let (id, body) = (app.client().ports().clock.new_id(), Json::of(&"x").unwrap());
    EventMessage { function: "events-1".to_owned(), ..EventMessage::at(id, PAID.name(), body, app.now()) }
}

#[tokio::test(start_paused = true)]
async fn event_that_comes_before_its_time_waits_however_far_that_is() {
    let calls = Calls::default();
    let function = || Definition::of(failing(PAID, "a", 0, &calls));
    let app = TestApp::new().redeployed([function()]);
    received(&app, function(), EventMessage { due_at: app.now() + hours(2), ..paid(&app) }, 1).await;
    received(&app, function(), EventMessage { due_at: Timestamp::MAX, ..paid(&app) }, 1).await;
    app.advance(minutes(119)).await;
    assert!(calls.taken().is_empty());
    app.advance(minutes(1)).await;
    assert_eq!(calls.taken(), ["a 1"]);
}

#[tokio::test(start_paused = true)]
async fn policy_with_the_longest_age_or_number_is_followed_without_a_panic() {
    let calls = Calls::default();
    let longest = Retry::every(days(365)).age(Duration::MAX);
    let app = TestApp::new().with([
        failing(PAID, "a", 1, &calls).retry(longest),
        failing(PAID, "b", 1, &calls).retry(Retry::attempts(u32::MAX).min(days(1)).max(days(1)).jitter(false)),
    ]);
    app.publish(PAID, "x".into()).await.unwrap();
    app.advance(days(366)).await;
    assert_eq!(calls.taken(), ["a 1", "b 1", "b 2", "a 2"]);
    let refused = Definition::of(failing(PAID, "a", 1, &calls).retry(Retry::every(Duration::MAX))).describe("a-crate");
    assert!(refused.unwrap_err()[0].contains("a year"));
}

#[tokio::test(start_paused = true)]
async fn events_that_publish_each_other_end_with_an_error_that_says_so() {
    let calls = Calls::default();
    let counted = calls.clone();
    let app = TestApp::new().with(
        on(PAID, move |n: String, cx: EventContext| {
            let call = counted.note(n.clone());
            async move {
                cx.publish(PAID, call.to_string()).await?;
                Ok::<(), TaskError>(())
            }
        })
        .retry(Retry::never()),
    );
    app.publish(PAID, "x".into()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(calls.taken().len(), 101);
}

#[tokio::test(start_paused = true)]
async fn named_event_that_was_deferred_reaches_a_function_that_came_since() {
    let calls = Calls::default();
    let function = |name| Definition::of(failing(PAID, name, 0, &calls));
    let app = TestApp::new().redeployed([function("a")]);
    let publish = async |app: &TestApp| {
        app.publish(PAID, "x".into()).id("x").after(hours(1)).await.unwrap();
        app.publish(PAID, "x".into()).id("x").after(hours(2)).await.unwrap();
        app.advance(hours(3)).await;
    };
    publish(&app).await;
    assert_eq!(calls.taken(), ["a 1"]);
    let app = app.redeployed([function("a"), function("b")]);
    publish(&app).await;
    assert_eq!(calls.taken(), ["b 1"]);
}

#[tokio::test]
async fn event_id_out_of_range_is_refused_with_the_range_as_a_key_is() {
    let app = TestApp::new();
    for (id, chars) in [(String::new(), 0), ("é".repeat(257), 257)] {
        let refused = app.publish(PAID, "x".into()).id(id).await.unwrap_err();
        assert!(
            refused.to_string().contains(&format!("use an event id of {chars} characters (allowed: 1 to 256)")),
            "{refused}"
        );
    }
    app.publish(PAID, "x".into()).id("é".repeat(256)).await.unwrap();
}

#[tokio::test]
async fn events_whose_names_and_ids_join_to_one_text_are_two_events() {
    const LONG: [EventRef<String>; 3] = [EventRef::new("a/b"), EventRef::new("a.b"), EventRef::new("a b")];
    const SHORT: EventRef<String> = EventRef::new("a");
    for (long, separator) in LONG.into_iter().zip(["/", ".", " "]) {
        let calls = Calls::default();
        let app = TestApp::new().with([failing(long, "long", 1, &calls), failing(SHORT, "short", 1, &calls)]);
        app.publish(long, String::new()).id("c").await.unwrap();
        app.publish(SHORT, String::new()).id(format!("b{separator}c")).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(calls.taken(), ["long 1", "short 1", "long 2", "short 2"], "{separator:?}");
    }
}
