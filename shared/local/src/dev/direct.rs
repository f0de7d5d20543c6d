//! Direct invocations: `aws lambda invoke --endpoint-url http://127.0.0.1:8787` works here too.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderName, StatusCode},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use dacapo_domain::Json;

use crate::{
    engine::Engine,
    http::{Bodies, guard, whole},
};

/// Lambda's limit on a payload.
const LONGEST_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");

/// Serves direct invocations of functions, and says who is here.
pub fn router(engine: Arc<Engine>, app: &str) -> Router {
    let about = serde_json::json!({ "dacapo": env!("CARGO_PKG_VERSION"), "app": app });
    let bodies =
        Bodies { longest: LONGEST_PAYLOAD_BYTES, refuse: |status, why| (status, format!("{why}\n")).into_response() };
    Router::new()
        .route("/2015-03-31/functions/{function}/invocations", post(invoke))
        .route("/about", get(async move || axum::Json(about)))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(bodies, whole))
        .layer(middleware::from_fn(guard))
        .with_state(engine)
}

async fn invoke(State(engine): State<Arc<Engine>>, Path(function): Path<String>, body: Bytes) -> Response {
    let Some(payload) = payload(&body) else {
        return (StatusCode::BAD_REQUEST, "the payload is no JSON\n").into_response();
    };
    match engine.invoke_directly(&function, payload).await {
        None => (StatusCode::NOT_FOUND, format!("no function is named {function}\n")).into_response(),
        Some(Ok(answer)) => answer.text().to_owned().into_response(),
        Some(Err(failed)) => {
            let error = serde_json::json!({ "errorMessage": failed.cause });
            ([(FUNCTION_ERROR, "Unhandled")], axum::Json(error)).into_response()
        }
    }
}

fn payload(body: &Bytes) -> Option<Json> {
    if body.is_empty() {
        return Some(Json::default());
    }
    Json::from_text(std::str::from_utf8(body).ok()?).ok()
}
