//! A program that waits for a run's end.

use dacapo::{Json, prelude::*};
use dacapo_test_kit::TestApp;

const DOUBLE: TaskRef<u32, u32> = TaskRef::new("double");

async fn double(n: u32, _: TaskContext) -> Result<u32, TaskError> {
    n.checked_mul(2).ok_or_else(|| TaskError::terminal("too large to double").code("TOO_MUCH"))
}

/// Starts a run and lets the app go on while it is waited for.
async fn doubled(n: u32) -> Result<u32, TaskError> {
    let app = TestApp::new().with(task(DOUBLE, double));
    let waits = app.run(DOUBLE, n).after(hours(1)).and_wait();
    tokio::join!(waits, app.run_until_idle()).0
}

#[tokio::test(start_paused = true)]
async fn run_that_is_started_and_waited_for_gives_its_typed_result() {
    assert_eq!(doubled(21).await.unwrap(), 42);

    let app = TestApp::new().with(task(DOUBLE, double));
    let by_name = app.run_by_name("double", Json::of(&4).unwrap()).and_wait();
    assert_eq!(tokio::join!(by_name, app.run_until_idle()).0.unwrap(), 8);
}

#[tokio::test(start_paused = true)]
async fn run_that_is_waited_for_and_fails_gives_its_error_and_its_code() {
    let error = format!("{:?}", doubled(u32::MAX).await.unwrap_err());
    assert!(error.contains("TOO_MUCH") && error.contains("too large to double"), "{error}");
}

#[tokio::test]
async fn start_that_is_refused_is_told_without_a_wait() {
    let app = TestApp::new().with(task(DOUBLE, double));
    let error = app.run(DOUBLE, 1).tags(["x".repeat(200)]).and_wait().await.unwrap_err();
    assert!(error.is_terminal() && error.to_string().contains("allowed: 1 to 128"), "{error}");
}
