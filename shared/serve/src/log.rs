//! The process's own log, apart from what a handler keeps with its run.
//!
//! On Lambda each line is one flat JSON object, which says where it comes from: `app`, `stage`, `function`, and within an
//! attempt `run`, `iteration`, `attempt` and `trace`, or `event`, `eventId`, `handler`, `attempt` and `trace`.

use std::{fmt, io::IsTerminal, io::stdout};

use dacapo_client::variable;
use dacapo_core::ATTEMPT_SPAN;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter,
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Starts the log.
///
/// It goes to stdout: JSON on Lambda, where `AWS_LAMBDA_LOG_FORMAT` asks for it, plain elsewhere.
/// `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG` says what (`info,my_crate=debug`); without either, what is `info` or worse.
pub(crate) fn start(function: &str) {
    let wanted = variable("AWS_LAMBDA_LOG_LEVEL").or_else(|| variable("RUST_LOG"));
    // A subscriber that was set before stays.
    let _ = if variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json")) {
        json(place(function), wanted.as_deref(), stdout).try_init()
    } else {
        let lines = tracing_subscriber::fmt::layer().with_target(false).without_time();
        tracing_subscriber::registry()
            .with(targets(wanted.as_deref()))
            .with(lines.with_ansi(stdout().is_terminal()))
            .try_init()
    };
}

/// What is written. The spans of attempts always are, since every line within one is named by it.
fn targets(wanted: Option<&str>) -> Targets {
    let targets = wanted.and_then(|wanted| wanted.to_lowercase().parse::<Targets>().ok());
    targets
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
        .with_target(ATTEMPT_SPAN, LevelFilter::ERROR)
}

/// The subscriber that writes JSON.
fn json<W>(
    place: Map<String, Value>,
    wanted: Option<&str>,
    writer: W,
) -> impl Subscriber + Send + Sync + for<'a> LookupSpan<'a>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().fmt_fields(JsonFields::new()).event_format(JsonLines { place });
    tracing_subscriber::registry().with(targets(wanted)).with(lines.with_writer(writer))
}

/// Where all lines of this process come from.
fn place(function: &str) -> Map<String, Value> {
    let app = variable("DACAPO_APP").map(|app| ("app".to_owned(), app.into()));
    let stage = variable("DACAPO_STAGE").map(|stage| ("stage".to_owned(), stage.into()));
    app.into_iter().chain(stage).chain([("function".to_owned(), function.into())]).collect()
}

/// Writes an event as one flat JSON object.
struct JsonLines {
    place: Map<String, Value>,
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, JsonFields> for JsonLines {
    fn format_event(
        &self,
        cx: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = self.place.clone();
        for span in cx.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            if let Some(of_span) = span.extensions().get::<FormattedFields<JsonFields>>() {
                // For other tools than this log: the span's name and kind.
                fields.extend(read(of_span).into_iter().filter(|(name, _)| !name.starts_with("otel.")));
            }
        }
        let mut of_event = String::new();
        cx.field_format().format_fields(Writer::new(&mut of_event), event)?;
        for (name, value) in read(&of_event) {
            // What says where the line comes from stays; a handler's own of that name stands beside it.
            let is_taken =
                ["timestamp", "level"].contains(&&*name) || fields.get(&name).is_some_and(|own| *own != value);
            fields.insert(if is_taken { format!("field.{name}") } else { name }, value);
        }
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let line = Line { timestamp, level: event.metadata().level().as_str(), fields };
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

fn read(fields: &str) -> Map<String, Value> {
    serde_json::from_str(fields).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use dacapo::prelude::*;
    use dacapo_test_kit::TestApp;
    use serde_json::json;

    use super::*;

    const BODY: &str = "body-that-nobody-may-read";
    const SECRET: &str = "secret-that-nobody-may-read";
    const ASK: TaskRef<String> = TaskRef::new("ask");
    const COUNT: TaskRef<u32> = TaskRef::new("count");
    const ASKED: EventRef<String> = EventRef::new("asked");

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

    fn written(wanted: Option<&str>) -> (Written, tracing::subscriber::DefaultGuard) {
        let written = Written::default();
        let place = [("app", "shop"), ("stage", "dev"), ("function", "ask")];
        let place = place.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let writer = written.clone();
        let guard = tracing::subscriber::set_default(json(place, wanted, move || writer.clone()));
        (written, guard)
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
}
