//! The process's own log, apart from what a handler keeps with its run.
//!
//! On Lambda each line is one flat JSON object, which says where it comes from: `app`, `stage`, `function`, within an
//! invocation `requestId` and `xrayTraceId`, and within an attempt `run`, `iteration`, `attempt` and `trace`, or `event`,
//! `eventId`, `handler`, `attempt` and `trace`.

use std::{
    fmt,
    io::{IsTerminal, stdout},
    time::{SystemTime as Now, UNIX_EPOCH},
};

use dacapo_client::variable;
use dacapo_core::{ATTEMPT_SPAN, METRICS};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer, Registry,
    field::RecordFields,
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

use crate::emf;

/// A layer that sees the spans of attempts and handlers.
pub type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// The target of the span around an invocation, which has `requestId` and `xrayTraceId`: `lambda_runtime`'s, of level INFO.
const INVOCATION_SPAN: &str = "lambda_runtime::layers::trace";
/// The beginning of the names of fields that are for other tools than this log: a span's name and kind.
const FOR_OTHERS: &str = "otel.";
/// The name of a line's text among its fields.
const MESSAGE: &str = "message";

/// Starts the log.
///
/// It goes to stdout: JSON on Lambda, where `AWS_LAMBDA_LOG_FORMAT` asks for it, plain elsewhere.
/// `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG` says what (`info,my_crate=debug`); without either, what is `info` or worse.
/// Spans go to their layer, if there is one; why there is none is a line of its own.
pub(crate) fn start(function: &str, spans: Result<Option<SpanLayer>, String>) {
    let (spans, refused) = match spans {
        Ok(spans) => (spans, None),
        Err(refused) => (None, Some(refused)),
    };
    let wanted = variable("AWS_LAMBDA_LOG_LEVEL").or_else(|| variable("RUST_LOG"));
    // A subscriber that was set before stays.
    let _ = if variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json")) {
        let targets = targets(wanted.as_deref());
        let with_metrics = variable("DACAPO_METRICS").is_some_and(|metrics| metrics == "on");
        let metrics = if with_metrics { LevelFilter::INFO } else { LevelFilter::OFF };
        json(spans, place(function), targets.with_target(METRICS, metrics), stdout).try_init()
    } else {
        let lines = tracing_subscriber::fmt::layer().with_target(false).without_time();
        tracing_subscriber::registry()
            .with(spans)
            .with(targets(wanted.as_deref()))
            .with(lines.fmt_fields(PlainFields).with_ansi(stdout().is_terminal()))
            .try_init()
    };
    if let Some(refused) = refused {
        tracing::error!("{refused}");
    }
}

/// The lines that are written: no metrics. Spans of invocations and attempts always are, since every line within one is
/// named by it.
fn targets(wanted: Option<&str>) -> Targets {
    let targets = wanted.and_then(|wanted| wanted.to_lowercase().parse::<Targets>().ok());
    targets
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
        .with_target(INVOCATION_SPAN, LevelFilter::INFO)
        .with_target(ATTEMPT_SPAN, LevelFilter::ERROR)
        .with_target(METRICS, LevelFilter::OFF)
}

/// The subscriber that writes JSON.
fn json<W>(
    spans: Option<SpanLayer>,
    place: Map<String, Value>,
    targets: Targets,
    writer: W,
) -> impl Subscriber + Send + Sync + for<'a> LookupSpan<'a>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().fmt_fields(JsonFields::new()).event_format(JsonLines { place });
    tracing_subscriber::registry().with(spans).with(targets).with(lines.with_writer(writer))
}

/// The origin of all lines of this process.
fn place(function: &str) -> Map<String, Value> {
    let app = variable("DACAPO_APP").map(|app| ("app".to_owned(), app.into()));
    let stage = variable("DACAPO_STAGE").map(|stage| ("stage".to_owned(), stage.into()));
    app.into_iter().chain(stage).chain([("function".to_owned(), function.into())]).collect()
}

/// Writes fields as `name=value`.
struct PlainFields;

struct Fields<'w> {
    writer: Writer<'w>,
    space: &'static str,
    written: fmt::Result,
}

impl<'w> FormatFields<'w> for PlainFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = Fields { writer, space: "", written: Ok(()) };
        fields.record(&mut visitor);
        visitor.written
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == MESSAGE {
            return self.record_debug(field, &format_args!("{value}"));
        }
        self.record_debug(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let Self { writer, space, written } = self;
        if written.is_err() || field.name().starts_with(FOR_OTHERS) {
            return;
        }
        *written = match field.name() {
            MESSAGE => write!(writer, "{space}{value:?}"),
            name => write!(writer, "{space}{name}={value:?}"),
        };
        *space = " ";
    }
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
        let mut of_event = String::new();
        cx.field_format().format_fields(Writer::new(&mut of_event), event)?;
        if event.metadata().target() == METRICS {
            return writeln!(writer, "{}", emf::line(&self.place, read(&of_event), now_ms()));
        }
        let mut fields = self.place.clone();
        for span in cx.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            if let Some(of_span) = span.extensions().get::<FormattedFields<JsonFields>>() {
                fields.extend(read(of_span).into_iter().filter(|(name, _)| !name.starts_with(FOR_OTHERS)));
            }
        }
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

fn now_ms() -> u64 {
    let since = Now::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn read(fields: &str) -> Map<String, Value> {
    serde_json::from_str(fields).unwrap_or_default()
}

#[cfg(test)]
mod tests;
