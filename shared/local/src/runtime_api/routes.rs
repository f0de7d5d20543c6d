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
use crate::{
    http::{Bodies, guard, whole},
    rpc::LIVENESS_PATH,
};

/// Lambda's limit on an answer is 6 MB; an error's text is far shorter.
const LONGEST_ANSWER_BYTES: usize = 6 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE_MS: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");

/// Serves the Runtime API to the processes that have a slot.
pub fn router(slots: Slots) -> Router {
    let process = slots.path("{function}", "{process}");
    let base = format!("{process}/2018-06-01/runtime");
    let bodies = Bodies {
        longest: LONGEST_ANSWER_BYTES,
        refuse: |status, why| (status, Json(error_body("RequestEntityTooLarge", &why))).into_response(),
    };
    Router::new()
        .route(&format!("{base}/invocation/next"), get(next))
        .route(&format!("{base}/invocation/{{id}}/response"), post(response))
        .route(&format!("{base}/invocation/{{id}}/error"), post(error))
        .route(&format!("{base}/init/error"), post(init_error))
        .route(&format!("{process}{LIVENESS_PATH}"), get(std::future::pending::<()>))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(bodies, whole))
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

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn address_of_a_process_without_the_secret_of_this_start_leads_nowhere() {
        let slots = Slots::new().unwrap();
        let (process, _slot) = slots.take("greet");
        let status = async |path: String| {
            let request = Request::post(path).header("host", "127.0.0.1").body(Body::from("{}")).unwrap();
            router(slots.clone()).oneshot(request).await.unwrap().status()
        };
        let (known, other) = (slots.path("greet", process), Slots::new().unwrap().path("greet", process));
        assert_eq!(status(format!("{known}/2018-06-01/runtime/init/error")).await, StatusCode::ACCEPTED);
        for guessed in [other, format!("/rt/greet/{process}"), format!("/rt//greet/{process}")] {
            assert_eq!(status(format!("{guessed}/2018-06-01/runtime/init/error")).await, StatusCode::NOT_FOUND);
            assert_eq!(status(format!("{guessed}/liveness")).await, StatusCode::NOT_FOUND);
        }
        assert_eq!(status("/liveness".to_owned()).await, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn answer_of_a_function_that_is_too_long_is_refused_with_the_limit() {
        let slots = Slots::new().unwrap();
        let (process, _slot) = slots.take("greet");
        let path = format!("{}/2018-06-01/runtime/invocation/x/response", slots.path("greet", process));
        let body = Body::from(vec![b' '; LONGEST_ANSWER_BYTES + 1]);
        let request = Request::post(path).header("host", "127.0.0.1").body(body).unwrap();
        let response = router(slots).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let text = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        assert!(String::from_utf8_lossy(&text).contains("allowed: 6291456 bytes"), "{text:?}");
    }
}
