//! Iterations, one after another.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::time::Duration;

use dacapo::{Definition, Id, State, prelude::*};
use dacapo_core::commit::load;
use dacapo_domain::RunRecord;
use dacapo_test_kit::TestApp;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");

#[tokio::test]
async fn run_that_continues_at_once_waits_for_nothing() -> Result<(), dacapo::Error> {
    let count = async |n: u32, _: TaskContext| {
        Ok::<Outcome<u32, u32>, TaskError>(if n < 20 { Continue(n + 1) } else { Done(n) })
    };
    let app = TestApp::new().with(task(COUNT, count));
    app.advance(Duration::from_millis(1_250)).await; // At no whole second.
    app.run(COUNT, 0).await?;

    app.advance(Duration::ZERO).await;

    let run = app.run_of(COUNT);
    assert_eq!((run.state, run.iteration), (State::Completed, 21));
    Ok(())
}

const OLD: TaskRef<String, u32> = TaskRef::new("count");

/// An app whose run waits ten days with an input of the old form.
async fn waiting_with_an_old_input() -> Result<(TestApp, Id), dacapo::Error> {
    let old = async |_: String, _: TaskContext| Ok::<_, TaskError>(Continue::after(days(10), "one".to_owned()));
    let app = TestApp::new().with(task(OLD, old));
    let id = app.run(OLD, "none".to_owned()).await?.id();
    app.advance(days(1)).await;
    assert_eq!(app.state(id).await?.state, State::Waiting);
    Ok((app, id))
}

#[tokio::test]
async fn run_that_waits_while_its_task_is_deployed_continues_on_the_new_code() -> Result<(), dacapo::Error> {
    let (app, id) = waiting_with_an_old_input().await?;
    let new = task(OLD, async |input: String, cx: TaskContext| {
        assert_eq!((input.as_str(), cx.iteration()), ("one", 2));
        Ok(2)
    });
    let app = app.redeployed([Definition::of(new.timeout(minutes(2)))]);
    app.run_until_idle().await;
    let run = app.state(id).await?;
    assert_eq!((run.state, run.iteration, run.result.unwrap().text()), (State::Completed, 2, "2"));
    Ok(())
}

#[tokio::test]
async fn input_that_parses_no_more_is_tried_for_an_hour_and_then_fails_the_run() -> Result<(), dacapo::Error> {
    let (app, id) = waiting_with_an_old_input().await?;
    let new = task(COUNT, async |n: u32, _: TaskContext| Ok(n)).retry(Retry::never());
    let app = app.redeployed([Definition::of(new)]);
    let due = app.state(id).await?.due_at;
    app.run_until_idle().await;
    let run = app.state(id).await?;
    assert_eq!((run.state, run.attempt, run.error_code.as_deref()), (State::Failed, 13, Some("INPUT_MISMATCH")));
    let tried_for = run.failed_at.unwrap().as_second() - due.as_second();
    assert!((3_600..3_700).contains(&tried_for), "it was tried for {tried_for} s");
    let said = run.error_message.unwrap();
    assert!(said.starts_with("the stored input is no input of task \"count\" any more: at .: invalid type"), "{said}");
    Ok(())
}

#[tokio::test]
async fn input_that_parses_no_more_is_taken_by_a_deploy_that_mends_it_within_the_hour() -> Result<(), dacapo::Error> {
    let (app, id) = waiting_with_an_old_input().await?;
    let app = app.redeployed([Definition::of(task(COUNT, async |n: u32, _: TaskContext| Ok(n)))]);
    app.advance(days(9) + minutes(50)).await;
    assert_eq!(app.state(id).await?.error_code.as_deref(), Some("INPUT_MISMATCH"));
    let mended = task(OLD, async |input: String, _: TaskContext| Ok(u32::try_from(input.len())?));
    let app = app.redeployed([Definition::of(mended)]);
    app.run_until_idle().await;
    let run = app.state(id).await?;
    assert_eq!((run.state, run.error_code, run.result.unwrap().text()), (State::Completed, None, "3"));
    Ok(())
}

