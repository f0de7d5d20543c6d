//! The engine's side: each verb is a route that calls its port, for programs on this machine and no page in a browser.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Request, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use dacapo_core::port::{PortError, PortErrorKind, PortResult, Ports};
use serde::{Serialize, de::DeserializeOwned};

use super::{APPEND, CREATE, DELETE, EXECUTION_STATUS, HAS_BACKLOG, LOAD, POST, POSTPONE, QUERY, READ_LOG, SAVE, Verb};

/// The longest request: a message of 256 KiB as JSON text within JSON, several times over.
const LONGEST_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// Serves the ports.
pub fn router(ports: Ports) -> Router {
    let router = probe(outbox(records(Router::new())));
    router.layer(DefaultBodyLimit::max(LONGEST_REQUEST_BYTES)).layer(middleware::from_fn(guard)).with_state(ports)
}

fn records(router: Router<Ports>) -> Router<Ports> {
    let router =
        serve(router, &CREATE, async |ports, (write, claim)| ports.records.create(&write, claim.as_ref()).await);
    let router = serve(router, &LOAD, async |ports, key| ports.records.load(&key).await);
    let router = serve(router, &SAVE, async |ports, (seen, write)| ports.records.save(&seen, &write).await);
    let router = serve(router, &DELETE, async |ports, (seen, effects)| ports.records.delete(&seen, &effects).await);
    let router =
        serve(router, &POSTPONE, async |ports, (key, seen, until)| ports.records.postpone(&key, seen, until).await);
    let router = serve(router, &QUERY, async |ports, query| ports.records.query(&query).await);
    let router = serve(router, &APPEND, async |ports, (key, lines)| ports.records.append(&key, &lines).await);
    serve(router, &READ_LOG, async |ports, (key, after, limit)| {
        ports.records.read_log(&key, after.as_deref(), limit).await
    })
}

fn outbox(router: Router<Ports>) -> Router<Ports> {
    serve(router, &POST, async |ports, effect| ports.outbox.post(&effect).await)
}

fn probe(router: Router<Ports>) -> Router<Ports> {
    let router = serve(router, &HAS_BACKLOG, async |ports, function| ports.probe.has_backlog(&function).await);
    serve(router, &EXECUTION_STATUS, async |ports, execution| ports.probe.execution_status(&execution).await)
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

/// Lets a request pass that names this machine as its host and that no web page has sent.
///
/// A page of another site can send requests here, by its own name bound to 127.0.0.1 or straight away; the first
/// has a foreign host, the second an origin.
pub async fn guard(request: Request<Body>, next: Next) -> Response {
    match refusal(request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    }
}

fn refusal(headers: &HeaderMap) -> Option<&'static str> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_this_machine) {
        return Some("the Host header names another machine (use 127.0.0.1 or localhost)");
    }
    headers.contains_key(header::ORIGIN).then_some("web pages may not call the engine (the Origin header is set)")
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in ["127.0.0.1", "127.0.0.1:8787", "localhost:1", "[::1]:8787"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["evil.example:8787", "127.0.0.1.evil.example", "localhost.evil.example:8787", "", "127.0.0.1:x"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
