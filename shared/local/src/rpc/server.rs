//! The engine's side: each verb is a route that calls its port, for programs on this machine and no page in a browser.
//! A call that has come is carried out, also where its caller goes away before it has the answer.

use std::sync::Arc;

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
use dacapo_domain::Created;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    APPEND, CREATE, DELETE, EXECUTION_STATUS, GATHER, HAS_BACKLOG, LOAD, LOAD_UNTIL, OWNED, PEEK, POST, POSTPONE,
    QUERY, READ_LOG, READ_LOG_BACK, SAVE, Verb,
};
use crate::{
    engine::Admission,
    http::{Bodies, guard, whole},
};

/// The longest request: a message of 1 MiB as JSON text within JSON, several times over.
const LONGEST_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// Serves the ports. Starts are acknowledged as they are admitted.
pub fn router(ports: Ports, admission: Arc<Admission>) -> Router {
    let router = probe(outbox(records(Router::new(), admission)));
    let bodies = Bodies { longest: LONGEST_REQUEST_BYTES, refuse: |status, why| refused(status, &why) };
    router
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(bodies, whole))
        .layer(middleware::from_fn(guard))
        .with_state(ports)
}

fn records(router: Router<Ports>, admission: Arc<Admission>) -> Router<Ports> {
    let router = serve(router, &CREATE, move |ports, (write, claim)| {
        let admission = admission.clone();
        async move {
            let created = ports.records.create(&write, claim.as_ref()).await?;
            if created == Created::New {
                admission.admit(&write.effects).await;
            }
            Ok(created)
        }
    });
    let router = serve(router, &LOAD, async |ports, key| ports.records.load(&key).await);
    let router = serve(router, &LOAD_UNTIL, async |ports, (key, until)| ports.records.load_until(&key, until).await);
    let router = serve(router, &PEEK, async |ports, keys| ports.records.peek(&keys).await);
    let router =
        serve(router, &GATHER, async |ports, (key, set, members)| ports.records.gather(&key, &set, &members).await);
    let router = serve(router, &SAVE, async |ports, (seen, write)| ports.records.save(&seen, &write).await);
    let router = serve(router, &DELETE, async |ports, (seen, effects)| ports.records.delete(&seen, &effects).await);
    let router =
        serve(router, &POSTPONE, async |ports, (key, seen, until)| ports.records.postpone(&key, seen, until).await);
    let router = serve(router, &QUERY, async |ports, query| ports.records.query(&query).await);
    let router = serve(router, &OWNED, async |ports, query| ports.records.owned(&query).await);
    let router = serve(router, &APPEND, async |ports, (key, lines)| ports.records.append(&key, &lines).await);
    let router = serve(router, &READ_LOG, async |ports, (key, after, limit)| {
        ports.records.read_log(&key, after.as_deref(), limit).await
    });
    serve(router, &READ_LOG_BACK, async |ports, (key, before, limit)| {
        ports.records.read_log_back(&key, before.as_deref(), limit).await
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
    Acting: Future<Output = PortResult<Back>> + Send + 'static,
{
    let handler = async move |State(ports): State<Ports>, body: Bytes| match serde_json::from_slice(&body) {
        Ok(sent) => match tokio::spawn(act(ports, sent)).await {
            Ok(back) => answer(back),
            Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &format!("the call failed: {error}")),
        },
        // Sender and engine were built from different versions.
        Err(error) => {
            let why = format!("the engine does not understand the call: {error} (build both from one version)");
            refused(StatusCode::BAD_REQUEST, &why)
        }
    };
    router.route(verb.path, post(handler))
}

fn answer<Back: Serialize>(back: PortResult<Back>) -> Response {
    match back {
        Ok(back) => json(StatusCode::OK, &back),
        Err(error) => json(StatusCode::INTERNAL_SERVER_ERROR, &error),
    }
}

/// The reply to a call that can't be made.
fn refused(status: StatusCode, why: &str) -> Response {
    json(status, &PortError::new(PortErrorKind::Refused, why))
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::http::Request;
    use dacapo_core::port::SystemClock;
    use tokio::sync::Notify;
    use tower::ServiceExt;

    use super::*;
    use crate::sqlite::Database;

    #[tokio::test]
    async fn call_goes_on_where_its_caller_goes_away() {
        const SLOW: Verb<(), ()> = Verb::at("/rpc/slow");
        let (begun, go_on, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begins, waits, ends) = (begun.clone(), go_on.clone(), done.clone());
        let act = move |_: Ports, (): ()| {
            let (begins, waits, ends) = (begins.clone(), waits.clone(), ends.clone());
            async move {
                begins.notify_one();
                waits.notified().await;
                ends.notify_one();
                Ok(())
            }
        };
        let ports = Database::memory(Arc::new(SystemClock)).unwrap().ports();
        let router = serve(Router::new(), &SLOW, act).with_state(ports);
        let caller =
            tokio::spawn(router.oneshot(Request::post(SLOW.path).body(axum::body::Body::from("null")).unwrap()));
        begun.notified().await;
        caller.abort();
        assert!(caller.await.is_err(), "the caller has gone");
        go_on.notify_one();
        tokio::time::timeout(std::time::Duration::from_secs(60), done.notified()).await.unwrap();
    }
}
