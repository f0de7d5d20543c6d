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
use dacapo::port::{Created, ExecutionStatus, PortErrorKind, PortResult, Ports};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    guard::guard,
    verbs::{self, Verb},
    wire::WireError,
};

/// The longest request: a message of 256 KiB as JSON text within JSON, several times over.
const LONGEST_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// Serves the ports.
pub fn router(ports: Ports) -> Router {
    let router = queues(store(Router::new()));
    let router = loops(timers(schedules(router)));
    router.layer(DefaultBodyLimit::max(LONGEST_REQUEST_BYTES)).layer(middleware::from_fn(guard)).with_state(ports)
}

fn store(router: Router<Ports>) -> Router<Ports> {
    let router = serve(router, &verbs::CREATE, async |ports, (run, body, key_until)| {
        Ok(match ports.store.create(&run, &body, key_until).await? {
            Created::New => None,
            Created::Exists(run) => Some(run),
        })
    });
    let router = serve(router, &verbs::LOAD, async |ports, id| Ok(ports.store.load(id).await?.map(Into::into)));
    let router = serve(router, &verbs::SAVE, async |ports, (seen, next, payloads)| {
        Ok(ports.store.save(&seen, &next, &payloads.into()).await?.into())
    });
    let router = serve(router, &verbs::LIST, async |ports, filter| Ok(ports.store.list(&filter).await?.into()));
    let router = serve(router, &verbs::OVERDUE, async |ports, (now, limit)| ports.store.overdue(now, limit).await);
    let router = serve(router, &verbs::LOG, async |ports, (id, entries)| ports.store.log(id, &entries).await);
    let router = serve(router, &verbs::LOGS, async |ports, (id, after, limit)| {
        ports.store.logs(id, after.as_deref(), limit).await
    });
    let router = serve(router, &verbs::CREATE_DELIVERY, async |ports, (delivery, body)| {
        Ok(ports.store.create_delivery(&delivery, &body).await?.into())
    });
    let router = serve(router, &verbs::LOAD_DELIVERY, async |ports, key| {
        Ok(ports.store.load_delivery(&key).await?.map(Into::into))
    });
    let router = serve(router, &verbs::SAVE_DELIVERY, async |ports, (seen, next)| {
        Ok(ports.store.save_delivery(&seen, &next).await?.into())
    });
    let router = serve(router, &verbs::SCHEDULE, async |ports, name| ports.store.schedule(&name).await);
    let router = serve(router, &verbs::SAVE_SCHEDULE, async |ports, (seen, next)| {
        ports.store.save_schedule(seen.as_ref(), &next).await
    });
    let router = serve(router, &verbs::DELETE_SCHEDULE, async |ports, name| ports.store.delete_schedule(&name).await);
    let router = serve(router, &verbs::SCHEDULES, async |ports, ()| ports.store.schedules().await);
    let router = serve(router, &verbs::MANIFEST, async |ports, ()| ports.store.manifest().await);
    serve(router, &verbs::PUT_MANIFEST, async |ports, manifest| ports.store.put_manifest(&manifest).await)
}

fn queues(router: Router<Ports>) -> Router<Ports> {
    let router = serve(router, &verbs::SEND, async |ports, (function, envelope)| {
        ports.queues.send(&function, &envelope.into()).await
    });
    let router = serve(router, &verbs::HAS_BACKLOG, async |ports, function| ports.queues.has_backlog(&function).await);
    serve(router, &verbs::DEAD_LETTER, async |ports, (function, text)| ports.queues.dead_letter(&function, &text).await)
}

fn timers(router: Router<Ports>) -> Router<Ports> {
    let router = serve(router, &verbs::PUT_TIMER, async |ports, (name, at, function, message)| {
        ports.timers.put(&name, at, &function, &message).await
    });
    serve(router, &verbs::DELETE_TIMER, async |ports, name| ports.timers.delete(&name).await)
}

fn loops(router: Router<Ports>) -> Router<Ports> {
    let router = serve(router, &verbs::START_LOOP, async |ports, (name, function, call, until)| {
        ports.loops.start(&name, &function, &call, until).await
    });
    let router = serve(router, &verbs::STOP_LOOP, async |ports, (name, cause)| ports.loops.stop(&name, &cause).await);
    serve(router, &verbs::LOOP_IS_RUNNING, async |ports, name| {
        Ok(ports.loops.status(&name).await? == ExecutionStatus::Running)
    })
}

fn schedules(router: Router<Ports>) -> Router<Ports> {
    let router = serve(router, &verbs::PUT_SCHEDULE, async |ports, (name, function, schedule)| {
        ports.schedules.put(&name, &function, &schedule).await
    });
    serve(router, &verbs::REMOVE_SCHEDULE, async |ports, name| ports.schedules.delete(&name).await)
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
        Err(error) => json(StatusCode::INTERNAL_SERVER_ERROR, &WireError::from(error)),
    }
}

/// What was sent doesn't parse: sender and engine were built from different versions.
fn refused(error: &serde_json::Error) -> Response {
    let message = format!("the engine does not understand the call: {error} (build both from one version)");
    let error = dacapo::port::PortError::new(PortErrorKind::Refused, message);
    json(StatusCode::BAD_REQUEST, &WireError::from(error))
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
