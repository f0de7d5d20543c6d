//! Lambda's Runtime API: the next payload, its answer, and the next.

use std::{process, sync::Arc};

use dacapo_core::{
    conductor::Conductor,
    port::{PortError, PortErrorKind},
    runner::{InvokeError, Runner},
};
use dacapo_domain::{Json, TraceParent};
use jiff::Timestamp;
use lambda_runtime::{
    Diagnostic, Error, LambdaEvent, Runtime, layers::TracingLayer, service_fn, tower::util::MapResponseLayer,
};

use crate::{answer::answer, receiver::Receiver};

/// The exit code of a process that a blocked handler holds.
const BLOCKED: i32 = 1;

/// The reason why an invocation failed. Its name crosses a service border, so it is chosen by hand and kept.
#[derive(Debug)]
struct Refusal(InvokeError);

impl From<InvokeError> for Refusal {
    fn from(error: InvokeError) -> Self {
        Self(error)
    }
}

impl From<Refusal> for Diagnostic {
    fn from(Refusal(error): Refusal) -> Self {
        let error_type = match &error {
            InvokeError::Payload(_) => "Dacapo.Payload",
            InvokeError::Port(error) => name_of(error),
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// The failure of an invocation as Lambda tells it: JSON with the error's name and message.
#[must_use]
pub fn failure(error: InvokeError) -> String {
    let diagnostic = Diagnostic::from(Refusal(error));
    Json::of(&diagnostic).map_or_else(|_| diagnostic.error_message.clone(), |json| json.text().to_owned())
}

/// Serves a function, until the process is stopped.
///
/// A handler that held its thread past its timeout is left behind: its timeout is recorded, the invocation answered,
/// and then the process exits, since a thread can't be stopped otherwise.
///
/// # Errors
/// The Runtime API can't be reached.
///
/// # Panics
/// Outside of Lambda, where its environment variables are missing.
pub async fn serve_runner(runner: Runner) -> Result<(), Error> {
    serve(runner.side_by_side()).await
}

/// Serves the conductor, until the process is stopped.
///
/// # Errors
/// The Runtime API can't be reached.
///
/// # Panics
/// Outside of Lambda, where its environment variables are missing.
pub async fn serve_conductor(conductor: Conductor) -> Result<(), Error> {
    serve(conductor).await
}

async fn serve(receiver: impl Receiver + 'static) -> Result<(), Error> {
    let receiver = Arc::new(receiver);
    let answering = Arc::clone(&receiver);
    let handler = service_fn(move |event: LambdaEvent<Json>| {
        let receiver = Arc::clone(&answering);
        async move {
            let deadline = deadline(event.context.deadline);
            receiver.trace(trace(event.context.xray_trace_id.as_deref()));
            answer(&*receiver, event.payload, deadline).await.map_err(Refusal::from)
        }
    });
    // The runtime's service is ready once the answer has been taken.
    let leave = MapResponseLayer::new(move |()| {
        if receiver.must_exit() {
            tracing::warn!("a handler holds its thread past its timeout: this process exits");
            process::exit(BLOCKED);
        }
    });
    let runtime = Runtime::new(handler).layer(TracingLayer::new()).layer(leave);
    // On one of tokio's workers, where the handler is spawned too: on `main`'s thread each invocation would have to
    // change threads, there and back.
    tokio::spawn(runtime.run()).await?
}

/// The time at which Lambda stops the invocation; none, where the header is beyond all time.
fn deadline(ms: u64) -> Timestamp {
    i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX)
}

/// The trace of an invocation, as X-Ray's header says it. One that X-Ray doesn't record leads nowhere.
fn trace(header: Option<&str>) -> Option<TraceParent> {
    header.and_then(TraceParent::from_xray).filter(|trace| trace.is_sampled())
}

fn name_of(error: &PortError) -> &'static str {
    match error.kind() {
        PortErrorKind::Transient => "Dacapo.Transient",
        PortErrorKind::Unreachable => "Dacapo.Unreachable",
        PortErrorKind::Denied => "Dacapo.Denied",
        PortErrorKind::NotDeployed => "Dacapo.NotDeployed",
        PortErrorKind::Refused => "Dacapo.Refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_of_an_invocation_is_taken_on_where_xray_records_it() {
        let header =
            |sampled| format!("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled={sampled}");
        let recorded = trace(Some(&header(1))).map(TraceParent::trace_id);
        assert_eq!(recorded.as_deref(), Some("5759e988bd862e3fe1be46a994272793"));
        for header in [Some(&*header(0)), Some("no header"), None] {
            assert_eq!(trace(header), None);
        }
    }

    #[test]
    fn refusal_of_an_invocation_is_named_for_its_kind() {
        let throttled = PortError::new(PortErrorKind::Transient, "failed to save the record: throttled");
        let Diagnostic { error_type, error_message } = Refusal(throttled.into()).into();
        assert_eq!(error_type, "Dacapo.Transient");
        assert_eq!(error_message, "failed to save the record: throttled");

        let Diagnostic { error_type, .. } = Refusal(InvokeError::Payload("it holds event handlers".into())).into();
        assert_eq!(error_type, "Dacapo.Payload");
    }
}
