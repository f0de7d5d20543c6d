//! Actions on all runs that a filter names: aborted, replayed, counted, by a run of a task that every app has.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use dacapo::{
    BulkTally, DeliveryFilter, DeliveryState, ErrorKind, Id, ListFilter, RunView, State, Trigger, prelude::*,
};
use dacapo_test_kit::{Faults, TestApp};

const WORK: TaskRef<u32> = TaskRef::new("work");
const OTHER: TaskRef<u32> = TaskRef::new("other");
const PAID: EventRef<u32> = EventRef::new("order.paid");
const BULK: &str = "dacapo.bulk";

/// Fails what is odd.
async fn odd_fails(n: u32, _: TaskContext) -> Result<(), TaskError> {
    if n.is_multiple_of(2) { Ok(()) } else { Err(TaskError::terminal("odd")) }
}

fn app() -> TestApp {
    TestApp::new().with(task(WORK, odd_fails)).with(task(OTHER, odd_fails))
}

fn of(task: &str) -> ListFilter {
    ListFilter { task: Some(task.to_owned()), limit: 1_000, ..ListFilter::default() }
}

async fn list(app: &TestApp, filter: ListFilter) -> Vec<RunView> {
    app.list(filter).await.unwrap().runs
}

async fn tally(app: &TestApp, id: Id) -> BulkTally {
    let run = app.state(id).await.unwrap();
    assert_eq!(run.state, State::Completed, "{:?}", run.error_message);
    run.result.unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn all_runs_of_a_filter_that_have_not_ended_are_aborted_and_no_others() {
    let app = app();
    for n in 0..130 {
        app.run(WORK, n).after(hours(1)).await.unwrap();
    }
    app.run(WORK, 0).await.unwrap();
    app.run(OTHER, 0).after(hours(1)).await.unwrap();
    app.advance(minutes(1)).await;
    let abort = || app.client().bulk(of("work")).abort("not needed");
    assert_eq!(abort().count().await.unwrap(), 130);
    assert!(list(&app, of(BULK)).await.is_empty(), "it was counted alone");
    let started = abort().await.unwrap();
    app.advance(minutes(5)).await;
    assert_eq!(tally(&app, started.id()).await, BulkTally { done: 130, ..BulkTally::default() });
    let aborted = list(&app, ListFilter { state: Some(State::Aborted), ..of("work") }).await;
    assert_eq!(aborted.len(), 130);
    assert!(aborted.iter().all(|run| run.message.as_deref() == Some("not needed")));
    assert_eq!(list(&app, of("other")).await[0].state, State::Scheduled);
}

#[tokio::test(start_paused = true)]
async fn runs_of_a_filter_are_replayed_each_once_and_what_that_makes_is_none_of_them() {
    let app = app();
    for n in 0..60 {
        app.run(WORK, n).tags(["import"]).await.unwrap();
    }
    app.run_until_idle().await;
    let before = list(&app, of("work")).await;
    let failed = ListFilter { state: Some(State::Failed), tag: Some("import".to_owned()), ..of("work") };
    let started = app.client().bulk(failed).replay().per_second(7).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(tally(&app, started.id()).await.done, 30);
    let after = list(&app, of("work")).await;
    assert_eq!(after.len(), 90);
    let mut parents: Vec<Id> =
        after.iter().filter(|run| run.trigger == Trigger::Replay).map(|run| run.parent_id.unwrap()).collect();
    parents.sort_unstable();
    let mut failed: Vec<Id> = before.iter().filter(|run| run.state == State::Failed).map(|run| run.id).collect();
    failed.sort_unstable();
    assert_eq!(parents, failed);

    app.advance(seconds(1)).await;
    let started = app.client().bulk(of("work")).replay().await.unwrap();
    app.run_until_idle().await;
    assert_eq!(tally(&app, started.id()).await.done, 90, "those that are there by then");
}

#[tokio::test(start_paused = true)]
async fn bulk_run_keeps_its_rate_tells_its_progress_and_is_aborted_as_any_other() {
    let app = app();
    for n in 0..400 {
        app.run(WORK, n).after(days(1)).await.unwrap();
    }
    app.advance(minutes(1)).await;
    let begun = tokio::time::Instant::now();
    let started = app.client().bulk(of("work")).abort("all").per_second(20).await.unwrap();
    app.advance(minutes(5)).await;
    let took = begun.elapsed();
    assert!(took >= seconds(19), "400 at 20 a second took {took:?}");
    let run = app.state(started.id()).await.unwrap();
    assert_eq!(run.message.as_deref(), Some("400 aborted"), "{run:?}");

    for n in 0..400 {
        app.run(OTHER, n).after(days(1)).await.unwrap();
    }
    app.advance(minutes(1)).await;
    let started = app.client().bulk(of("other")).abort("all").per_second(1).await.unwrap();
    let (client, id) = (app.client().clone(), started.id());
    let abort = tokio::spawn(async move {
        tokio::time::sleep(seconds(5)).await;
        let run = client.state(id).await.unwrap();
        assert!(run.progress_percent.is_some_and(|fraction| fraction > 0.0 && fraction < 0.1), "{run:?}");
        client.abort(id, "enough").await.unwrap();
    });
    app.advance(minutes(10)).await;
    abort.await.unwrap();
    assert_eq!(app.state(id).await.unwrap().state, State::Aborted);
    let left = list(&app, ListFilter { unfinished: true, ..of("other") }).await.len();
    assert!((380..400).contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_refused_and_says_why() {
    let app = app();
    for n in 0..3 {
        app.run(WORK, n).await.unwrap();
        app.run(OTHER, n).await.unwrap();
    }
    app.run_until_idle().await;
    let app = app.redeployed([dacapo::Definition::of(task(OTHER, odd_fails))]);
    let started = app.client().bulk(ListFilter::default()).replay().await.unwrap();
    app.run_until_idle().await;
    let tally = tally(&app, started.id()).await;
    assert_eq!((tally.done, tally.refused, tally.why.len()), (3, 3, 3));
    assert!(tally.why[0].ends_with("task \"work\" is deployed no more"), "{:?}", tally.why);
}

#[tokio::test(start_paused = true)]
async fn bulk_run_goes_on_where_it_stood_through_crashes_and_does_each_once() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let count = |_: u32, _: TaskContext| async {
        CALLS.fetch_add(1, Ordering::Relaxed);
        Ok::<(), TaskError>(())
    };
    for seed in 0..5 {
        // A page takes many calls: one in a hundred or so dies.
        let faults = Faults { crash: 0.005, ..Faults::default() };
        let app = TestApp::with_these_faults(seed, faults).with(task(WORK, count));
        for n in 0..100 {
            app.run(WORK, n).after(days(2)).await.unwrap();
        }
        app.advance(minutes(1)).await;
        let started = app.client().bulk(of("work")).replay().per_second(10).await.unwrap();
        app.advance(hours(20)).await;
        let run = app.state(started.id()).await.unwrap();
        assert_eq!(run.state, State::Completed, "seed {seed}: {:?}", run.error_message);
        let replays = list(&app, of("work")).await.into_iter().filter(|run| run.trigger == Trigger::Replay).count();
        assert_eq!(replays, 100, "seed {seed}");
        assert_eq!(run.result.unwrap().parse::<BulkTally>().unwrap().done, 100, "seed {seed}: each counts");
    }
}

/// A page takes some hundred calls, and of its processes a good many die in its midst.
fn dying() -> Faults {
    Faults { crash: 0.005, ..Faults::default() }
}

#[tokio::test(start_paused = true)]
async fn runs_that_are_aborted_through_crashes_count_once_each() {
    for seed in 0..8 {
        let app = TestApp::with_these_faults(seed, dying()).with(task(WORK, odd_fails));
        for n in 0..60 {
            app.run(WORK, n).after(days(2)).await.unwrap();
        }
        app.advance(minutes(1)).await;
        let started = app.client().bulk(of("work")).abort("all").per_second(100).await.unwrap();
        app.advance(hours(20)).await;
        let expected = BulkTally { done: 60, ..BulkTally::default() };
        assert_eq!(tally(&app, started.id()).await, expected, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn dead_letters_that_are_redriven_through_crashes_count_once_each() {
    for seed in 0..8 {
        let never = async |_: u32, _: EventContext| Err::<(), _>(TaskError::terminal("never"));
        let app = TestApp::with_these_faults(seed, dying()).with([on(PAID, never).retry(Retry::never())]);
        for n in 0..60 {
            app.publish(PAID, n).await.unwrap();
        }
        app.advance(hours(2)).await;
        let dead = DeliveryFilter { state: Some(DeliveryState::Dropped), limit: 100, ..DeliveryFilter::default() };
        assert_eq!(app.client().deliveries().list(dead.clone()).await.unwrap().deliveries.len(), 60, "seed {seed}");
        let redrive = app.client().deliveries().redrive_all(DeliveryFilter::default());
        let started = redrive.per_second(100).await.unwrap();
        app.advance(hours(20)).await;
        let expected = BulkTally { done: 60, ..BulkTally::default() };
        assert_eq!(tally(&app, started.id()).await, expected, "seed {seed}");
        let redriven = app.client().deliveries().list(dead).await.unwrap().deliveries;
        assert!(redriven.iter().all(|delivery| delivery.redriven_count == 1), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn bulk_run_of_thousands_does_no_more_than_its_rate_in_any_second() {
    const RATE: u32 = 100;
    let app = app();
    for _ in 0..3 {
        let runs = (0..1_000).map(|n| app.run(WORK, n).after(days(1)));
        assert!(app.client().batch_of(runs.collect::<Vec<_>>()).await.unwrap().iter().all(Result::is_ok));
    }
    app.advance(minutes(1)).await;
    let started = app.client().bulk(of("work")).abort("all").per_second(RATE).await.unwrap();
    let client = app.client().clone();
    let watch = tokio::spawn(async move {
        // Twice a second, and between two pages.
        let mut left = vec![3_000];
        tokio::time::sleep(Duration::from_millis(250)).await;
        for _ in 0..100 {
            left.push(client.bulk(of("work")).abort("all").count().await.unwrap());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        left
    });
    app.advance(minutes(30)).await;
    let left = watch.await.unwrap();
    let most = left.windows(3).map(|second| second[0] - second[2]).max();
    assert_eq!(most, Some(u64::from(RATE)), "over more than one iteration: {left:?}");
    assert_eq!(tally(&app, started.id()).await, BulkTally { done: 3_000, ..BulkTally::default() });
}

#[tokio::test(start_paused = true)]
async fn bulk_run_of_a_known_key_is_the_first_one() {
    let app = app();
    app.run(WORK, 1).await.unwrap();
    app.run_until_idle().await;
    let replay = || app.client().bulk(of("work")).replay();
    let first = replay().key("monday").await.unwrap();
    let second = replay().key("monday").await.unwrap();
    assert_eq!((second.id(), second.is_deduplicated()), (first.id(), true));
    assert_ne!(replay().key("tuesday").await.unwrap().id(), first.id());
    assert_eq!(replay().key("").await.unwrap_err().kind(), ErrorKind::Usage);
}

#[tokio::test(start_paused = true)]
async fn bulk_run_refuses_what_it_cannot_be_and_its_task_is_not_started_by_name() {
    let app = app();
    for per_second in [0, 1_001] {
        let error = app.client().bulk(of("work")).replay().per_second(per_second).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().ends_with("(allowed: 1 to 1000)"), "{error}");
    }
    let error = app.client().bulk(of("wrok")).abort("typed wrong").await.unwrap_err();
    assert_eq!(error.to_string(), "failed to find a task named \"wrok\" (did you mean \"work\"?)");
    let event = dacapo::DeliveryFilter { event: Some("order".to_owned()), ..dacapo::DeliveryFilter::default() };
    let error = app.client().deliveries().redrive_all(event).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let wrong = ListFilter { unfinished: true, state: Some(State::Failed), ..of("work") };
    assert_eq!(app.client().bulk(wrong).replay().count().await.unwrap_err().kind(), ErrorKind::Usage);
    let error = app.run_by_name(BULK, dacapo::Json::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}
