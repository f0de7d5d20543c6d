//! Serves a function whose spans go to an OpenTelemetry collector: in its `main`, in place of `dacapo_serve::serve`.
//!
//! ```no_run
//! # use dacapo::prelude::*;
//! # const HELLO: TaskRef<String> = TaskRef::new("hello");
//! # fn function() -> impl Function { task(HELLO, async |_: String, _: TaskContext| Ok::<(), TaskError>(())) }
//! fn main() -> std::process::ExitCode {
//!     dacapo_otel::serve(function())
//! }
//! ```
//!
//! `OTEL_EXPORTER_OTLP_ENDPOINT` says where the collector is, as `http://127.0.0.1:4318`; without it nothing is sent, and
//! the function is served as any other. Each attempt is a span of the kind `CONSUMER`, in the trace of who started the run
//! or published the event, and spans of the handler's own are within it. They are sent at the attempt's end, before the
//! function answers: Lambda freezes a process that has answered. A collector that can't be reached costs an attempt at most
//! [`PATIENCE`], and its spans.

use std::{process::ExitCode, time::Duration};

use dacapo::Function;
use dacapo_core::{ATTEMPT_SPAN, link_spans};
use dacapo_domain::TraceParent;
use dacapo_serve::{SpanLayer, variable};
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Id, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, layer, registry::LookupSpan};

/// The longest time that a collector may take for the spans of an attempt.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// The path at a collector that takes spans over HTTP, by OpenTelemetry's protocol.
const TRACES: &str = "v1/traces";

/// Serves a function until the process is stopped, as `dacapo_serve::serve` does.
#[must_use]
pub fn serve(function: impl Function) -> ExitCode {
    dacapo_serve::serve_with(function, |name| {
        let endpoint = variable("OTEL_EXPORTER_OTLP_ENDPOINT").filter(|endpoint| !endpoint.is_empty());
        endpoint.map(|endpoint| layer(&endpoint, resource(name))).transpose()
    })
}

/// The origin of all spans of this process. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say more.
fn resource(function: &str) -> Resource {
    let resource = match variable("OTEL_SERVICE_NAME") {
        Some(_) => Resource::builder(),
        None => Resource::builder().with_service_name(function.to_owned()),
    };
    let place = [("service.namespace", "DACAPO_APP"), ("deployment.environment.name", "DACAPO_STAGE")];
    let place = place.into_iter().filter_map(|(key, name)| Some(KeyValue::new(key, variable(name)?)));
    resource.with_attributes(place).build()
}

/// The layer that sends spans to the collector at an endpoint.
fn layer(endpoint: &str, of: Resource) -> Result<SpanLayer, String> {
    let refused = |why: &str| format!("OTEL_EXPORTER_OTLP_ENDPOINT {endpoint:?} {why}: no spans are sent");
    if !endpoint.starts_with("http://") {
        return Err(refused("is no address as http://127.0.0.1:4318"));
    }
    let address = format!("{}/{TRACES}", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder().with_http().with_endpoint(address).with_timeout(PATIENCE).build();
    let exporter = exporter.map_err(|error| refused(&error.to_string()))?;
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(of).build();
    link_spans(join);
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("dacapo"));
    Ok(Box::new(spans.and_then(Sent(provider))))
}

/// Puts an attempt's span below the one that its run or event was started from.
fn join(span: &Span, parent: TraceParent) {
    let flags = if parent.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, id) = (TraceId::from(parent.trace()), SpanId::from(parent.span()));
    let parent = SpanContext::new(trace, id, flags, true, TraceState::default());
    // It fails for a span that has begun, or that no layer sends.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

/// Sends what there is at the end of each attempt.
struct Sent(SdkTracerProvider);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Sent {
    fn on_close(&self, id: Id, cx: layer::Context<'_, S>) {
        if cx.metadata(&id).is_some_and(|span| span.target() == ATTEMPT_SPAN) {
            // It waits for the thread that sends, while others go on.
            if let Err(error) = tokio::task::block_in_place(|| self.0.force_flush()) {
                tracing::warn!(%error, "spans were not sent");
            }
        }
    }
}

#[cfg(test)]
mod tests;
