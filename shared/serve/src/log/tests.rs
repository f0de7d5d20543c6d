//! Lines as a function's log has them, of an app in the test kit.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use dacapo::prelude::*;
use dacapo_core::{
    App,
    webhook::{WebhookKey, WebhookRequest, event_webhook},
};
use dacapo_test_kit::TestApp;
use serde_json::json;
use tracing::{
    field::{Field, Visit},
    span::Attributes,
};
use tracing_subscriber::{Layer, layer::Context};

use super::*;

const BODY: &str = "body-that-nobody-may-read";
const SECRET: &str = "secret-that-nobody-may-read";
const ASK: TaskRef<String> = TaskRef::new("ask");
const COUNT: TaskRef<u32> = TaskRef::new("count");
const ASKED: EventRef<String> = EventRef::new("asked");
const TRACEPARENT: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn line(&self, message: &str) -> Value {
        let found = self.lines().into_iter().find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("no line says {message:?}: {}", self.text()))
    }
}

fn written_with(targets: Targets) -> (Written, tracing::subscriber::DefaultGuard) {
    let written = Written::default();
    let place = [("app", "shop"), ("stage", "dev"), ("function", "ask")];
    let place = place.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let writer = written.clone();
    let guard = tracing::subscriber::set_default(json(None, place, targets, move || writer.clone()));
    (written, guard)
}

fn written(wanted: Option<&str>) -> (Written, tracing::subscriber::DefaultGuard) {
    written_with(targets(wanted))
}

async fn ask(_: String, cx: TaskContext) -> Result<Outcome<String, ()>, TaskError> {
    cx.variable("PASSWORD")?;
    tracing::info!(colour = "red", run = "another", "the handler says");
    if cx.attempt() == 1 {
        return Err(TaskError::retryable("not yet"));
    }
    cx.publish(ASKED, BODY.to_owned()).await?;
    let token = cx.token("answer").await?;
    Ok(Continue::when_told(token, BODY.to_owned()))
}

async fn count(_: u32, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

async fn asked(_: String, _: EventContext) -> Result<(), TaskError> {
    tracing::warn!("the other handler says");
    Err(TaskError::retryable("never"))
}

#[tokio::test]
async fn line_of_a_handler_says_where_it_comes_from_and_keeps_what_the_handler_named_alike() {
    let (written, _guard) = written(None);
    let app = TestApp::new().with(task(ASK, ask).secret("PASSWORD", "shop/smtp")).variable("PASSWORD", SECRET);
    let app = app.with(on(ASKED, asked));
    let id = app.run(ASK, BODY.to_owned()).await.unwrap().id();
    app.advance(minutes(1)).await;
    let line = written.line("the handler says");
    let place = json!({ "app": "shop", "stage": "dev", "function": "ask", "run": id.to_string(), "attempt": 1, "iteration": 1 });
    for (name, value) in place.as_object().unwrap() {
        assert_eq!(line[name], *value, "{line}");
    }
    assert_eq!(
        (&line["level"], &line["colour"], &line["field.run"]),
        (&json!("INFO"), &json!("red"), &json!("another"))
    );
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
    assert!(line.get("otel.name").is_none(), "{line}");
    let line = written.line("the other handler says");
    assert_eq!((&line["event"], &line["attempt"]), (&json!("asked"), &json!(1)));
    assert!(line["eventId"].is_string(), "{line}");
}

#[tokio::test]
async fn line_of_a_hook_names_the_run_and_the_trace_as_its_handlers_does() {
    let (written, _guard) = written(None);
    let says = |words: &'static str| {
        tracing::info!("{words}");
        std::future::ready(Ok(()))
    };
    let hooked = task(COUNT, count).on_start(move |_| says("before it")).on_success(move |_, _| says("after it"));
    let app = TestApp::new().with(hooked).with(on(ASKED, asked));
    let id = app.run(COUNT, 1).traceparent(TRACEPARENT).await.unwrap().id();
    app.publish(ASKED, BODY.to_owned()).traceparent(TRACEPARENT).await.unwrap();
    app.advance(minutes(1)).await;
    let trace = json!(TRACEPARENT.split('-').nth(1));
    for words in ["before it", "after it"] {
        let line = written.line(words);
        assert_eq!((&line["run"], &line["trace"]), (&json!(id.to_string()), &trace), "{line}");
    }
    let line = written.line("the other handler says");
    assert_eq!(line["trace"], trace, "{line}");
    assert!(line["handler"].as_str().unwrap().ends_with("asked"), "{line}");
}

