//! Lambda's Runtime API: the next payload, its answer, and the next.

use std::{process, sync::Arc};

use dacapo_core::{conductor::Conductor, runner::Runner};
use dacapo_domain::Json;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, Runtime, layers::TracingLayer, service_fn, tower::util::MapResponseLayer};

use crate::{answer::answer, receiver::Receiver, refusal::Refusal};

/// The exit code of a process that a blocked handler holds.
const BLOCKED: i32 = 1;

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
    serve(runner).await
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
