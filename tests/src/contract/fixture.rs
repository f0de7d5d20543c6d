//! Records and messages for rules.

use std::time::Duration;

use dacapo::port::{Created, ListFilter, Payloads, Saved, Stored, Watched};
use dacapo_domain::{Delivery, DeliveryMessage, EventMessage, Id, Json, Message, NewRun, Run, State, Trigger, Version};
use jiff::Timestamp;

use super::Bench;

/// How long rules wait for what may take its time: Scheduler fires up to a minute late.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// JSON of a text that is JSON.
pub(super) fn json(text: &str) -> Json {
    Json::from_text(text).expect("a rule's JSON is JSON")
}

/// Now, by the bench's clock.
pub(super) fn now(bench: &impl Bench) -> Timestamp {
    bench.ports().clock.now()
}

/// A version that nobody has written.
pub(super) fn version(bench: &impl Bench) -> Version {
    bench.ports().clock.moment().version()
}

/// A run that is due now, not stored.
pub(super) fn new_run(bench: &impl Bench, task: &str) -> Run {
    due_run(bench, task, now(bench))
}

/// A run that is due then, not stored.
pub(super) fn due_run(bench: &impl Bench, task: &str, due_at: Timestamp) -> Run {
    let clock = bench.ports().clock;
    let new = NewRun {
        id: clock.new_id(),
        name: task.to_owned(),
        due_at,
        trigger: Trigger::Run,
        parent_id: None,
        hops: 0,
        tags: vec![],
        key: None,
        schedule: None,
        ttl: None,
        execution: None,
    };
    Run::create(new, &clock.moment()).run
}

/// A run with an idempotency key, not stored.
pub(super) fn keyed_run(bench: &impl Bench, task: &str, key: &str) -> Run {
    Run { key: Some(key.to_owned()), ..new_run(bench, task) }
}

/// A run that is stored, with the body `{}`.
pub(super) async fn stored_run(bench: &impl Bench, task: &str) -> Run {
    let run = new_run(bench, task);
    create(bench, &run).await;
    run
}

/// Stores a new run.
pub(super) async fn create(bench: &impl Bench, run: &Run) {
    let created = bench.ports().store.create(run, &Json::default(), None).await;
    assert_eq!(created.expect("the run can be stored"), Created::New);
}

/// The next record after a change.
pub(super) fn changed(bench: &impl Bench, run: &Run, change: impl FnOnce(&mut Run)) -> Run {
    let mut next = run.clone();
    change(&mut next);
    next.version = version(bench);
    next
}

/// The record of a run that has ended like this and is kept for so long.
pub(super) fn ended(bench: &impl Bench, run: &Run, state: State, kept: Duration) -> Run {
    let now = now(bench);
    changed(bench, run, |run| {
        run.state = state;
        run.ended_at = Some(now);
        run.watch_at = None;
        run.ttl = Some((now + kept).as_second() + 1);
    })
}

/// Saves a record that nobody else has changed.
pub(super) async fn save(bench: &impl Bench, seen: &Run, next: &Run) -> Box<Stored> {
    match bench.ports().store.save(seen, next, &Payloads::default()).await.expect("the run can be saved") {
        Saved::Done(stored) => stored,
        lost @ Saved::Lost(_) => panic!("a record that nobody else has changed can be saved, not {lost:?}"),
    }
}

/// Stores a run and ends it.
pub(super) async fn ended_run(bench: &impl Bench, run: Run, state: State, kept: Duration) -> Run {
    let next = ended(bench, &run, state, kept);
    save(bench, &run, &next).await;
    next
}

/// A run as it is stored.
pub(super) async fn load(bench: &impl Bench, id: Id) -> Option<Stored> {
    bench.ports().store.load(id).await.expect("runs can be read")
}

/// A filter for a task's runs.
pub(super) fn of_task(task: &str) -> ListFilter {
    ListFilter { task: Some(task.to_owned()), state: None, limit: 100, cursor: None }
}

/// The ids on a page. Lists may lag behind, so they are asked again until there are so many.
pub(super) async fn listed(bench: &impl Bench, filter: &ListFilter, count: usize) -> Vec<Id> {
    let mut tries = 0;
    loop {
        let page = bench.ports().store.list(filter).await.expect("runs can be listed");
        let ids: Vec<Id> = page.runs.iter().map(|stored| stored.run.id).collect();
        tries += 1;
        if ids.len() == count || tries == 10 {
            return ids;
        }
        bench.pass(Duration::from_millis(200)).await;
    }
}

/// Which of these are overdue by then, in the order in which they are told.
pub(super) async fn overdue(bench: &impl Bench, by: Timestamp, of: &[Watched]) -> Vec<Watched> {
    let mut overdue = bench.ports().store.overdue(by, 1_000).await.expect("what is overdue can be read");
    overdue.retain(|watched| of.contains(watched));
    overdue
}

/// An event that was just published.
pub(super) fn event(bench: &impl Bench, body: &str) -> EventMessage {
    let clock = bench.ports().clock;
    let now = clock.now();
    let (id, name, function) = (clock.new_id(), "user-joined".to_owned(), bench.unique("greet"));
    EventMessage { id, name, function, body: json(body), published_at: now, due_at: now, hops: 0, attempt: 1 }
}

/// The record of an event's delivery, not stored.
pub(super) fn delivery(bench: &impl Bench, event: &EventMessage) -> Delivery {
    Delivery::new(event, &bench.ports().clock.moment())
}

/// A small message that can be told from others.
pub(super) fn message(text: &str) -> Message {
    Message::Delivery(DeliveryMessage { delivery: text.to_owned(), attempt: 1 })
}
