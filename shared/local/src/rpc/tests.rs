//! The ports over HTTP: what goes in comes out.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::sync::Arc;

use axum::http::Request;
use dacapo_core::port::{Created, Envelope, Payloads, PortErrorKind, Ports, Saved, Stored, SystemClock};
use dacapo_domain::{Fire, Json, Message, NewRun, Run, Trigger};
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::net::TcpListener;

use super::{client::connect, router};
use crate::sqlite::Database;

type Tested = Result<(), Box<dyn std::error::Error>>;

/// An engine's ports, here and over HTTP.
async fn engine() -> Result<(Database, Ports, String), Box<dyn std::error::Error>> {
    let database = Database::memory(Arc::new(SystemClock))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, router(database.ports())).into_future());
    Ok((database, connect(&url), url))
}

fn a_run(ports: &Ports) -> Run {
    let new = NewRun {
        id: ports.clock.new_id(),
        name: "greet".to_owned(),
        due_at: ports.clock.now(),
        trigger: Trigger::Run,
        parent_id: None,
        hops: 0,
        tags: vec![],
        key: None,
        schedule: None,
        ttl: None,
        execution: None,
    };
    Run::create(new, &ports.clock.moment()).run
}

fn json(text: &str) -> Json {
    Json::from_text(text).unwrap()
}

#[tokio::test]
async fn a_run_and_its_payloads_come_through_unchanged() -> Tested {
    let (_database, ports, _) = engine().await?;
    let run = a_run(&ports);
    // 1.0 is not 1, and a number may have more digits than any machine's.
    let body = json(r#"{"n": 1.0, "big": 123456789012345678901234567890}"#);
    assert_eq!(ports.store.create(&run, &body, None).await?, Created::New);
    let other = Run { version: ports.clock.moment().version(), ..run.clone() };
    assert_eq!(ports.store.create(&other, &body, None).await?, Created::Exists(run.clone()));

    let stored = Stored { run: run.clone(), body: Some(body), input: None, result: None };
    assert_eq!(ports.store.load(run.id).await?, Some(stored));
    Ok(())
}

#[tokio::test]
async fn a_result_of_null_is_a_result() -> Tested {
    let (_database, ports, _) = engine().await?;
    let run = a_run(&ports);
    ports.store.create(&run, &json("null"), None).await?;
    let next = Run { version: ports.clock.moment().version(), ..run.clone() };
    let payloads = Payloads { input: None, result: Some(json("null")) };
    let Saved::Done(_) = ports.store.save(&run, &next, &payloads).await? else { panic!("nobody else writes") };

    let stored = ports.store.load(run.id).await?.unwrap();
    assert_eq!((stored.body, stored.input, stored.result), (Some(json("null")), None, Some(json("null"))));
    let late = Run { version: ports.clock.moment().version(), ..run.clone() };
    let lost = ports.store.save(&run, &late, &Payloads::default()).await?;
    assert!(matches!(lost, Saved::Lost(Some(current)) if current.run == next));
    Ok(())
}

#[tokio::test]
async fn an_error_keeps_its_kind_and_text() -> Tested {
    let (database, ports, _) = engine().await?;
    let message = Message::Fire(Fire { schedule: "s".to_owned(), time: ports.clock.now() });
    let envelope = Envelope { message, delay: std::time::Duration::ZERO };
    let there = ports.queues.send("nobody", &envelope).await.unwrap_err();
    let here = database.ports().queues.send("nobody", &envelope).await.unwrap_err();
    assert_eq!((there.kind(), there.to_string()), (PortErrorKind::NotDeployed, here.to_string()));
    Ok(())
}

#[tokio::test]
async fn where_no_engine_is_the_error_says_how_to_start_one() -> Tested {
    let free = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let error = connect(&format!("http://{free}")).store.manifest().await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Unreachable);
    assert_eq!(
        error.to_string(),
        format!("can't reach the engine at http://{free} (start it with `make dev` or `dacapo dev`)")
    );
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let error = connect("127.0.0.1 8787").store.manifest().await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Refused);
}

#[tokio::test]
async fn web_pages_are_refused() -> Tested {
    let (_database, _, url) = engine().await?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<axum::body::Bytes>>();
    for (name, value) in [("host", "evil.example:8787"), ("origin", "http://evil.example")] {
        let request = Request::post(format!("{url}/rpc/store/manifest")).header(name, value).body(Empty::new())?;
        assert_eq!(client.request(request).await?.status(), 403, "{name}: {value}");
    }
    Ok(())
}
