//! Runs that are paused and resumed, by a client and by their task.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use dacapo::{Error, ErrorKind, State, WhenExhausted, prelude::*};
use dacapo_test_kit::TestApp;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");

/// Counts its calls: continues after an hour where it is given 0.
fn counting(calls: &Arc<AtomicU32>) -> Task<u32, u32> {
    let calls = calls.clone();
    task(COUNT, move |n: u32, _: TaskContext| {
        let calls = calls.clone();
        async move {
            calls.fetch_add(1, Relaxed);
            Ok::<Outcome<u32, u32>, TaskError>(if n == 0 { Continue::after(hours(1), 1) } else { Done(n) })
        }
    })
}

#[tokio::test]
async fn paused_run_starts_nothing_until_it_is_resumed_and_then_goes_on_where_it_stood() -> Result<(), Error> {
    let calls = Arc::new(AtomicU32::new(0));
    let app = TestApp::new().with(counting(&calls));
    for (delay, stood) in [(minutes(5), State::Submitted), (days(2), State::Scheduled)] {
        calls.store(0, Relaxed);
        let id = app.run(COUNT, 1).after(delay).await?.id();
        let paused = app.client().pause(id).await?;
        assert_eq!((paused.state, paused.paused_at), (State::Paused, Some(app.now())));
        app.advance(hours(1)).await;
        assert_eq!((app.state(id).await?.state, calls.load(Relaxed)), (State::Paused, 0));
        assert_eq!(app.client().resume(id).await?.state, stood);
        app.run_until_idle().await;
        let run = app.state(id).await?;
        assert_eq!((run.state, run.paused_at, calls.load(Relaxed)), (State::Completed, None, 1));
    }
    Ok(())
}

#[tokio::test]
async fn wait_of_a_paused_run_goes_on_and_its_next_iteration_starts_once_it_is_resumed() -> Result<(), Error> {
    let calls = Arc::new(AtomicU32::new(0));
    let app = TestApp::new().with(counting(&calls));
    let (early, late) = (app.run(COUNT, 0).await?.id(), app.run(COUNT, 0).await?.id());
    app.advance(minutes(1)).await;
    for id in [early, late] {
        app.client().pause(id).await?;
    }
    app.advance(minutes(30)).await;
    assert_eq!(app.client().resume(early).await?.state, State::Waiting);
    app.advance(days(10)).await;
    assert_eq!((app.state(early).await?.state, app.state(late).await?.state), (State::Completed, State::Paused));
    assert_eq!(app.client().resume(late).await?.state, State::Submitted);
    app.run_until_idle().await;
    let run = app.state(late).await?;
    assert_eq!((run.state, run.iteration, calls.load(Relaxed)), (State::Completed, 2, 4));
    Ok(())
}

#[tokio::test]
async fn paused_run_is_aborted_and_one_that_is_over_or_not_paused_is_refused() -> Result<(), Error> {
    let app = TestApp::new().with(counting(&Arc::default()));
    let id = app.run(COUNT, 1).after(days(2)).await?.id();
    let told = |error: Error| (error.kind(), error.to_string());
    let scheduled = format!("failed to resume run {id}: it is scheduled, and not paused");
    assert_eq!(told(app.client().resume(id).await.unwrap_err()), (ErrorKind::Refused, scheduled));
    app.client().pause(id).await?;
    assert_eq!(app.client().pause(id).await?.state, State::Paused, "a second time");
    assert_eq!(app.abort(id, "enough").await?.state, State::Aborted);
    let over = |verb, more| (ErrorKind::Refused, format!("failed to {verb} run {id}: it is aborted{more}"));
    assert_eq!(told(app.client().pause(id).await.unwrap_err()), over("pause", ""));
    assert_eq!(told(app.client().resume(id).await.unwrap_err()), over("resume", ", and not paused"));
    app.run_until_idle().await;
    assert_eq!(app.state(id).await?.state, State::Aborted);
    Ok(())
}

/// Fails as long as it isn't mended, terminally where it is given 0.
fn broken(mended: bool, then: WhenExhausted) -> Task<u32, u32> {
    let work = move |n: u32, cx: TaskContext| async move {
        cx.log_info(format!("attempt {}", cx.attempt()), ()).await?;
        match (mended, n) {
            (true, _) => Ok(cx.attempt()),
            (false, 0) => Err(TaskError::terminal("never").code("NEVER")),
            (false, _) => Err(TaskError::retryable("not yet")),
        }
    };
    task(COUNT, work).retry(Retry::attempts(2)).when_exhausted(then)
}

#[tokio::test]
async fn run_whose_attempts_are_used_up_waits_for_the_deploy_that_mends_it_and_goes_on_with_attempt_1()
-> Result<(), Error> {
    let app = TestApp::new().with(broken(false, Pause));
    let (id, terminal) = (app.run(COUNT, 1).await?.id(), app.run(COUNT, 0).await?.id());
    app.run_until_idle().await;
    assert_eq!(app.state(terminal).await?.state, State::Failed, "a terminal error fails the run all the same");
    app.advance(days(100)).await;
    let run = app.state(id).await?;
    assert_eq!((run.state, run.attempt, run.error_message.as_deref()), (State::Paused, 2, Some("not yet")));
    assert_eq!((run.failed_at, run.expires_at_s), (None, None));

    app.client().resume(id).await?;
    app.run_until_idle().await;
    assert_eq!(app.state(id).await?.state, State::Paused, "it isn't mended");
    let app = app.redeployed([dacapo::Definition::of(broken(true, Pause))]);
    app.client().resume(id).await?;
    app.run_until_idle().await;
    let run = app.state(id).await?;
    assert_eq!((run.state, run.attempt, run.result.unwrap().text()), (State::Completed, 1, "1"));
    let logs: Vec<String> = app.logs(id).await?.into_iter().map(|entry| entry.message).collect();
    assert_eq!(logs.len(), 5, "attempts of one number keep each its own entries: {logs:?}");
    Ok(())
}

#[tokio::test]
async fn run_whose_attempts_are_used_up_fails_unless_its_task_says_otherwise() -> Result<(), Error> {
    let app = TestApp::new().with(broken(false, WhenExhausted::Fail));
    let id = app.run(COUNT, 1).await?.id();
    app.run_until_idle().await;
    assert_eq!(app.state(id).await?.state, State::Failed);
    Ok(())
}
