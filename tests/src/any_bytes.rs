//! Readers that must bear any bytes, each with its property: it panics at none, refuses in few words, and what it takes it
//! writes as it read it. `tests/fuzz` throws bytes at each, and `tests/tests/any_bytes.rs` what grew there and what proptest
//! makes of it.

use std::{fmt::Debug, future::pending, io::ErrorKind, sync::Arc, time::Duration};

use dacapo_core::conductor::Conductor;
use dacapo_domain::{
    Bulk, DeferredEvent, DeliveryRecord, IdempotencyKey, Invocation, JoinRecord, Json, Manifest, ManifestRecord,
    Message, Outside, PausedQueues, PoolRecord, RunRecord, ScheduleRecord, Sent, StepRecord, TicketRecord, TokenRecord,
    TokenText, When, cron, every, read_document,
};
use dacapo_local::{DevOptions, EngineLog, dev_until};
use dacapo_test_kit::TestApp;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
    sync::mpsc,
    time::timeout,
};

/// A property, by the name of its target.
pub type Property = fn(&[u8]);

/// All of them.
pub const ALL: [(&str, Property); 7] = [
    ("cron", takes_cron),
    ("when", takes_when),
    ("message", takes_message),
    ("manifest", takes_manifest),
    ("payload", takes_payload),
    ("document", takes_document),
    ("http", takes_request),
];

/// Bytes of a refusal, at most.
const REFUSAL: usize = 2_000;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn refused(error: impl ToString) {
    let said = error.to_string();
    assert!(said.len() <= REFUSAL, "{} bytes: {said:.200}", said.len());
}

/// A cron expression, an interval, and a time zone after a line break.
pub fn takes_cron(bytes: &[u8]) {
    let text = text(bytes);
    let (expression, zone) = text.split_once('\n').unwrap_or((&text, "UTC"));
    for schedule in [cron(expression).timezone(zone), every(expression)] {
        let fires = schedule.check().and_then(|recurrence| recurrence.since(Timestamp::UNIX_EPOCH));
        match fires {
            Ok(fires) => {
                let next: Vec<Timestamp> = fires.all().take(5).collect();
                assert!(next.is_sorted_by(|one, other| one < other), "{next:?}");
                let again = serde_json::to_string(&schedule).map(|json| serde_json::from_str(&json).ok());
                assert_eq!(again.ok().flatten(), Some(schedule));
            }
            Err(error) => refused(error),
        }
    }
}

/// A time, as a person writes it and as JSON.
pub fn takes_when(bytes: &[u8]) {
    let (text, now) = (text(bytes), Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(500_000));
    let as_json: Option<When> = serde_json::from_str(&text).ok();
    for when in [Some(When::from(text)), as_json].into_iter().flatten() {
        match when.resolve(now) {
            Ok(due) => assert!(due > now && due.duration_since(now).as_hours() <= 366 * 24, "{when:?}: {due}"),
            Err(error) => refused(error),
        }
    }
}

/// A message of a queue, of Dacapo's own or from outside.
pub fn takes_message(bytes: &[u8]) {
    let text = text(bytes);
    match Message::from_text(&text) {
        Ok(message) => assert_eq!(Message::from_text(&message.to_text()).ok(), Some(message)),
        Err(error) => drop(error.to_string()),
    }
    if let Some(trace) = Message::traceparent_in(&text) {
        assert_eq!(trace.to_string().parse().ok(), Some(trace));
    }
    if let Some(Err(error)) = Outside::read(&text, Sent { id: "m", at: Timestamp::UNIX_EPOCH }) {
        refused(error);
    }
    if let Ok(token) = text.parse::<TokenText>() {
        assert_eq!(token.to_string().parse().ok(), Some(token));
    }
}

/// The manifest of an app.
pub fn takes_manifest(bytes: &[u8]) {
    let Some(manifest) = is_kept::<Manifest>(&text(bytes)) else { return };
    if let Err(error) = manifest.check_fires() {
        refused(error);
    }
    let functions = manifest.functions.clone();
    if let Err(error) = Manifest::new(&manifest.app, functions) {
        drop(error.to_string());
    }
}

