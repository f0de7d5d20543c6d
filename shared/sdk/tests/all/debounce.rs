//! Debounced starts: of many calls that come close together, one run is made.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use dacapo::{Client, Error, ErrorKind, Id, StartRun, State, TaskContext, TaskRef, prelude::*};
use dacapo_test_kit::TestApp;

const INDEX: TaskRef<u32, u32> = TaskRef::new("index");
const SLOW: TaskRef<u32, u32> = TaskRef::new("slow");
const EDIT: TaskRef<u32> = TaskRef::new("edit");

fn app() -> TestApp {
    TestApp::new().with(task(INDEX, async |edit: u32, _: TaskContext| Ok(edit)))
}

/// The call of an edit: the run waits for 10 seconds without another.
fn edited(app: &TestApp, edit: u32) -> StartRun<u32> {
    app.run(INDEX, edit).debounce("a", seconds(10))
}

/// The results of all runs, the first one first.
fn indexed(app: &TestApp) -> Vec<String> {
    let mut runs = app.runs_of(INDEX);
    runs.sort_by_key(|run| run.id);
    runs.iter()
        .map(|run| run.result.as_ref().map_or_else(|| run.state.to_string(), |result| result.text().to_owned()))
        .collect()
}

#[tokio::test]
async fn calls_that_come_within_the_delay_are_one_run_with_the_last_body() {
    let app = app();
    let mut ids = vec![];
    for edit in 1..=5 {
        let started = edited(&app, edit).await.unwrap();
        assert_eq!(started.is_deduplicated(), edit > 1);
        ids.push(started.id());
        app.advance(seconds(9)).await;
    }
    assert_eq!(ids, [ids[0]; 5], "each call says which run it is");
    assert_eq!(app.run_of(INDEX).state, State::Scheduled);
    app.advance(seconds(1)).await;
    assert_eq!(indexed(&app), ["5"]);
    let run = app.run_of(INDEX);
    assert_eq!((run.attempt, run.started_at.unwrap() - run.created_at), (1, jiff::SignedDuration::from_secs(46)));
}

#[tokio::test]
async fn call_after_the_run_has_started_makes_another() {
    let app = app();
    let first = edited(&app, 1).await.unwrap();
    app.advance(seconds(10)).await;
    let second = edited(&app, 2).await.unwrap();
    assert_ne!(first.id(), second.id());
    assert_eq!(edited(&app, 3).await.unwrap().id(), second.id());
    app.run_until_idle().await;
    assert_eq!(indexed(&app), ["1", "3"]);
}

#[tokio::test]
async fn call_while_the_run_executes_makes_another() {
    let client: Arc<Mutex<Option<Client>>> = Arc::default();
    let later = client.clone();
    let slow = task(SLOW, move |n: u32, _: TaskContext| {
        let client = later.lock().unwrap().clone();
        async move {
            if n == 1 {
                client.unwrap().run(SLOW, 2).debounce("a", seconds(10)).await?;
            }
            Ok(n)
        }
    });
    let app = TestApp::new().with(slow);
    *client.lock().unwrap() = Some(app.client().clone());
    app.run(SLOW, 1).debounce("a", seconds(10)).await.unwrap();
    app.run_until_idle().await;
    let mut results: Vec<String> =
        app.runs_of(SLOW).iter().map(|run| run.result.as_ref().unwrap().text().to_owned()).collect();
    results.sort_unstable();
    assert_eq!(results, ["1", "2"]);
}

#[tokio::test]
async fn calls_without_end_are_a_run_each_time_that_the_longest_delay_is_over() {
    let app = app();
    for edit in 0..20 {
        edited(&app, edit).max_delay(seconds(30)).await.unwrap();
        app.advance(seconds(4)).await;
    }
    app.run_until_idle().await;
    assert_eq!(indexed(&app), ["7", "15", "19"], "at 30 s and at 62 s, and after the last call");
}

#[tokio::test]
async fn keys_and_tasks_have_their_calls_for_themselves() {
    let app = app().with(task(SLOW, async |n: u32, _: TaskContext| Ok(n)));
    let calls = [
        edited(&app, 1),
        app.run(INDEX, 2).debounce("b", seconds(10)),
        app.run(SLOW, 3).debounce("a", seconds(10)),
        app.run(INDEX, 4).key("a"),
        edited(&app, 5).leading(),
    ];
    let mut ids: Vec<Id> = vec![];
    for call in calls {
        ids.push(call.await.unwrap().id());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "an idempotency key and each edge of a debounce are keys of their own");
}

#[tokio::test]
async fn leading_call_starts_at_once_and_absorbs_those_that_come_within_the_delay_of_the_one_before() {
    let app = app();
    let mut ids = vec![];
    for edit in 1..=4 {
        ids.push(edited(&app, edit).leading().await.unwrap().id());
        app.advance(seconds(9)).await;
    }
    assert_eq!(indexed(&app), ["1"], "whatever the run has come to");
    app.advance(seconds(1)).await;
    ids.push(edited(&app, 5).leading().await.unwrap().id());
    app.run_until_idle().await;
    assert_eq!(indexed(&app), ["1", "5"]);
    assert!(ids[..4].iter().all(|id| *id == ids[0]) && ids[4] != ids[0], "{ids:?}");
}

#[tokio::test]
async fn leading_calls_without_end_start_a_run_each_time_that_the_longest_delay_is_over() {
    let app = app();
    for edit in 0..20 {
        edited(&app, edit).leading().max_delay(seconds(30)).await.unwrap();
        app.advance(seconds(4)).await;
    }
    assert_eq!(indexed(&app), ["0", "8", "16"]);
}

