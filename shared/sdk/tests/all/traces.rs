//! The trace of what is started goes with it: into the handler, and to all that it starts.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use dacapo::{Definition, Json, prelude::*};
use dacapo_core::runner::Runner;
use dacapo_test_kit::TestApp;

const TRACE: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
const OTHER: &str = "00-11111111111111111111111111111111-2222222222222222-00";
const PARENT: TaskRef<u32, Option<String>> = TaskRef::new("parent");
const CHILD: TaskRef<(), Option<String>> = TaskRef::new("child");
const TOLD: EventRef<()> = EventRef::new("told");
const HEARD: TaskRef<(), Option<String>> = TaskRef::new("heard");

/// Continues once, then starts a child and publishes an event.
async fn parent(round: u32, cx: TaskContext) -> Result<Outcome<u32, Option<String>>, TaskError> {
    if round == 1 {
        return Ok(Continue::after(minutes(30), 2));
    }
    if cx.attempt() == 1 {
        return Err(TaskError::retryable("once more"));
    }
    cx.run(CHILD, ()).await?;
    cx.publish(TOLD, ()).after(hours(1)).await?;
    Ok(Done(cx.traceparent()))
}

async fn traced((): (), cx: TaskContext) -> Result<Option<String>, TaskError> {
    Ok(cx.traceparent())
}

async fn told((): (), cx: EventContext) -> Result<(), TaskError> {
    if cx.attempt() == 1 {
        return Err(TaskError::retryable("once more"));
    }
    assert_eq!(cx.traceparent().as_deref(), Some(TRACE));
    cx.run(HEARD, ()).await?;
    Ok(())
}

fn app() -> TestApp {
    let app = TestApp::new().with(task(PARENT, parent)).with(task(CHILD, traced)).with(task(HEARD, traced));
    app.with(on(TOLD, told))
}

fn result<I>(app: &TestApp, task: TaskRef<I, Option<String>>) -> Option<String> {
    app.run_of(task).result.unwrap().parse().unwrap()
}

#[tokio::test]
async fn trace_of_a_start_is_that_of_every_iteration_of_its_children_and_of_its_events() {
    let app = app();
    app.run(PARENT, 1).traceparent(TRACE).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(result(&app, PARENT).as_deref(), Some(TRACE));
    assert_eq!(result(&app, CHILD).as_deref(), Some(TRACE));
    assert_eq!(result(&app, HEARD).as_deref(), Some(TRACE));
}

#[tokio::test]
async fn trace_that_a_handler_names_takes_the_place_of_its_own() {
    async fn names(_: u32, cx: TaskContext) -> Result<Option<String>, TaskError> {
        cx.run(CHILD, ()).traceparent(OTHER).await?;
        Ok(cx.traceparent())
    }
    let app = TestApp::new().with(task(PARENT, names)).with(task(CHILD, traced));
    app.run(PARENT, 1).traceparent(TRACE).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(result(&app, PARENT).as_deref(), Some(TRACE));
    assert_eq!(result(&app, CHILD).as_deref(), Some(OTHER));
}

#[tokio::test]
async fn traceparent_that_is_none_is_left_out_and_fails_no_run() {
    for wrong in ["", "no trace", "00-0-0-0", &"0".repeat(1_000_000)] {
        let app = app();
        app.run(CHILD, ()).traceparent(wrong).await.unwrap();
        app.publish(EventRef::<()>::new("nobody"), ()).traceparent(wrong).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(result(&app, CHILD), None, "{wrong:.20}");
    }
}

#[tokio::test]
async fn run_of_a_schedule_is_a_part_of_no_trace() {
    let app = TestApp::new().with(task(CHILD, traced).schedule(every("1 hour"), ()));
    app.advance(minutes(1)).await;
    assert_eq!(result(&app, CHILD), None);
}

#[tokio::test]
async fn trace_of_an_invocation_is_that_of_what_names_none() {
    let app = TestApp::new().with(task(CHILD, traced));
    let runner = Runner::new(Definition::of(task(CHILD, traced)).handlers, app.client().ports().clone(), "child");
    runner.trace(Some(OTHER.parse().unwrap()));
    let answer = runner.invoke(Json::from_text("null").unwrap(), app.now() + minutes(1)).await.unwrap();
    assert!(answer.text().contains(OTHER), "{}", answer.text());
    runner.trace(None);
    let answer = runner.invoke(Json::from_text("null").unwrap(), app.now() + minutes(1)).await.unwrap();
    assert!(answer.text().contains(r#""result":null"#), "{}", answer.text());
}
