//! The engine's side: each verb is a route that calls its port.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::post,
};
use dacapo_core::port::{PortError, PortErrorKind, PortResult, Ports};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    guard::guard,
    verbs::{self, Verb},
};

/// The longest request: a message of 256 KiB as JSON text within JSON, several times over.
const LONGEST_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// Serves the ports.
pub fn router(ports: Ports) -> Router {
    let router = probe(outbox(records(Router::new())));
    router.layer(DefaultBodyLimit::max(LONGEST_REQUEST_BYTES)).layer(middleware::from_fn(guard)).with_state(ports)
}

fn records(router: Router<Ports>) -> Router<Ports> {
    let router =
        serve(router, &verbs::CREATE, async |ports, (write, claim)| ports.records.create(&write, claim.as_ref()).await);
    let router = serve(router, &verbs::LOAD, async |ports, key| ports.records.load(&key).await);
    let router = serve(router, &verbs::SAVE, async |ports, (seen, write)| ports.records.save(&seen, &write).await);
    let router =
        serve(router, &verbs::DELETE, async |ports, (seen, effects)| ports.records.delete(&seen, &effects).await);
    let router = serve(router, &verbs::QUERY, async |ports, query| ports.records.query(&query).await);
    let router = serve(router, &verbs::APPEND, async |ports, (key, lines)| ports.records.append(&key, &lines).await);
    serve(router, &verbs::READ_LOG, async |ports, (key, after, limit)| {
        ports.records.read_log(&key, after.as_deref(), limit).await
    })
}

fn outbox(router: Router<Ports>) -> Router<Ports> {
    serve(router, &verbs::POST, async |ports, effect| ports.outbox.post(&effect).await)
}

fn probe(router: Router<Ports>) -> Router<Ports> {
    let router = serve(router, &verbs::HAS_BACKLOG, async |ports, function| ports.probe.has_backlog(&function).await);
    serve(router, &verbs::EXECUTION_STATUS, async |ports, execution| ports.probe.execution_status(&execution).await)
}

fn serve<Sent, Back, Act, Acting>(router: Router<Ports>, verb: &Verb<Sent, Back>, act: Act) -> Router<Ports>
where
    Sent: DeserializeOwned + Send + 'static,
    Back: Serialize + Send + 'static,
    Act: Fn(Ports, Sent) -> Acting + Clone + Send + Sync + 'static,
    Acting: Future<Output = PortResult<Back>> + Send,
{
    let handler = async move |State(ports): State<Ports>, body: Bytes| match serde_json::from_slice(&body) {
        Ok(sent) => answer(act(ports, sent).await),
        Err(error) => refused(&error),
    };
    router.route(verb.path, post(handler))
}

fn answer<Back: Serialize>(back: PortResult<Back>) -> Response {
    match back {
        Ok(back) => json(StatusCode::OK, &back),
        Err(error) => json(StatusCode::INTERNAL_SERVER_ERROR, &error),
    }
}

/// The reply to a call that doesn't parse: sender and engine were built from different versions.
fn refused(error: &serde_json::Error) -> Response {
    let message = format!("the engine does not understand the call: {error} (build both from one version)");
    let error = PortError::new(PortErrorKind::Refused, message);
    json(StatusCode::BAD_REQUEST, &error)
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
