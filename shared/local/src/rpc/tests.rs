//! The ports over HTTP: what goes in comes out.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{borrow::Cow, sync::Arc};

use axum::http::Request;
use dacapo_core::{
    port::{ExecutionStatus, PortErrorKind, Ports, SystemClock},
    webhook::webhook,
};
use dacapo_domain::{
    Created, Decision, Effect, Fire, Index, Json, LogLine, Message, NewRun, Payload, Payloads, Query, RunRecord, Saved,
    Secret, TokenText, Trigger, WaitLoopCall, Write, slot,
};
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
    tokio::spawn(axum::serve(listener, router(database.ports(), Arc::default())).into_future());
    Ok((database, connect(&url), url))
}

fn new_run(ports: &Ports) -> Decision<RunRecord> {
    let new = NewRun::at(ports.clock.new_id(), "greet", ports.clock.now(), Trigger::Run);
    RunRecord::create(new, &ports.clock.decision_context())
}

/// The write of the same record with another version and these payloads.
fn next(ports: &Ports, write: &Write, payloads: Payloads) -> Write {
    let mut next = Write { payloads, effects: vec![], ..write.clone() };
    next.header.version = ports.clock.decision_context().version();
    next
}

fn json(text: &str) -> Json {
    Json::from_text(text).unwrap()
}

#[tokio::test]
async fn record_and_its_payloads_come_through_unchanged() -> Tested {
    let (_database, ports, _) = engine().await?;
    // 1.0 is not 1, and a number may have more digits than any machine's.
    let body = json(r#"{"n": 1.0, "big": 123456789012345678901234567890}"#);
    let write = new_run(&ports).with(slot::BODY, body.clone()).write()?;
    assert_eq!(ports.records.create(&write, None).await?, Created::New);
    let Created::Exists(found) = ports.records.create(&next(&ports, &write, Payloads::none()), None).await? else {
        panic!("it is there");
    };

    assert_eq!((&found.header, &found.document), (&write.header, &write.document));
    assert_eq!(found.payloads.get(slot::BODY), Payload::Here(&body));
    assert_eq!(ports.records.load(&write.header.key).await?, Some(found));
    Ok(())
}

#[tokio::test]
async fn result_of_null_is_a_result() -> Tested {
    let (_database, ports, _) = engine().await?;
    let write = new_run(&ports).with(slot::BODY, json("null")).write()?;
    ports.records.create(&write, None).await?;
    let result = Payloads::none().with(slot::RESULT, json("null"));
    let Saved::Done(saved) = ports.records.save(&write.header, &next(&ports, &write, result)).await? else {
        panic!("no other writes");
    };

    let stored = ports.records.load(&write.header.key).await?.unwrap();
    assert_eq!(stored.payloads, saved);
    for (slot, payload) in [(slot::BODY, true), (slot::INPUT, false), (slot::RESULT, true)] {
        let expected = json("null");
        assert_eq!(saved.get(slot), if payload { Payload::Here(&expected) } else { Payload::Absent }, "{slot}");
    }
    let late = next(&ports, &write, Payloads::none());
    let lost = ports.records.save(&write.header, &late).await?;
    assert!(matches!(lost, Saved::Lost(Some(current)) if current == stored));
    Ok(())
}

#[tokio::test]
async fn every_other_verb_does_there_what_it_does_here() -> Tested {
    let (database, ports, _) = engine().await?;
    let write = new_run(&ports).write()?;
    let key = &write.header.key;
    ports.records.create(&write, None).await?;

    let lines = ["a", "b"].map(|sort| LogLine { sort: sort.to_owned(), document: json("1") });
    ports.records.append(key, &lines).await?;
    assert_eq!(ports.records.read_log(key, Some("a"), 10).await?, lines[1..]);
    assert_eq!(ports.records.read_log_back(key, Some("b"), 10).await?, lines[..1]);

    let gathered = ports.records.gather(key, slot::WAITERS, &["b".to_owned(), "a".to_owned()]).await?;
    assert_eq!(
        gathered.map(|stored| stored.payloads.members(slot::WAITERS)),
        Some(["a", "b"].map(str::to_owned).into())
    );
    let gone = RunRecord::key_of(ports.clock.new_id());
    assert_eq!(ports.records.gather(&gone, slot::WAITERS, &["a".to_owned()]).await?, None);
    let peeked = ports.records.peek(&[gone, key.clone()]).await?;
    assert_eq!(peeked, ports.records.load(key).await?.into_iter().collect::<Vec<_>>());

    let (partitions, below) = (vec![RunRecord::partition("greet")], Some("~".to_owned()));
    let query = Query { index: Index::List, partitions, from: None, below, descending: true, limit: 10 };
    let page = ports.records.query(&query).await?;
    assert_eq!(
        page.records.iter().map(|found| Cow::Borrowed(&found.header.key)).collect::<Vec<_>>(),
        [Cow::Borrowed(key)]
    );
    assert_eq!(page, database.ports().records.query(&query).await?);

    let (run, started) = (ports.clock.new_id(), ports.clock.now());
    let function = "greet".to_owned();
    let (tries, throttled) = (0, None);
    let call =
        WaitLoopCall { run, function, generation: 1, round: 0, started, iteration: 2, attempt: 1, tries, throttled };
    ports.outbox.post(&Effect::StartWaitLoop { execution: "x".to_owned(), call, until: started }).await?;
    assert_eq!(ports.probe.execution_status("x").await?, ExecutionStatus::Running);
    assert_eq!(ports.probe.execution_status("y").await?, ExecutionStatus::Ended(None));
    assert_eq!(ports.probe.has_backlog("greet").await.unwrap_err().kind(), PortErrorKind::NotDeployed);

    assert!(ports.records.delete(&write.header, &[Effect::CancelTimer { timer: "t".to_owned() }]).await?);
    assert_eq!(ports.records.load(key).await?, None);
    Ok(())
}

#[tokio::test]
async fn error_keeps_its_kind_and_text() -> Tested {
    let (database, ports, _) = engine().await?;
    let effect = Effect::send("gone", &Message::Fire(Fire { schedule: "s".to_owned(), time: ports.clock.now() }));
    let there = ports.outbox.post(&effect).await.unwrap_err();
    let here = database.ports().outbox.post(&effect).await.unwrap_err();
    assert_eq!((there.kind(), there.to_string()), (PortErrorKind::NotDeployed, here.to_string()));
    Ok(())
}

#[tokio::test]
async fn error_where_no_engine_is_says_how_to_start_one() -> Tested {
    let free = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let error = connect(&format!("http://{free}")).probe.execution_status("x").await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Unreachable);
    assert_eq!(
        error.to_string(),
        format!("can't reach the engine at http://{free} (start it with `make dev` or `dacapo dev`)")
    );
    Ok(())
}