#[tokio::test]
async fn leading_call_is_absorbed_longer_than_the_record_of_its_run_is_kept() {
    let app = TestApp::new().with(task(INDEX, async |edit: u32, _: TaskContext| Ok(edit)).history(hours(1)));
    let call = |edit| app.run(INDEX, edit).debounce("a", hours(2)).leading();
    let first = call(1).await.unwrap().id();
    for edit in 2..6 {
        app.advance(minutes(110)).await;
        assert_eq!(call(edit).await.unwrap().id(), first, "call {edit}");
    }
    assert_eq!(app.client().state(first).await.unwrap_err().kind(), ErrorKind::NotFound, "its history is over");
    app.advance(hours(2)).await;
    assert_ne!(call(6).await.unwrap().id(), first);
}

#[tokio::test]
async fn batch_takes_the_calls_of_one_key_in_their_order() {
    let app = app();
    let calls = [edited(&app, 1), app.run(INDEX, 7), edited(&app, 2), edited(&app, 3).leading(), edited(&app, 4)];
    let started: Vec<_> = app.client().batch_of(calls).await.unwrap().into_iter().map(Result::unwrap).collect();
    let ids: Vec<Id> = started.iter().map(dacapo::Started::id).collect();
    assert_eq!((ids[0], ids[0]), (ids[2], ids[4]));
    assert!(ids[1] != ids[0] && ids[3] != ids[0]);
    app.run_until_idle().await;
    let mut results = indexed(&app);
    results.sort_unstable();
    assert_eq!(results, ["3", "4", "7"]);
}

#[tokio::test]
async fn handler_that_is_tried_again_makes_no_second_run_of_the_call_that_it_made_before() {
    let edit = async |edit: u32, cx: TaskContext| {
        cx.run(INDEX, edit).debounce("a", seconds(5)).await?;
        if cx.attempt() == 1 { Err(TaskError::retryable("not yet")) } else { Ok(()) }
    };
    let app = app().with(task(EDIT, edit).retry(Retry::attempts(3).min(minutes(1)).max(minutes(1))));
    app.run(EDIT, 1).await.unwrap();
    app.run_until_idle().await;
    assert_eq!((indexed(&app), app.run_of(EDIT).attempt), (vec!["1".to_owned()], 2));
}

#[tokio::test]
async fn call_of_a_paused_run_replaces_its_body() {
    let app = app();
    let run = edited(&app, 1).await.unwrap().id();
    app.client().pause(run).await.unwrap();
    app.advance(minutes(5)).await;
    assert_eq!(edited(&app, 2).await.unwrap().id(), run);
    app.client().resume(run).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(indexed(&app), ["2"]);
}

#[tokio::test]
async fn call_of_a_run_that_was_aborted_makes_another() {
    let app = app();
    let first = edited(&app, 1).await.unwrap().id();
    app.client().abort(first, "enough").await.unwrap();
    edited(&app, 2).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(indexed(&app), ["aborted", "2"]);
}

#[tokio::test]
async fn call_of_a_run_that_waits_for_a_place_replaces_its_body_and_leaves_no_place_taken() {
    let limited = task(INDEX, async |edit: u32, _: TaskContext| Ok(edit)).rate_limit(1, per(minutes(5)));
    let app = TestApp::new().with(limited);
    app.run(INDEX, 9).await.unwrap();
    let run = edited(&app, 1).await.unwrap().id();
    app.advance(seconds(20)).await;
    assert_eq!(app.client().state(run).await.unwrap().state, State::Submitted);
    assert_eq!(edited(&app, 2).await.unwrap().id(), run);
    app.run_until_idle().await;
    let mut results = indexed(&app);
    results.sort_unstable();
    assert_eq!(results, ["2", "9"]);
}

#[tokio::test]
async fn run_that_is_put_off_a_hundred_times_runs_once_with_the_last_body() {
    let app = app();
    for edit in 0..100 {
        edited(&app, edit).await.unwrap();
        app.advance(Duration::from_millis(900)).await;
    }
    app.run_until_idle().await;
    assert_eq!((indexed(&app), app.run_of(INDEX).attempt), (vec!["99".to_owned()], 1));
}

/// The refusal of a start that is debounced in an odd way.
async fn refused(start: StartRun<u32>) -> String {
    let error: Error = start.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    error.to_string()
}

#[tokio::test]
async fn debounce_that_is_wrong_is_refused_with_what_is_allowed_and_starts_nothing() {
    let app = app();
    let run = || app.run(INDEX, 1);
    for (start, text) in [
        (run().debounce("a", seconds(0)), "debounce a run with a delay of 0ns (allowed: 1 ms to 355 days)"),
        (run().debounce("a", days(356)), "debounce a run with a delay of 30758400s (allowed: 1 ms to 355 days)"),
        (
            run().debounce("a", seconds(10)).max_delay(seconds(5)),
            "debounce a run with a `max_delay` of 5s (allowed: its delay, 10s, or longer, to 355 days)",
        ),
        (
            run().debounce("k".repeat(300), seconds(10)),
            "use the key of a debounce of 300 characters (allowed: 1 to 256)",
        ),
        (run().debounce("", seconds(10)), "use the key of a debounce of 0 characters (allowed: 1 to 256)"),
        (
            run().debounce("a", seconds(10)).key("k"),
            "debounce a run that has `key`: the debounce has its own (leave one of them out)",
        ),
        (
            run().after(seconds(5)).debounce("a", seconds(10)),
            "debounce a run that has `at`: the debounce has its own (leave one of them out)",
        ),
        (run().max_delay(seconds(5)), "start a run with `max_delay`: it has no `debounce`"),
        (run().leading(), "start a run with `leading`: it has no `debounce`"),
    ] {
        assert_eq!(refused(start).await, format!("failed to {text}"));
    }
    assert_eq!(app.runs_of(INDEX).len(), 0);
}