#[tokio::test]
async fn traceparent_that_is_none_is_warned_of() {
    let (written, _guard) = written(None);
    let app = TestApp::new().with(task(COUNT, count));
    app.run(COUNT, 1).traceparent("none").await.unwrap();
    let line = written.line("a traceparent is left out");
    assert_eq!((&line["level"], &line["bytes"]), (&json!("WARN"), &json!(4)), "{line}");
}

#[tokio::test]
async fn traceparent_of_a_webhook_that_is_none_is_warned_of_and_its_event_is_published() {
    let (written, _guard) = written(None);
    let (app, key) = (TestApp::new(), WebhookKey::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
    let (id, timestamp, body) = ("msg_1", app.now().as_second().to_string(), br#"{"type": "asked", "data": 7}"#);
    let signature = key.sign(id, &timestamp, body);
    let request = WebhookRequest {
        method: "POST",
        body,
        id: Some(id),
        timestamp: Some(&timestamp),
        signature: Some(&signature),
        traceparent: Some("none"),
    };
    let answer = event_webhook(&App::new(app.client().ports().clone()), Some(&key), request).await.unwrap();
    assert_eq!((answer.status, &written.line("a traceparent is left out")["bytes"]), (202, &json!(4)));
}

#[tokio::test]
async fn log_has_lines_of_its_level_and_worse_and_without_one_those_of_info() {
    for (level, lines) in [(None, 2), (Some("DEBUG"), 3), (Some("warn"), 1), (Some("ERROR"), 0)] {
        let (written, _guard) = written(level);
        tracing::debug!("at length");
        tracing::info!("by the way");
        tracing::warn!("take care");
        assert_eq!(written.lines().len(), lines, "{level:?}");
    }
}

#[tokio::test]
async fn log_of_a_level_that_leaves_spans_out_names_the_run_all_the_same() {
    let (written, _guard) = written(Some("error,dacapo_serve=warn"));
    let app = TestApp::new().with(on(ASKED, asked));
    app.publish(ASKED, BODY.to_owned()).await.unwrap();
    app.advance(minutes(1)).await;
    assert_eq!(written.line("the other handler says")["event"], "asked");
}

#[tokio::test]
async fn log_has_no_body_no_secret_and_no_token() {
    let (written, _guard) = written(None);
    let app = TestApp::new().with(task(ASK, ask).secret("PASSWORD", "shop/smtp")).variable("PASSWORD", SECRET);
    let app = app.with(task(COUNT, count)).with(on(ASKED, asked));
    let id = app.run(ASK, BODY.to_owned()).await.unwrap().id();
    app.run_by_name("count", dacapo::Json::of(&BODY).unwrap()).await.unwrap();
    app.publish_by_name("asked", dacapo::Json::of(&[BODY]).unwrap()).await.unwrap();
    app.advance(minutes(10)).await;
    let token = app.token_of(id, "answer");
    app.complete(&token, BODY.to_owned()).await.unwrap();
    app.advance(minutes(1)).await;
    let text = written.text();
    assert!(text.contains("a handler failed") && text.contains("BODY_MISMATCH"), "{text}");
    for secret in [BODY, SECRET, &token] {
        assert!(!text.contains(secret), "{text}");
    }
}

async fn fail(_: u32, cx: TaskContext) -> Result<(), TaskError> {
    if cx.attempt() == 1 { Err(TaskError::retryable("not yet")) } else { Err(TaskError::terminal("never")) }
}

#[tokio::test]
async fn metrics_of_an_attempt_are_one_line_that_cloudwatch_reads() {
    let (written, _guard) = written_with(targets(Some("error")).with_target(METRICS, LevelFilter::INFO));
    let app = TestApp::new().with(task(COUNT, fail)).with(on(ASKED, asked).retry(dacapo::Retry::attempts(2)));
    app.run(COUNT, 1).await.unwrap();
    app.publish(ASKED, BODY.to_owned()).await.unwrap();
    app.advance(hours(1)).await;
    let lines: Vec<Value> = written.lines().into_iter().filter(|line| line.get("_aws").is_some()).collect();
    let of_task: Vec<&Value> = lines.iter().filter(|line| line["Function"] == "count").collect();
    let [first, last] = &of_task[..] else { panic!("{of_task:?}") };
    for (name, value) in [("Started", 1), ("Retried", 1)] {
        assert_eq!(first[name], value, "{first}");
    }
    assert!(first["Duration"].is_u64() && first["Delay"].is_u64(), "{first}");
    assert_eq!((&first["App"], &first["Stage"]), (&json!("shop"), &json!("dev")));
    let directive = &first["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        (&directive["Namespace"], &directive["Dimensions"]),
        (&json!("Dacapo"), &json!([["App", "Stage", "Function"]]))
    );
    assert!(directive["Metrics"].as_array().unwrap().contains(&json!({ "Name": "Delay", "Unit": "Milliseconds" })));
    assert_eq!((&last["Failed"], last.get("Started")), (&json!(1), None));
    let of_app = &last["_aws"]["CloudWatchMetrics"][1];
    assert_eq!(
        (&of_app["Dimensions"], &of_app["Metrics"]),
        (&json!([["App", "Stage"]]), &json!([{ "Name": "Failed", "Unit": "Count" }]))
    );
    let sum = |name: &str| -> u64 { lines.iter().filter_map(|line| line[name].as_u64()).sum() };
    assert_eq!((sum("Deliveries"), sum("DeadLetters"), sum("Retried")), (2, 1, 2));
}

#[tokio::test]
async fn run_that_completes_counts_as_started_and_completed_and_as_nothing_else() {
    let (written, _guard) = written_with(targets(Some("error")).with_target(METRICS, LevelFilter::INFO));
    let app = TestApp::new().with(task(COUNT, count));
    app.run(COUNT, 1).await.unwrap();
    app.advance(minutes(1)).await;
    let lines: Vec<Value> = written.lines().into_iter().filter(|line| line.get("_aws").is_some()).collect();
    let sum = |name: &str| -> u64 { lines.iter().filter_map(|line| line[name].as_u64()).sum() };
    assert_eq!(["Started", "Completed", "Failed", "Retried", "TimedOut", "Parked"].map(sum), [1, 1, 0, 0, 0, 0]);
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
    assert_eq!(metrics.len(), 4, "what the guide counts the price of: {line}");
    assert!(line.to_string().len() < 500, "{} bytes", line.to_string().len());
}

#[tokio::test(start_paused = true)]
async fn run_that_waits_for_a_place_and_takes_too_long_counts_as_both_with_its_times() {
    let (written, _guard) = written_with(targets(Some("error")).with_target(METRICS, LevelFilter::INFO));
    let slow = task(COUNT, async |_: u32, _: TaskContext| -> Result<(), TaskError> {
        tokio::time::sleep(hours(1)).await;
        Ok(())
    });
    let app = TestApp::new().with(slow.timeout(seconds(5)).retry(Retry::never()).rate_limit(1, per(minutes(1))));
    for _ in 0..2 {
        app.run(COUNT, 1).await.unwrap();
    }
    app.run_until_idle().await;
    let lines: Vec<Value> = written.lines().into_iter().filter(|line| line.get("_aws").is_some()).collect();
    let all = |name: &str| -> Vec<u64> { lines.iter().filter_map(|line| line[name].as_u64()).collect() };
    assert_eq!((all("Parked"), all("TimedOut"), all("Failed")), (vec![1], vec![1, 1], vec![1, 1]));
    assert_eq!(all("Delay"), [0, 60_000], "due at once, and taken a minute later");
    assert!(all("Duration").iter().all(|ms| (5_000..6_000).contains(ms)), "{:?}", all("Duration"));
}

#[tokio::test]
async fn metrics_that_are_switched_off_write_nothing() {
    let (written, _guard) = written(Some("trace"));
    let app = TestApp::new().with(task(COUNT, count));
    app.run(COUNT, 1).await.unwrap();
    app.advance(minutes(1)).await;
    assert!(!written.text().contains("_aws"), "{}", written.text());
}

/// The fields of each attempt's span, as a layer that exports spans reads them.
#[derive(Clone, Default)]
struct Attempts(Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>);

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Attempts {
    fn on_new_span(&self, span: &Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
        let mut fields = Fields::default();
        span.record(&mut fields);
        if span.metadata().target() == ATTEMPT_SPAN {
            self.0.lock().unwrap().push(fields.0);
        }
    }
}

#[tokio::test]
async fn attempt_is_a_span_with_the_names_and_the_trace_that_exporters_ask_for() {
    let attempts = Attempts::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(attempts.clone()));
    let app = TestApp::new().with(task(COUNT, count)).with(on(ASKED, asked));
    app.run(COUNT, 1).traceparent(TRACEPARENT).await.unwrap();
    app.publish(ASKED, BODY.to_owned()).await.unwrap();
    app.advance(seconds(1)).await;
    let attempts = attempts.0.lock().unwrap();
    let [run, event] = &attempts[..] else { panic!("{attempts:?}") };
    for (span, name) in [(run, "count"), (event, "asked")] {
        assert_eq!((&*span["otel.name"], &*span["otel.kind"], &*span["attempt"]), (name, "consumer", "1"));
    }
    assert_eq!((&*run["trace"], event.get("trace")), ("5759e988bd862e3fe1be46a994272793", None));
}