#[tokio::test]
async fn request_to_an_address_for_the_outside_is_told_to_come_again_where_no_store_answers() -> Tested {
    let free = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let ports = connect(&format!("http://{free}"));
    let token = TokenText { run: ports.clock.new_id(), name: "approve".to_owned(), secret: Secret::new(1) };
    let answer = webhook(&ports, "POST", &format!("/token/{token}"), b"true").await?;
    assert_eq!(answer.status, 503, "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn address_that_is_none_is_refused() {
    let error = connect("127.0.0.1 8787").probe.execution_status("x").await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Refused);
}

#[tokio::test]
async fn requests_of_web_pages_are_refused() -> Tested {
    let (_database, _, url) = engine().await?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<axum::body::Bytes>>();
    for (name, value) in
        [("host", "evil.example:8787"), ("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")]
    {
        let request = Request::post(format!("{url}/rpc/records/load")).header(name, value).body(Empty::new())?;
        let response = client.request(request).await?;
        assert_eq!(response.status(), 403, "{name}: {value}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["cross-origin-resource-policy"], "same-origin");
    }
    Ok(())
}

#[tokio::test]
async fn call_that_is_too_long_or_of_another_form_is_refused_in_few_words() -> Tested {
    let (_database, ports, url) = engine().await?;
    let key = RunRecord::key_of(ports.clock.new_id());
    let lines = [LogLine { sort: "1".to_owned(), document: Json::of(&"x".repeat(9_000_000))? }];
    let error = ports.records.append(&key, &lines).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Refused);
    assert!(error.to_string().contains("is not taken (allowed: 8388608 bytes"), "{error}");

    let client = Client::builder(TokioExecutor::new()).build_http::<http_body_util::Full<axum::body::Bytes>>();
    let long = format!("\"{}\"", "x".repeat(3_000_000));
    for body in [long.as_str(), "{}", "nonsense", "", "[[[[", "[1,2,3]", "{\"kind\":1}"] {
        let request = Request::post(format!("{url}/rpc/records/load")).body(body.to_owned().into())?;
        let response = client.request(request).await?;
        assert_eq!(response.status(), 400, "{:.20}", body);
        let text = axum::body::to_bytes(axum::body::Body::new(response.into_body()), 10_000).await?;
        let error: dacapo_core::port::PortError = serde_json::from_slice(&text)?;
        assert!(error.to_string().ends_with("(build both from one version)"), "{error}");
    }
    Ok(())
}
