//! Direct invocations: `aws lambda invoke --endpoint-url http://127.0.0.1:8787` works here too. So does the address at
//! which tokens are completed, and the one at which events are published.

use std::sync::Arc;

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderName, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use dacapo_core::{
    App,
    port::{PortError, Ports},
    webhook::{EVENT_PATH, TOKEN_PATH, WebhookAnswer, WebhookKey, WebhookRequest, event_webhook, webhook},
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
pub fn router(engine: Arc<Engine>, ports: Ports, app: &str, webhook_key: Option<WebhookKey>) -> Router {
    let about = serde_json::json!({ "dacapo": env!("CARGO_PKG_VERSION"), "app": app });
    let bodies =
        Bodies { longest: LONGEST_PAYLOAD_BYTES, refuse: |status, why| (status, format!("{why}\n")).into_response() };
    let (publishes, key) = (App::new(ports.clone()), Arc::new(webhook_key));
    let publish = async move |request: Request| event(&publishes, key.as_ref().as_ref(), request).await;
    Router::new()
        .route(EVENT_PATH, any(publish))
        .route("/2015-03-31/functions/{function}/invocations", post(invoke))
        .route(&format!("{TOKEN_PATH}{{token}}"), any(async move |request: Request| token(&ports, request).await))
        .route("/about", get(async move || axum::Json(about)))
        .layer(middleware::from_fn(to_its_end))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(bodies, whole))
        .layer(middleware::from_fn(guard))
        .with_state(engine)
}

/// Carries out a request that has come, also where its caller goes away before it has the answer: so it is on Lambda.
async fn to_its_end(request: Request, next: Next) -> Response {
    let answered = tokio::spawn(next.run(request)).await;
    let failed = |error| (StatusCode::INTERNAL_SERVER_ERROR, format!("the call failed: {error}\n")).into_response();
    answered.unwrap_or_else(failed)
}

async fn invoke(State(engine): State<Arc<Engine>>, Path(function): Path<String>, body: Bytes) -> Response {
    let payload = match payload(&body) {
        Ok(payload) => payload,
        Err(error) => {
            let why = format!("the payload is no JSON: {error} (send one JSON value, or nothing)\n");
            return (StatusCode::BAD_REQUEST, why).into_response();
        }
    };
    match engine.invoke_directly(&function, payload).await {
        None => {
            let why =
                "no function has this name (a function is named as its task, one of event handlers as its crate)\n";
            (StatusCode::NOT_FOUND, why).into_response()
        }
        Some(Ok(answer)) => answer.text().to_owned().into_response(),
        Some(Err(failed)) => {
            let error = serde_json::json!({ "errorMessage": failed.cause });
            ([(FUNCTION_ERROR, "Unhandled")], axum::Json(error)).into_response()
        }
    }
}

/// Completes a token, as the function URL of a stack that has one does.
async fn token(ports: &Ports, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_PAYLOAD_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    told(webhook(ports, parts.method.as_str(), parts.uri.path(), &body).await)
}

/// Publishes an event, as the function URL of a stack that has one does.
async fn event(app: &App, key: Option<&WebhookKey>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_PAYLOAD_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let request = WebhookRequest {
        method: parts.method.as_str(),
        body: &body,
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        traceparent: header("traceparent"),
    };
    told(event_webhook(app, key, request).await)
}

fn told(answer: Result<WebhookAnswer, PortError>) -> Response {
    match answer {
        Ok(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let json = [(header::CONTENT_TYPE, "application/json")];
            (status, json, answer.body.text().to_owned()).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

fn payload(body: &Bytes) -> Result<Json, serde_json::Error> {
    match body.is_empty() {
        true => Ok(Json::default()),
        false => serde_json::from_slice(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_that_is_no_json_is_refused_with_the_reason() {
        let read = |body: &[u8]| payload(&Bytes::copy_from_slice(body)).map_err(|error| error.to_string());
        assert_eq!(read(b"").unwrap().text(), "{}");
        assert_eq!(read(b"[1.10, 1000000000000000000001]").unwrap().text(), "[1.10, 1000000000000000000001]");
        assert!(read(b"{oops}").unwrap_err().contains("key must be a string at line 1 column 2"));
        assert!(read(b"\"\xff\"").unwrap_err().contains("invalid unicode"));
        assert!(read(b"1 2").unwrap_err().contains("trailing characters"));
    }
}