/// A direct invocation, which the conductor carries out where it is one of Dacapo's own.
pub fn takes_payload(bytes: &[u8]) {
    let Ok(payload) = Json::from_text(text(bytes)) else { return };
    if let Err(error) = payload.check() {
        refused(error);
    }
    let Some(Ok(invocation)) = Invocation::read(&payload) else { return };
    let again = Json::of(&invocation).ok().and_then(|json| Invocation::read(&json));
    assert_eq!(again.and_then(Result::ok), Some(invocation));
    let app = TestApp::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("there are threads");
    let answer = runtime.block_on(Conductor::new(app.client().ports().clone(), None).invoke(payload));
    drop(answer.map_err(|error| error.to_string()));
}

/// A stored document: its first byte says of which kind.
pub fn takes_document(bytes: &[u8]) {
    let Some((kind, document)) = bytes.split_first() else { return };
    let document = text(document);
    match kind % 13 {
        0 => drop(is_kept::<RunRecord>(&document)),
        1 => drop(is_kept::<DeliveryRecord>(&document)),
        2 => drop(is_kept::<DeferredEvent>(&document)),
        3 => drop(is_kept::<StepRecord>(&document)),
        4 => drop(is_kept::<ScheduleRecord>(&document)),
        5 => drop(is_kept::<JoinRecord>(&document)),
        6 => drop(is_kept::<TokenRecord>(&document)),
        7 => drop(is_kept::<IdempotencyKey>(&document)),
        8 => drop(is_kept::<ManifestRecord>(&document)),
        9 => drop(is_kept::<PoolRecord>(&document)),
        10 => drop(is_kept::<TicketRecord>(&document)),
        11 => drop(is_kept::<PausedQueues>(&document)),
        _ => drop(is_kept::<Bulk>(&document)),
    }
}

/// Reads a document, and what was written of it as the same.
fn is_kept<R: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<R> {
    let record: R = read_document(&Json::from_text(text).ok()?).ok()?;
    let written = Json::of(&record).expect("a record is written");
    assert_eq!(read_document::<R>(&written).ok().as_ref(), Some(&record));
    Some(record)
}

/// A request to the dev engine, as bytes on its port: it is answered, or its connection ends.
pub fn takes_request(bytes: &[u8]) {
    thread_local!(static ENGINE: (Runtime, String) = engine());
    let answer = ENGINE.with(|(runtime, address)| {
        runtime.block_on(async { timeout(Duration::from_secs(60), sent(address, bytes)).await })
    });
    let answer = answer.expect("it is answered within a minute");
    assert!(!answer.starts_with(b"HTTP/1.1 500"), "{}", text(&answer));
}

/// The bytes that come back until the connection ends.
async fn sent(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("the engine listens");
    // One that has read enough goes before all is written.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    let mut answer = vec![];
    if let Err(error) = stream.read_to_end(&mut answer).await {
        assert!(error.kind() == ErrorKind::ConnectionReset, "it was not answered: {error}");
    }
    answer
}

/// An engine without functions, which goes on while its runtime is used: both sides of a connection on one thread.
fn engine() -> (Runtime, String) {
    let folder = tempfile::tempdir().expect("there is a folder");
    let mut options = DevOptions::new("shop", folder.path().join("local.db"), vec![]);
    options.port = 0;
    let (tell, mut told) = mpsc::unbounded_channel();
    options.logs = Arc::new(move |log| {
        if let EngineLog::Listening { address } = log {
            drop(tell.send(address));
        }
    });
    let runtime = Builder::new_current_thread().enable_all().build().expect("there is a runtime");
    runtime.spawn(async move {
        let _folder = folder;
        dev_until(options, pending()).await.expect("the engine runs");
    });
    let address = runtime.block_on(told.recv()).expect("it listens");
    (runtime, address.trim_start_matches("http://").to_owned())
}
