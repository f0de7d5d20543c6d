//! A program that watches a run, or the health of its app.

use std::time::Duration;

use dacapo::{ErrorKind, Finding, Id, State, prelude::*};
use dacapo_test_kit::TestApp;
use tokio::time::Instant;

const DOUBLE: TaskRef<u32, u32> = TaskRef::new("double");

async fn double(n: u32, _: TaskContext) -> Result<u32, TaskError> {
    n.checked_mul(2).ok_or_else(|| TaskError::terminal("too large to double"))
}

fn app() -> TestApp {
    TestApp::new().with(task(DOUBLE, double).concurrency(5))
}

#[tokio::test(start_paused = true)]
async fn run_that_is_watched_is_given_at_once_then_at_each_change_and_again_after_its_end() {
    let app = app();
    let id = app.run(DOUBLE, 2).after(hours(1)).await.unwrap().id();
    let mut watch = app.client().watch(id);
    assert_eq!(watch.next().await.unwrap().state, State::Scheduled);
    let unchanged = tokio::time::timeout(minutes(30), watch.next()).await;
    assert!(unchanged.is_err(), "nothing has changed: {unchanged:?}");
    app.client().pause(id).await.unwrap();
    assert_eq!(watch.next().await.unwrap().state, State::Paused);
    app.client().resume(id).await.unwrap();
    app.run_until_idle().await;
    let changed = Instant::now();
    for _ in 0..2 {
        assert_eq!(watch.next().await.unwrap().state, State::Completed);
    }
    let took = changed.elapsed();
    assert!(took <= Duration::from_millis(200), "it is asked soon after a change: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn change_of_a_watched_run_is_told_in_the_moment_of_its_write_however_long_it_was_quiet_before() {
    let app = app();
    let id = app.run(DOUBLE, 2).after(hours(1)).await.unwrap().id();
    let mut watch = app.client().watch(id);
    watch.next().await.unwrap();
    let pause = async {
        tokio::time::sleep(Duration::from_millis(301_234)).await;
        app.client().pause(id).await.unwrap();
        Instant::now()
    };
    let ((run, heard), written) = tokio::join!(async { (watch.next().await.unwrap(), Instant::now()) }, pause);
    assert_eq!((run.state, heard), (State::Paused, written));
}

#[tokio::test(start_paused = true)]
async fn run_that_is_watched_and_unknown_is_not_found() {
    let id: Id = "01KDVJ29Q0Q0B9FME0N1VT25N3".parse().unwrap();
    assert_eq!(app().client().watch(id).next().await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn health_counts_what_each_task_does_and_finds_what_fails_and_what_stands_still() {
    let app = app();
    for n in [1, 2, u32::MAX, u32::MAX, u32::MAX] {
        app.run(DOUBLE, n).await.unwrap();
    }
    app.run_until_idle().await;
    app.run(DOUBLE, 1).after(hours(1)).await.unwrap();
    let health = app.client().health().await.unwrap();
    assert_eq!(health.findings, [Finding::Failing { task: "double".to_owned(), failed: 3, ended: 5 }]);
    assert_eq!((health.tasks[0].waiting, health.tasks[0].failed, health.tasks[0].ended), (1, 3, 5));

    app.client().queues().pause("double").await.unwrap();
    for n in 0..60 {
        app.run(DOUBLE, n).await.unwrap();
    }
    app.advance(minutes(1)).await;
    let health = app.client().health().await.unwrap();
    assert_eq!(health.findings, [Finding::Paused { queue: "double".to_owned() }], "its last 50 runs wait");
    assert!(!health.has_more && health.tasks[0].due == 0, "{health:?}");
}