/// The generation of a run's wait loop.
async fn generation(app: &TestApp, id: Id) -> u32 {
    let run = load::<RunRecord>(app.client().ports(), &RunRecord::key_of(id)).await.unwrap().unwrap().record;
    run.invoker.generation()
}

#[tokio::test]
async fn run_of_ten_thousand_rounds_hands_over_at_each_2000() -> Result<(), dacapo::Error> {
    let count = async |n: u32, _: TaskContext| {
        Ok::<Outcome<u32, u32>, TaskError>(if n < 10_000 { Continue::after(seconds(1), n + 1) } else { Done(n) })
    };
    let app = TestApp::new().with(task(COUNT, count).unlimited_iterations());
    let id = app.run(COUNT, 0).await?.id();
    app.run_until_idle().await;
    let run = app.state(id).await?;
    assert_eq!((run.state, run.iteration, run.result.unwrap().text()), (State::Completed, 10_001, "10000"));
    assert_eq!(generation(&app, id).await, 5);
    Ok(())
}

#[tokio::test]
async fn run_of_five_years_hands_over_before_the_year_of_each_execution_is_full() -> Result<(), dacapo::Error> {
    let count = async |n: u32, _: TaskContext| {
        Ok::<Outcome<u32, u32>, TaskError>(if n < 61 { Continue::after(days(30), n + 1) } else { Done(n) })
    };
    let app = TestApp::new().with(task(COUNT, count));
    let id = app.run(COUNT, 0).await?.id();
    let start = app.now();
    for _ in 0..61 {
        app.advance(days(30)).await;
    }
    app.advance(days(1)).await;
    let run = app.state(id).await?;
    assert_eq!((run.state, run.iteration), (State::Completed, 62));
    let lived = run.completed_at.unwrap().as_second() - start.as_second();
    assert!(lived > 5 * 365 * 86_400, "it lived {lived} s");
    assert_eq!(generation(&app, id).await, 6, "twelve waits of 30 days fit into 364");
    Ok(())
}

/// The end of a run that continues so.
async fn continued(next: impl Fn(u32) -> Outcome<u32, u32> + Send + Sync + 'static) -> dacapo::RunView {
    let next = std::sync::Arc::new(next);
    let work = move |n: u32, _: TaskContext| {
        let next = next.clone();
        async move { Ok::<Outcome<u32, u32>, TaskError>(if n == 0 { next(1) } else { Done(n) }) }
    };
    let app = TestApp::new().with(task(COUNT, work));
    app.run(COUNT, 0).await.unwrap();
    app.run_until_idle().await;
    app.run_of(COUNT)
}

#[tokio::test]
async fn wait_out_of_range_fails_the_run_at_once_with_what_was_given_and_what_is_allowed() {
    let start = dacapo_test_kit::START.parse::<jiff::Timestamp>().unwrap();
    let long = days(355) + seconds(1);
    for (wait, given) in [
        (Duration::from_nanos(1), "1ns"),
        (Duration::from_millis(500), "500ms"),
        (Duration::from_millis(999), "999ms"),
        (long, "30672001 s"),
        (days(356), "30758400 s"),
        (Duration::MAX, "18446744073709551615 s"),
    ] {
        let run = continued(move |n| Continue::after(wait, n)).await;
        let why = format!("can't continue after {given}: a wait is 0, or 1 second to 355 days");
        assert_eq!((run.state, run.error_code.as_deref()), (State::Failed, Some("WAIT_OUT_OF_RANGE")));
        assert_eq!((run.error_message, run.attempt, run.iteration), (Some(why), 1, 1));
    }
    let run = continued(move |n| Continue::at(start + days(357), n)).await;
    assert_eq!(run.error_code.as_deref(), Some("WAIT_OUT_OF_RANGE"));
    for wait in [seconds(0), seconds(1), days(355)] {
        let run = continued(move |n| Continue::after(wait, n)).await;
        assert_eq!((run.state, run.iteration), (State::Completed, 2), "{wait:?}");
        let waited = run.completed_at.unwrap().duration_since(run.started_at.unwrap());
        assert!(waited.unsigned_abs() >= wait && waited.unsigned_abs() < wait + seconds(2), "{wait:?}: {waited:?}");
    }
}
