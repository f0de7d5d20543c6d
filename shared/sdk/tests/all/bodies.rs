//! Bodies at every door, and JSON that is passed on as its text.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use dacapo::{Definition, Error, ErrorKind, Json, State, prelude::*};
use dacapo_core::{conductor::Conductor, runner::Runner};
use dacapo_domain::limits;
use dacapo_test_kit::TestApp;

type Tested = Result<(), Box<dyn std::error::Error>>;

const RAW: TaskRef<Json, Json> = TaskRef::new("raw");
const RATIO: TaskRef<f64, f64> = TaskRef::new("ratio");
const TOLD: EventRef<Json> = EventRef::new("told");

fn app() -> TestApp {
    TestApp::new().with(task(RAW, async |body: Json, _: TaskContext| Ok(body)))
}

fn nested(levels: usize) -> Json {
    json("[".repeat(levels) + &"]".repeat(levels))
}

fn json(text: impl Into<String>) -> Json {
    Json::from_text(text).unwrap()
}

/// Bodies that only some readers of JSON take, each with a word of the error.
fn unreadable() -> [(Json, &'static str); 3] {
    [
        (json(r#"["\ud83d"]"#), "surrogates in pairs"),
        (json("1e999"), "number out of range"),
        (nested(129), "129 levels deep (allowed: 128)"),
    ]
}

fn assert_usage<T: std::fmt::Debug>(given: Result<T, Error>, word: &str) {
    let error = given.unwrap_err();
    assert!(error.kind() == ErrorKind::Usage && error.to_string().contains(word), "{error}");
}

#[tokio::test]
async fn body_that_some_reader_refuses_is_refused_by_every_method_of_the_client() -> Tested {
    let app = app();
    let first = app.run(RAW, json("1")).await?.id();
    for (body, word) in unreadable() {
        assert_usage(app.run(RAW, body.clone()).await, word);
        assert_usage(app.run_by_name("raw", body.clone()).await, word);
        assert_usage(app.replay(first, Some(body.clone())).await, word);
        assert_usage(app.publish(TOLD, body.clone()).await, word);
        assert_usage(app.publish_by_name("told", body.clone()).await, word);
        assert_usage(app.schedules().put("s", RAW, every("1 hour"), body.clone()).await, word);
        assert_usage(app.schedules().put_by_name("s", "raw", every("1 hour"), body.clone()).await, word);
        assert_usage(app.client().batch(RAW, [body]).await?.remove(0), word);
    }
    assert_eq!((app.runs_of(RAW).len(), app.schedules().list().await?.len()), (1, 0));
    Ok(())
}

#[tokio::test]
async fn body_that_some_reader_refuses_is_refused_by_a_direct_invocation_and_by_an_execution_started_by_hand() {
    let app = app();
    let ports = app.client().ports();
    let definition = Definition::of(task(RAW, async |body: Json, _: TaskContext| Ok(body)));
    let runner = Runner::new(definition.handlers, ports.clone(), "raw");
    let conductor = Conductor::new(ports.clone(), None);
    for (body, word) in unreadable() {
        let start = format!(
            r#"{{"start/1":{{"task":"raw","body":{},"execution":"x","started":"2026-01-01T00:00:00Z"}}}}"#,
            body.text()
        );
        let error = conductor.invoke(json(start)).await.unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
        let error = runner.invoke(body, ports.clock.now()).await.unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    assert_eq!(app.runs_of(RAW).len(), 0);
}

#[tokio::test]
async fn direct_invocation_has_the_size_limit_of_all_starts() {
    let app = app();
    let ports = app.client().ports();
    let definition = Definition::of(task(RAW, async |body: Json, _: TaskContext| Ok(body)));
    let runner = Runner::new(definition.handlers, ports.clone(), "raw");
    let body = |bytes: usize| json(format!("\"{}\"", "x".repeat(bytes - 2)));
    let error = runner.invoke(body(limits::MESSAGE_BYTES), ports.clock.now()).await.unwrap_err().to_string();
    let allowed = format!("bytes, metadata included (allowed: {}; keep what is large in S3)", limits::MESSAGE_BYTES);
    assert!(error.starts_with("failed to store a run of ") && error.ends_with(&allowed), "{error}");
    assert_eq!(app.run(RAW, body(limits::MESSAGE_BYTES)).await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(app.runs_of(RAW).len(), 0);
    let answer = runner.invoke(body(limits::MESSAGE_BYTES - 1_000), ports.clock.now() + minutes(1)).await.unwrap();
    assert!(answer.text().contains("\"completed\""));
}

#[test]
fn body_of_a_declared_schedule_that_some_reader_refuses_is_a_problem_of_its_function() {
    for (body, word) in unreadable() {
        let function = task(RAW, async |body: Json, _: TaskContext| Ok(body)).schedule(every("1 hour"), body);
        let problems = Definition::of(function).describe("raw").unwrap_err();
        assert!(problems[0].contains("the body of schedule 1") && problems[0].contains(word), "{problems:?}");
    }
}

#[tokio::test]
async fn body_of_128_levels_reaches_a_typed_handler() -> Tested {
    const DEEP: TaskRef<serde_json::Value> = TaskRef::new("deep");
    let app = TestApp::new().with(task(DEEP, async |_: serde_json::Value, _: TaskContext| Ok(())));
    app.run_by_name("deep", nested(128)).await?;
    app.run_until_idle().await;
    assert_eq!(app.run_of(DEEP).state, State::Completed);
    Ok(())
}

#[tokio::test]
async fn body_with_a_number_that_json_cant_hold_is_a_usage_error() -> Tested {
    let app = TestApp::new().with(task(RATIO, async |n: f64, _: TaskContext| Ok(n)));
    assert_usage(app.run(RATIO, f64::NAN).await, "NaN is no JSON number");
    assert_usage(app.schedules().put("s", RATIO, every("1 hour"), f64::INFINITY).await, "inf is no JSON number");
    Ok(())
}

#[tokio::test]
async fn result_with_a_number_that_json_cant_hold_is_left_out() -> Tested {
    let app = TestApp::new().with(task(RATIO, async |_: f64, _: TaskContext| Ok(f64::INFINITY)));
    app.run(RATIO, 1.0).await?;
    app.run_until_idle().await;
    let run = app.run_of(RATIO);
    assert_eq!((run.state, run.result.is_none()), (State::Completed, true));
    assert!(run.result_left_out.is_some_and(|why| why.contains("inf is no JSON number")));
    Ok(())
}

#[tokio::test]
async fn continue_with_a_number_that_json_cant_hold_fails_the_run_at_once() -> Tested {
    let app = TestApp::new().with(task(RATIO, async |_: f64, _: TaskContext| Ok(Continue::<f64, f64>(f64::NAN))));
    app.run(RATIO, 1.0).await?;
    app.advance(seconds(30)).await;
    assert_eq!(app.run_of(RATIO).state, State::Failed);
    Ok(())
}

#[tokio::test]
async fn result_that_no_reader_takes_is_left_out_and_the_record_says_so() -> Tested {
    const RAW: TaskRef<u32, Json> = TaskRef::new("raw");
    for (text, word) in [(r#"["\ud83d"]"#, "unexpected end of hex escape"), ("1e400", "number out of range")] {
        let app = TestApp::new().with(task(RAW, move |_: u32, _: TaskContext| async move { Ok(json(text)) }));
        app.run(RAW, 1).await?;
        app.run_until_idle().await;
        let run = app.run_of(RAW);
        assert_eq!((run.state, run.result), (State::Completed, None));
        assert!(run.result_left_out.as_ref().is_some_and(|why| why.contains(word)), "{:?}", run.result_left_out);
    }
    Ok(())
}

#[tokio::test]
async fn continue_with_an_input_that_no_reader_takes_fails_the_run_at_once_with_the_reason() -> Tested {
    const RAW: TaskRef<Json, Json> = TaskRef::new("raw");
    for (input, word) in unreadable() {
        let continues = move |_: Json, _: TaskContext| {
            let input = input.clone();
            async move { Ok(Continue::<Json, Json>(input)) }
        };
        let app = TestApp::new().with(task(RAW, continues));
        app.run(RAW, json("1")).await?;
        app.run_until_idle().await;
        let run = app.run_of(RAW);
        assert_eq!((run.state, run.attempt), (State::Failed, 1));
        let message = run.error_message.unwrap_or_default();
        assert!(message.starts_with("the input of `continue` can't be used: ") && message.contains(word), "{message}");
    }
    Ok(())
}

#[tokio::test]
async fn log_data_that_no_reader_takes_is_left_out_and_the_entry_says_so() -> Tested {
    const RAW: TaskRef<u32> = TaskRef::new("raw");
    for (data, word) in unreadable() {
        let logs = move |_: u32, cx: TaskContext| {
            let data = data.clone();
            async move { Ok(cx.log_info("seen", data).await?) }
        };
        let app = TestApp::new().with(task(RAW, logs));
        let id = app.run(RAW, 1).await?.id();
        app.run_until_idle().await;
        assert_eq!(app.run_of(RAW).state, State::Completed);
        let entry = app.logs(id).await?.remove(0);
        let data: String = entry.data.ok_or("it says so")?.parse()?;
        assert!(data.starts_with("the data is left out: ") && data.contains(word), "{data}");
    }
    Ok(())
}

/// The answer to a direct invocation of a task with this result.
async fn answer(result: Json) -> Json {
    let app = TestApp::new();
    let definition = Definition::of(task(TaskRef::<u32, Json>::new("raw"), move |_: u32, _: TaskContext| {
        let result = result.clone();
        async move { Ok(result) }
    }));
    let ports = app.client().ports();
    Runner::new(definition.handlers, ports.clone(), "raw")
        .invoke(json("1"), ports.clock.now() + minutes(1))
        .await
        .unwrap()
}

#[tokio::test]
async fn direct_invocation_answers_with_its_result_to_the_digit_and_at_any_depth() {
    for result in [json(r#"{"wei":1000000000000000000001,"b":1.10,"a":1,"a":2}"#), nested(200), nested(10_000)] {
        let answer = answer(result.clone()).await;
        let expected = format!(r#""state":"completed","result":{},"error":null}}"#, result.text());
        assert!(answer.text().ends_with(&expected), "{}", answer.text());
    }
}
