//! Limits of the time that a run takes, waits and is tried: what stops it, and what is refused.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use dacapo::{Definition, ErrorKind, State, prelude::*};
use dacapo_core::{
    commit::load,
    queues::Gate,
    runner::{Runner, Taken, end, take},
};
use dacapo_domain::{Effect, Policy, RunMessage, RunRecord};
use dacapo_test_kit::TestApp;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");

async fn content(n: u32, _: TaskContext) -> Result<u32, TaskError> {
    Ok(n)
}

/// A task that always fails, and the number of its calls.
fn failing() -> (Task<u32, u32>, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let handler = move |_: u32, _: TaskContext| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Err::<u32, _>(TaskError::retryable("no")) }
    };
    (task(COUNT, handler), calls)
}

#[tokio::test(start_paused = true)]
async fn handler_that_takes_longer_than_max_duration_is_stopped_and_not_tried_again() {
    let told = Arc::new(Mutex::new(vec![]));
    let codes = told.clone();
    let sleeps = async |n: u32, cx: TaskContext| {
        assert!(cx.remaining() <= seconds(2));
        cx.set_timeout(minutes(1)).await?;
        assert!(cx.remaining() <= seconds(2));
        tokio::time::sleep(seconds(20)).await;
        Ok(n)
    };
    let function = task(COUNT, sleeps).max_duration(seconds(2)).handle_error(move |error, _| {
        codes.lock().unwrap().push(error.to_string());
        async { Ok(OnError::Default) }
    });
    let app = TestApp::new().with(function);
    app.run(COUNT, 0).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(COUNT);
    assert_eq!((run.state, run.error_code.as_deref(), run.attempt), (State::Failed, Some("MAX_DURATION"), 1));
    let told = told.lock().unwrap().clone();
    assert!(told.len() == 1 && told[0].ends_with("s in all (`max_duration`: 2 s)"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn time_of_earlier_iterations_counts_towards_max_duration() {
    let work = async |n: u32, _: TaskContext| {
        tokio::time::sleep(seconds(4)).await;
        Ok(if n < 5 { Continue(n + 1) } else { Done(n) })
    };
    let app = TestApp::new().with(task(COUNT, work).max_duration(seconds(10)));
    app.run(COUNT, 0).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(COUNT);
    assert_eq!((run.state, run.error_code.as_deref(), run.iteration), (State::Failed, Some("MAX_DURATION"), 3));
}

#[tokio::test]
async fn retry_ends_at_the_age_of_its_policy() {
    let (function, calls) = failing();
    let app = TestApp::new().with(function.retry(Retry::every(hours(1)).age(hours(5))));
    app.run(COUNT, 0).await.unwrap();
    app.advance(hours(30)).await;
    assert_eq!((app.run_of(COUNT).state, calls.load(Ordering::Relaxed)), (State::Failed, 6));
}

#[tokio::test]
async fn retry_by_a_plain_interval_ends_after_fourteen_days() {
    let (function, calls) = failing();
    let app = TestApp::new().with(function.retry(Retry::every(hours(6))).history(days(100)));
    app.run(COUNT, 0).await.unwrap();
    app.advance(days(20)).await;
    assert_eq!((app.run_of(COUNT).state, calls.load(Ordering::Relaxed)), (State::Failed, 14 * 4 + 1));
}

#[tokio::test]
async fn ttl_of_a_task_holds_for_a_run_that_is_started_by_its_reference() {
    let app = TestApp::new().with(task(COUNT, content).ttl(seconds(30)));
    let started = app.run(COUNT, 0).after(hours(1)).await.unwrap();
    // Its timer is lost: the conductor finds it a minute late.
    let timer = format!("run-{}", started.id());
    app.client().ports().outbox.post(&Effect::CancelTimer { timer }).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(COUNT).state, State::Expired);
    assert!(format!("{:?}", app.wait(COUNT, &started).await.unwrap_err()).contains("EXPIRED"));
}

#[tokio::test]
async fn ttl_of_a_task_counts_from_when_a_run_was_due_by_every_way_of_starting_it() {
    const PARENT: TaskRef<u32> = TaskRef::new("parent");
    const ASKED: EventRef<u32> = EventRef::new("asked");
    let app = TestApp::new()
        .with(task(COUNT, content).ttl(seconds(30)))
        .with(task(PARENT, async |_: u32, cx: TaskContext| {
            cx.run(COUNT, 1).after(hours(1)).await?;
            Ok(())
        }))
        .with(on(ASKED, async |_: u32, cx: EventContext| {
            cx.run(COUNT, 2).after(hours(1)).await?;
            Ok(())
        }));
    let body = dacapo::Json::of(&3).unwrap();
    let id = app.run(COUNT, 4).after(hours(1)).key("k").await.unwrap().id();
    app.run_by_name("count", body).after(hours(1)).await.unwrap();
    app.client().replay_of(id, None).await.unwrap().after(hours(1)).await.unwrap();
    app.run(PARENT, 0).await.unwrap();
    app.publish(ASKED, 0).await.unwrap();
    app.advance(minutes(1)).await;
    for run in app.runs_of(COUNT) {
        // Its timer is lost: the conductor finds it a minute late.
        let timer = format!("run-{}", run.id);
        app.client().ports().outbox.post(&Effect::CancelTimer { timer }).await.unwrap();
    }
    app.run_until_idle().await;
    let states: Vec<State> = app.runs_of(COUNT).iter().map(|run| run.state).collect();
    assert_eq!(states, [State::Expired; 5]);
}

#[tokio::test]
async fn run_continues_as_often_as_it_likes_where_its_task_says_so() {
    let work = async |n: u32, _: TaskContext| Ok(if n < 600 { Continue(n + 1) } else { Done(n) });
    for (function, state) in [
        (task(COUNT, work), State::Failed),
        (task(COUNT, work).max_iterations(601), State::Completed),
        (task(COUNT, work).unlimited_iterations(), State::Completed),
    ] {
        let app = TestApp::new().with(function);
        app.run(COUNT, 0).await.unwrap();
        app.run_until_idle().await;
        let run = app.run_of(COUNT);
        assert_eq!(run.state, state, "{run:?}");
        assert_eq!(run.error_code.as_deref(), (state == State::Failed).then_some("MAX_ITERATIONS"));
    }
}

#[tokio::test]
async fn span_of_a_start_that_is_too_short_or_too_long_is_refused() {
    let app = TestApp::new().with(task(COUNT, content));
    for span in [Duration::ZERO, Duration::from_millis(999), days(3_651), Duration::MAX] {
        let runs = [app.run(COUNT, 0).ttl(span), app.run(COUNT, 0).key("k").key_for(span)];
        for (run, option) in runs.into_iter().zip(["ttl", "key_for"]) {
            let error = run.await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            let text = format!("failed to start a run with a {option} of {span:?} (allowed: 1 s to 3,650 days)");
            assert_eq!(error.to_string(), text);
        }
    }
    assert!(app.runs_of(COUNT).is_empty());
}

#[tokio::test]
async fn key_of_no_or_too_many_characters_is_refused_and_starts_nothing() {
    let app = TestApp::new().with(task(COUNT, content));
    for chars in [0, 257, 300] {
        let error = app.run(COUNT, 0).key("k".repeat(chars)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert_eq!(error.to_string(), format!("failed to use a key of {chars} characters (allowed: 1 to 256)"));
    }
    assert!(app.runs_of(COUNT).is_empty());
    app.run(COUNT, 0).key("\u{1F600}".repeat(256)).await.unwrap();
}

#[tokio::test]
async fn run_with_the_longest_ttl_and_key_runs_and_is_moved() {
    let app = TestApp::new().with(task(COUNT, content).history(days(3_650)));
    let longest = app.run(COUNT, 0).after(hours(1)).ttl(days(3_650)).key("k").key_for(days(3_650));
    let id = longest.await.unwrap().id();
    app.reschedule(id, "3 hours").await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(COUNT).state, State::Completed);
}

/// A run of [`COUNT`], whose attempt was taken by what the manifest says of the task's timeout.
async fn taken(app: &TestApp, timeout: Duration) -> Taken {
    let id = app.run(COUNT, 0).await.unwrap().id();
    let ports = app.client().ports();
    let run = load::<RunRecord>(ports, &RunRecord::key_of(id)).await.unwrap().unwrap().record;
    let policy = Policy { timeout, ..Policy::default() };
    take(ports, &Gate::open(), RunMessage::about(&run), &policy, app.now() + minutes(1)).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn attempt_that_was_taken_by_a_former_timeout_ends_before_its_lease() {
    let app = TestApp::new().with(task(COUNT, content));
    let ports = app.client().ports();
    for (manifest, limit) in [(seconds(2), seconds(2)), (minutes(20), minutes(1))] {
        let sleeps = move |n: u32, cx: TaskContext| async move {
            assert!(cx.remaining() <= limit && cx.remaining() > limit - seconds(1));
            tokio::time::sleep(limit + seconds(1)).await;
            Ok::<u32, TaskError>(n)
        };
        let function = Definition::of(task(COUNT, sleeps).timeout(minutes(1)).retry(Retry::never()));
        let (taken, deadline) = (taken(&app, manifest).await, app.now() + minutes(15));
        let id = taken.run.id;
        let runner = Runner::new(function.handlers, ports.clone(), "count");
        let attempt = runner.deliver_taken(taken, deadline).await.unwrap().unwrap();
        assert_eq!(end(ports, attempt, deadline).await.unwrap(), None, "nothing is left to do");
        let run = app.state(id).await.unwrap();
        assert_eq!((run.state, run.error_code.as_deref()), (State::Failed, Some("TIMEOUT")), "{:?}", run.error_message);
    }
}

#[tokio::test]
async fn run_of_another_task_is_refused_although_it_was_taken() {
    const OTHER: TaskRef<u32, u32> = TaskRef::new("other");
    let app = TestApp::new().with(task(COUNT, content));
    let taken = taken(&app, seconds(1)).await;
    let runner = Runner::new(Definition::of(task(OTHER, content)).handlers, app.client().ports().clone(), "other");
    let error = runner.deliver_taken(taken.clone(), app.now() + minutes(1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("run {} is for task \"count\", which function other doesn't hold", taken.run.id)
    );
}

#[tokio::test(start_paused = true)]
async fn close_to_timeout_begins_when_a_fifth_of_it_is_left_also_at_15_minutes() {
    let told = Arc::new(Mutex::new(vec![]));
    let note = told.clone();
    let handler = move |n: u32, cx: TaskContext| {
        let note = note.clone();
        async move {
            for left_ms in [180_500, 179_500] {
                tokio::time::sleep(cx.remaining() - Duration::from_millis(left_ms)).await;
                note.lock().unwrap().push(cx.is_close_to_timeout());
            }
            Ok(n)
        }
    };
    let app = TestApp::new().with(task(COUNT, handler).timeout(minutes(15)));
    app.run(COUNT, 0).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(*told.lock().unwrap(), [false, true]);
}

#[tokio::test]
async fn waiting_for_an_aborted_run_says_that_it_was_aborted_and_not_how_an_attempt_failed() {
    let (function, _) = failing();
    let app = TestApp::new().with(function.retry(Retry::every(hours(1))));
    let started = app.run(COUNT, 0).await.unwrap();
    app.advance(seconds(5)).await;
    app.abort(started.id(), "enough").await.unwrap();
    let error = format!("{:?}", app.wait(COUNT, &started).await.unwrap_err());
    assert!(error.contains("ABORTED") && error.contains("enough"), "{error}");
}
