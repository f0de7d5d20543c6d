//! One limit at every door that takes a body, with the same error of both sizes.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use dacapo::{State, prelude::*};
use dacapo_core::{conductor::Conductor, function::Handlers, runner::Runner};
use dacapo_domain::{Invocation, Json, Start};
use dacapo_test_kit::TestApp;

const REPORT: TaskRef<String> = TaskRef::new("report");
const PAID: EventRef<String> = EventRef::new("paid");

async fn report(_: String, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

fn app() -> TestApp {
    TestApp::new().with(task(REPORT, report)).with(on(PAID, async |_: String, _: EventContext| Ok(())))
}

/// A body of so many bytes as JSON.
fn body(bytes: usize) -> String {
    "x".repeat(bytes - 2)
}

fn json(bytes: usize) -> Json {
    Json::of(&body(bytes)).unwrap()
}

/// Tries every door that a client has with a body of so many bytes; says what each refused.
async fn try_doors(app: &TestApp, bytes: usize) -> Vec<Option<String>> {
    let small = app.run(REPORT, String::new()).await.unwrap().id();
    let refused = |result: Result<(), dacapo::Error>| result.err().map(|error| error.to_string());
    vec![
        refused(app.run(REPORT, body(bytes)).await.map(|_| ())),
        refused(app.run_by_name("report", json(bytes)).await.map(|_| ())),
        refused(app.client().batch(REPORT, [body(bytes)]).await.unwrap().pop().unwrap().map(|_| ())),
        refused(app.replay(small, Some(json(bytes))).await.map(|_| ())),
        refused(app.schedules().put("s", REPORT, every("1 day"), body(bytes)).await.map(|_| ())),
        refused(app.schedules().put_by_name("s", "report", every("1 day"), json(bytes)).await.map(|_| ())),
        refused(app.publish(PAID, body(bytes)).await.map(|_| ())),
        refused(app.publish_by_name("paid", json(bytes)).after(hours(1)).await.map(|_| ())),
    ]
}

#[tokio::test]
async fn body_that_fits_into_a_message_is_taken_at_every_door_and_arrives_whole() {
    let app = app();
    for refused in try_doors(&app, 1_048_000).await {
        assert_eq!(refused, None);
    }
    app.advance(minutes(1)).await;
    let whole: Vec<usize> = app.runs_of(REPORT).iter().filter_map(|run| Some(run.body.as_ref()?.bytes())).collect();
    assert_eq!(whole.iter().filter(|bytes| **bytes == 1_048_000).count(), 5, "{whole:?}");
    assert!(app.runs_of(REPORT).iter().all(|run| run.state == State::Completed));
}

#[tokio::test]
async fn body_that_fits_only_without_its_metadata_is_refused_at_every_door_with_both_sizes() {
    let app = app();
    for (place, refused) in try_doors(&app, 1_048_570).await.into_iter().enumerate() {
        let refused = refused.unwrap_or_else(|| panic!("door {place} takes it"));
        assert!(refused.starts_with("failed to store a"), "{refused}");
        let ends = "bytes, metadata included (allowed: 1048576; keep what is large in S3)";
        assert!(refused.contains(" of 104") && refused.ends_with(ends), "{refused}");
    }
}

#[tokio::test]
async fn direct_invocation_has_the_limit_of_all_starts() {
    let app = app();
    let definition = dacapo::Definition::of(task(REPORT, report));
    assert!(matches!(definition.handlers, Handlers::Task(_)));
    let runner = Runner::new(definition.handlers, app.client().ports().clone(), "report");
    let later = app.now() + minutes(1);
    let answer = runner.invoke(json(1_048_000), later).await.unwrap();
    assert!(answer.text().contains("completed"), "{answer:?}");
    let refused = runner.invoke(json(1_048_570), later).await.unwrap_err().to_string();
    assert!(refused.contains("failed to store a run of 104") && refused.contains("(allowed: 1048576; "), "{refused}");
}

#[tokio::test]
async fn start_by_an_execution_has_the_limit_of_step_functions() {
    let app = app();
    let conductor = Conductor::new(app.client().ports().clone(), None);
    let start = |bytes| {
        Invocation::Start(Start {
            task: "report".to_owned(),
            body: json(bytes),
            execution: format!("by hand {bytes}"),
            started: app.now(),
        })
    };
    conductor.invoke(Json::of(&start(262_144)).unwrap()).await.unwrap();
    let refused = conductor.invoke(Json::of(&start(262_145)).unwrap()).await.unwrap_err().to_string();
    assert!(
        refused.contains("failed to store a run of 262145 bytes") && refused.contains("(allowed: 262144; "),
        "{refused}"
    );
    assert_eq!(app.runs_of(REPORT).len(), 1);
}

#[tokio::test]
async fn input_of_a_continue_has_the_limit_of_a_body() {
    for (bytes, state) in [(1_048_576, State::Completed), (1_048_577, State::Failed)] {
        let calls = Arc::new(AtomicU32::new(0));
        let app = TestApp::new().with(task(REPORT, move |input: String, _: TaskContext| {
            let is_first = calls.fetch_add(1, Relaxed) == 0;
            async move {
                assert_eq!(input.len(), if is_first { 0 } else { 1_048_574 });
                Ok(if is_first { Continue(body(bytes)) } else { Done(()) })
            }
        }));
        let id = app.run(REPORT, String::new()).await.unwrap().id();
        app.run_until_idle().await;
        let run = app.state(id).await.unwrap();
        assert_eq!(run.state, state);
        if state == State::Failed {
            let text = "the input of `continue` has 1048577 bytes (allowed: 1048576)";
            assert_eq!((run.error_code.as_deref(), run.error_message.as_deref()), (Some("TOO_LARGE"), Some(text)));
        }
    }
}
