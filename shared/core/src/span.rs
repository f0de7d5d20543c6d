//! The spans of attempts: what every line of a log, and every span of a handler's own, is within.

use std::sync::OnceLock;

use dacapo_domain::{AttemptError, EventMessage, RunRecord, TraceParent, code};
use tracing::Span;

/// The target of the spans of attempts, by which a subscriber finds them. Their fields are `run`, `iteration`, `attempt`,
/// or `event`, `eventId`, `handler`, `attempt`, and `trace` where there is one; their names for OpenTelemetry are in `otel.name` and `otel.kind`.
pub const ATTEMPT_SPAN: &str = "dacapo::attempt";

static LINK: OnceLock<fn(&Span, TraceParent)> = OnceLock::new();

/// Lets each new span of an attempt be put into the trace of who started it, by an exporter of spans: one a process, the
/// first that is given.
pub fn link_spans(link: fn(&Span, TraceParent)) {
    let _ = LINK.set(link);
}

/// The trace that a start or an event was given with. A text that is none fails nothing: it is warned of.
pub fn read_traceparent(text: &str) -> Option<TraceParent> {
    let read = text.parse();
    read.inspect_err(|error| tracing::warn!(bytes = text.len(), %error, "a traceparent is left out")).ok()
}

/// The span of an attempt at a run's iteration, or of the hooks of its end.
pub(crate) fn of_run(run: &RunRecord) -> Span {
    let RunRecord { id, name, iteration, attempt, .. } = run;
    let span = tracing::error_span!(
        target: ATTEMPT_SPAN, "attempt", otel.name = name, otel.kind = "consumer", run = %id, iteration, attempt,
        trace = trace(run.traceparent)
    );
    linked(span, run.traceparent)
}

/// The span of one handler's attempt at an event.
pub(crate) fn of_event(event: &EventMessage, handler: &str) -> Span {
    let EventMessage { id, name, attempt, .. } = event;
    let span = tracing::error_span!(
        target: ATTEMPT_SPAN, "attempt", otel.name = name, otel.kind = "consumer", event = name, eventId = %id, handler, attempt,
        trace = trace(event.traceparent)
    );
    linked(span, event.traceparent)
}

fn linked(span: Span, of: Option<TraceParent>) -> Span {
    if let (Some(link), Some(of)) = (LINK.get(), of) {
        link(&span, of);
    }
    span
}

fn trace(of: Option<TraceParent>) -> Option<String> {
    of.map(TraceParent::trace_id)
}

/// The message of an attempt's error, as a log may have it: one about a body that doesn't fit quotes from it.
pub(crate) fn told(error: &AttemptError) -> Option<&str> {
    let quotes = [code::BODY_MISMATCH, code::INPUT_MISMATCH].contains(&error.error.code.as_str());
    (!quotes).then_some(&error.error.message)
}
