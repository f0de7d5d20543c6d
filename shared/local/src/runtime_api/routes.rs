//! The routes of the Runtime API, as `lambda_runtime` calls them.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderName, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{Ended, Slots};
use crate::rpc::{LIVENESS_PATH, guard};

/// Lambda's limit on an answer is 6 MB; an error's text is far shorter.
const LONGEST_ANSWER_BYTES: usize = 6 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE_MS: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");

/// Serves the Runtime API to the processes that have a slot.
pub fn router(slots: Slots) -> Router {
    const BASE: &str = "/rt/{function}/{process}/2018-06-01/runtime";
    Router::new()
        .route(&format!("{BASE}/invocation/next"), get(next))
        .route(&format!("{BASE}/invocation/{{id}}/response"), post(response))
        .route(&format!("{BASE}/invocation/{{id}}/error"), post(error))
        .route(&format!("{BASE}/init/error"), post(init_error))
        .route(LIVENESS_PATH, get(std::future::pending::<()>))
        .layer(DefaultBodyLimit::max(LONGEST_ANSWER_BYTES))
        .layer(middleware::from_fn(guard))
        .with_state(slots)
}

async fn next(State(slots): State<Slots>, Path((function, process)): Path<(String, u64)>) -> Response {
    let Some(slot) = slots.find(&function, process) else { return unknown() };
    let handed = slot.next().await;
    let headers = [
        (REQUEST_ID, handed.request_id.clone()),
        (DEADLINE_MS, handed.deadline_ms.to_string()),
        (FUNCTION_ARN, format!("arn:aws:lambda:local:000000000000:function:{function}")),
        (TRACE_ID, format!("Root=1-00000000-{}", &handed.request_id.replace('-', "")[..24])),
        (header::CONTENT_TYPE, "application/json".to_owned()),
    ];
    (headers, handed.payload).into_response()
}

type Invocation = (String, u64, String);

async fn response(State(slots): State<Slots>, Path(path): Path<Invocation>, body: Bytes) -> Response {
    end(&slots, path, Ended::Answered(body))
}

async fn error(State(slots): State<Slots>, Path(path): Path<Invocation>, body: Bytes) -> Response {
    end(&slots, path, Ended::Failed(body))
}

fn end(slots: &Slots, (function, process, id): Invocation, ended: Ended) -> Response {
    let Some(slot) = slots.find(&function, process) else { return unknown() };
    if slot.end(&id, ended) { accepted() } else { refused("InvalidRequestID", "no invocation of this id runs") }
}

/// The process says why it can't start, then ends: its end is what counts, and its error output says more.
async fn init_error(State(slots): State<Slots>, Path((function, process)): Path<(String, u64)>) -> Response {
    if slots.find(&function, process).is_some() { accepted() } else { unknown() }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(serde_json::json!({ "status": "OK" }))).into_response()
}

/// The engine didn't start this process, or has given it up.
fn unknown() -> Response {
    (StatusCode::GONE, Json(error_body("UnknownProcess", "the engine doesn't know this process"))).into_response()
}

fn refused(kind: &str, text: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(error_body(kind, text))).into_response()
}

fn error_body(kind: &str, text: &str) -> serde_json::Value {
    serde_json::json!({ "errorType": kind, "errorMessage": text })
}
