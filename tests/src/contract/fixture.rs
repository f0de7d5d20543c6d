//! The tools that rules need again and again.

use std::time::Duration;

use dacapo_domain::{
    Created, DeliveryMessage, Effect, Header, Index, Json, Message, NewRun, Page, Payload, Query, RecordKey, RunRecord,
    Saved, StoredRecord, Trigger, Write, minutes, seconds,
};
use jiff::Timestamp;

use super::{Bench, note::Note};

/// The patience for what may take its time: Scheduler fires up to a minute late.
pub(super) const PATIENCE: Duration = seconds(90);

/// The time for which nothing comes, where nothing is to come.
pub(super) const SILENCE: Duration = seconds(1);

/// JSON of a text that is JSON.
pub(super) fn json(text: &str) -> Json {
    Json::from_text(text).expect("a rule's JSON is JSON")
}

/// A JSON text of so many bytes, all of one letter.
pub(super) fn large(letter: char, bytes: usize) -> Json {
    json(&format!("\"{}\"", letter.to_string().repeat(bytes - 2)))
}

/// Now, by the bench's clock.
pub(super) fn now(bench: &impl Bench) -> Timestamp {
    bench.ports().clock.now()
}

/// The deadline of a commit that has time.
pub(super) fn deadline(bench: &impl Bench) -> Timestamp {
    now(bench) + minutes(30)
}

/// The time until [soon](soon_s): more than what a test does before it takes on the busiest machine.
const SOON: Duration = minutes(30);

/// The Unix second in which a little time has passed.
pub(super) fn soon_s(bench: &impl Bench) -> i64 {
    (now(bench) + SOON).as_second()
}

/// Lets what expires [soon](soon_s) expire.
pub(super) async fn let_expire(bench: &impl Bench) {
    bench.skip(SOON + seconds(1)).await;
}

/// Creates a record.
pub(super) async fn create(bench: &impl Bench, write: &Write) -> Created {
    bench.ports().records.create(write, None).await.expect("records can be created")
}

/// Stores a new note.
pub(super) async fn stored(bench: &impl Bench, note: Note) -> Note {
    assert_eq!(create(bench, &note.write()).await, Created::New);
    note
}

/// Saves a record.
pub(super) async fn save(bench: &impl Bench, seen: &Header, write: &Write) -> Saved {
    bench.ports().records.save(seen, write).await.expect("records can be saved")
}

/// Saves a record that no other writer has changed.
pub(super) async fn replace(bench: &impl Bench, seen: &Write, next: &Write) {
    let saved = save(bench, &seen.header, next).await;
    assert!(matches!(saved, Saved::Done(_)), "no other writer has changed the record, and yet {saved:?}");
}

/// A record with all its payloads.
pub(super) async fn load(bench: &impl Bench, key: &RecordKey) -> Option<StoredRecord> {
    bench.ports().records.load(key).await.expect("records can be read")
}

/// A payload of a record with all its payloads.
pub(super) async fn payload(bench: &impl Bench, key: &RecordKey, slot: &str) -> Option<Json> {
    let record = load(bench, key).await.expect("the record is there");
    match record.payloads.get(slot) {
        Payload::Absent => None,
        Payload::Apart => panic!("{slot} was not read, although all payloads are"),
        Payload::Here(value) => Some(value.clone()),
    }
}

/// Everything in a partition of an index, in ascending order.
pub(super) fn all_of(index: Index, partition: &str) -> Query {
    let partitions = vec![partition.to_owned()];
    Query { index, partitions, from: None, below: None, descending: false, limit: 1_000 }
}

/// Asks an index.
pub(super) async fn ask(bench: &impl Bench, query: &Query) -> Page {
    bench.ports().records.query(query).await.expect("indexes can be asked")
}

/// The ids on a page. An index may lag behind, so it is asked again until there are so many.
pub(super) async fn listed(bench: &impl Bench, query: &Query, count: usize) -> Vec<String> {
    let mut tries = 0;
    loop {
        let ids = ids(&ask(bench, query).await);
        tries += 1;
        if ids.len() == count || tries == 10 {
            return ids;
        }
        bench.pass(Duration::from_millis(200)).await;
    }
}

/// The ids of a page's records.
pub(super) fn ids(page: &Page) -> Vec<String> {
    page.records.iter().map(|record| record.header.key.id.clone()).collect()
}

/// A small message that can be told from others.
pub(super) fn message(text: &str) -> Message {
    Message::Delivery(DeliveryMessage { delivery: text.to_owned(), attempt: 1 })
}

/// The effect that sends it at once.
pub(super) fn send(function: &str, text: &str) -> Effect {
    Effect::send(function, &message(text))
}

/// Lets an effect happen.
pub(super) async fn post(bench: &impl Bench, effect: &Effect) {
    bench.ports().outbox.post(effect).await.expect("the effect can happen");
}

/// A run of a task that is due now, not stored, with what follows.
pub(super) fn new_run(bench: &impl Bench, task: &str) -> NewRun {
    NewRun::at(bench.ports().clock.new_id(), task, now(bench), Trigger::Run)
}

/// Stores a run and gives its record.
pub(super) async fn stored_run(bench: &impl Bench, new: NewRun) -> RunRecord {
    let decision = RunRecord::create(new, &bench.ports().clock.decision_context());
    let write = decision.write().expect("a run can be serialized");
    assert_eq!(create(bench, &write).await, Created::New);
    decision.record
}
