//! The conductor's sweep among records that it can't repair.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use dacapo::{ListFilter, State, prelude::*};
use dacapo_core::{
    commit::load,
    conductor::{Conductor, Swept},
    port::Ports,
};
use dacapo_domain::{
    Created, Decision, DecisionContext, DeferredEvent, DeliveryRecord, EventMessage, FinalState, Header, Id,
    IdempotencyKey, Index, IndexEntry, Json, Machine, NewRun, Payloads, Phase, Query, RecordKey, RunRecord, Saved,
    ScheduleRecord, Trigger, Version, Write, run::End, slot,
};
use dacapo_test_kit::TestApp;
use jiff::Timestamp;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
const PAID: EventRef<u32> = EventRef::new("order.paid");

fn app() -> TestApp {
    TestApp::new().with(task(COUNT, async |n: u32, _: TaskContext| Ok(n)))
}

fn ports(app: &TestApp) -> &Ports {
    app.client().ports()
}

/// Stores a record of any form that the conductor is to reconcile then.
async fn store(app: &TestApp, kind: &'static str, id: &str, document: &str, at: Timestamp) {
    let header =
        Header { key: RecordKey::new(kind, id), version: Version(7), reconcile_at: Some(at), expires_at_s: None };
    let (document, index) = (Json::from_text(document).unwrap(), vec![IndexEntry::reconcile(at, IndexEntry::OTHERS)]);
    let write = Write { header, document, payloads: Payloads::none(), index, expiry_beside_s: None, effects: vec![] };
    assert_eq!(ports(app).records.create(&write, None).await.unwrap(), Created::New);
}

/// Stores a run that was made then and whose message is lost.
async fn lost(app: &TestApp, now: Timestamp) -> Id {
    let clock = &ports(app).clock;
    let new = NewRun::at(clock.new_id(), "count", now, Trigger::Run);
    let cx = DecisionContext { now, random: clock.random() };
    let decision = RunRecord::create(new, &cx).with(slot::BODY, Json::of(&1).unwrap());
    store_without_effects(app, &decision).await;
    decision.record.id
}

/// Stores a new record whose effects are lost.
async fn store_without_effects<M: Machine>(app: &TestApp, decision: &Decision<M>) {
    let write = Write { effects: vec![], ..decision.write().unwrap() };
    assert_eq!(ports(app).records.create(&write, None).await.unwrap(), Created::New);
}

/// An event that was published just now to the app's handlers of events.
fn event(app: &TestApp) -> EventMessage {
    let (id, body) = (ports(app).clock.new_id(), Json::of(&1).unwrap());
    EventMessage { function: "events-1".to_owned(), ..EventMessage::at(id, PAID.name(), body, app.now()) }
}

/// The time after the start at which each record is to be reconciled, by its key.
async fn due(app: &TestApp, start: Timestamp) -> Vec<(String, Duration)> {
    let partitions = vec![IndexEntry::RECONCILED.to_owned()];
    let all = Query { index: Index::Reconcile, partitions, from: None, below: None, descending: false, limit: 1_000 };
    let records = ports(app).records.query(&all).await.unwrap().records.into_iter();
    let after = |at| dacapo_domain::until(start, at);
    records.map(|stored| (stored.header.key.to_string(), after(stored.header.reconcile_at.unwrap()))).collect()
}

#[tokio::test]
async fn thousands_of_records_that_cannot_be_read_hold_up_no_other() {
    let app = app();
    for n in 0..2_500 {
        store(&app, RunRecord::KIND, &format!("{n}"), "{}", app.now()).await;
    }
    app.advance(seconds(1)).await;
    let id = lost(&app, app.now()).await;
    app.advance(minutes(2)).await;
    assert_eq!(app.state(id).await.unwrap().state, State::Completed);
}

#[tokio::test]
async fn record_that_fails_again_and_again_is_put_off_for_twice_as_long_each_time_up_to_an_hour() {
    let (app, start) = (app(), app().now());
    let document = format!(r#"{{"reconcileAt":"{start}"}}"#);
    store(&app, "comet", "halley", &document, start).await;
    let (mut now, mut pauses) = (Duration::ZERO, vec![]);
    for _ in 0..9 {
        app.advance(minutes(1)).await;
        let [(_, at)] = &due(&app, start).await[..] else { panic!("it stays") };
        pauses.push((*at - now).as_secs() / 60);
        app.advance(*at - now - minutes(1)).await;
        now = *at;
    }
    assert_eq!(pauses, [2, 2, 4, 8, 16, 32, 60, 60, 60], "in minutes");
}

#[tokio::test]
async fn record_that_does_not_say_since_when_it_is_due_is_put_off_for_an_hour() {
    let (app, start) = (app(), app().now());
    store(&app, "comet", "halley", "{}", start).await;
    store(&app, RunRecord::KIND, "no id", "[]", start).await;
    let swept = Conductor::new(ports(&app).clone(), None).sweep().await.unwrap();
    assert_eq!((swept.reconciled, swept.failed), (0, 2));
    let hour = Duration::from_secs(3_600);
    assert_eq!(due(&app, start).await, [("comet/halley".to_owned(), hour), ("run/no id".to_owned(), hour)]);
}

#[tokio::test]
async fn sweep_repairs_five_hundred_and_leaves_the_rest_to_the_next() {
    let app = app();
    for n in 0..700 {
        store(&app, "comet", &format!("{n}"), "{}", app.now() - minutes(1)).await;
        lost(&app, app.now() - minutes(2)).await;
    }
    let conductor = Conductor::new(ports(&app).clone(), None);
    let mut swept = vec![];
    for _ in 0..3 {
        let Swept { reconciled, failed } = conductor.sweep().await.unwrap();
        swept.push((reconciled, failed));
    }
    assert_eq!(swept.iter().map(|(reconciled, _)| *reconciled).collect::<Vec<_>>(), [500, 200, 0]);
    assert_eq!(swept.iter().map(|(_, failed)| failed).sum::<usize>(), 700, "{swept:?}");
}

#[tokio::test]
async fn run_that_cannot_be_read_is_left_out_of_a_list_that_says_so() {
    let app = app();
    let id = lost(&app, app.now()).await;
    let entry = IndexEntry { index: Index::List, partition: RunRecord::partition("count"), sort: "0".to_owned() };
    let header =
        Header { key: RecordKey::new("run", "odd"), version: Version(7), reconcile_at: None, expires_at_s: None };
    let (document, payloads) = (Json::from_text("[]").unwrap(), Payloads::none());
    let write = Write { header, document, payloads, index: vec![entry], expiry_beside_s: None, effects: vec![] };
    ports(&app).records.create(&write, None).await.unwrap();

    let all = ListFilter { limit: 10, ..ListFilter::default() };
    let listed = app.list(all).await.unwrap();

    assert_eq!(listed.runs.iter().map(|run| run.id).collect::<Vec<_>>(), [id]);
    let [problem] = &listed.unreadable[..] else { panic!("{listed:?}") };
    assert!(problem.starts_with("failed to read run/odd (was it written by another version?): "), "{problem}");
}

#[tokio::test]
async fn schedule_that_cannot_be_read_hides_no_other_from_the_list() {
    let app = app();
    app.client().schedules().put("good", COUNT, every("1 day"), 7).await.unwrap();
    let entry =
        IndexEntry { index: Index::List, partition: ScheduleRecord::PARTITION.to_owned(), sort: "a".to_owned() };
    let key = RecordKey::new(ScheduleRecord::KIND, "odd");
    let header = Header { key, version: Version(7), reconcile_at: None, expires_at_s: None };
    let (document, payloads) = (Json::from_text("[]").unwrap(), Payloads::none());
    let write = Write { header, document, payloads, index: vec![entry], expiry_beside_s: None, effects: vec![] };
    ports(&app).records.create(&write, None).await.unwrap();

    let schedules = app.client().schedules().list().await.unwrap();
    assert_eq!(schedules.iter().map(|schedule| &*schedule.name).collect::<Vec<_>>(), ["good"]);
}

/// The time at which an idempotency key of the task expires, in Unix seconds; `None` where it doesn't.
async fn key_expires_at_s(app: &TestApp, key: &str) -> Option<i64> {
    let stored = ports(app).records.load(&IdempotencyKey::key_of("count", key, None)).await.unwrap();
    stored.unwrap_or_else(|| panic!("the key {key:?} is there")).header.expires_at_s
}

#[tokio::test]
async fn key_whose_run_ended_in_a_process_that_died_expires_with_the_runs_record() {
    let app = app();
    let id = app.run(COUNT, 1).key("order").key_for(days(1)).await.unwrap().id();
    // The run's end is stored, and nothing that follows it.
    let record = load::<RunRecord>(ports(&app), &RunRecord::key_of(id)).await.unwrap().unwrap().record;
    let expires_at_s = Some(app.now().as_second() + 10 * 86_400);
    let (state, at, message, result_left_out) = (FinalState::Completed, app.now(), None, None);
    let phase = Phase::Ended(End { state, at, message, result_left_out, hooks_pending: false, hooks_lease: None });
    let ended = RunRecord { version: Version(9), phase, expires_at_s, reconcile_at: None, ..record.clone() };
    let saved = ports(&app).records.save(&record.header(), &Decision::store(ended, vec![]).write().unwrap()).await;
    assert!(matches!(saved.unwrap(), Saved::Done(_)));

    Conductor::new(ports(&app).clone(), None).sweep().await.unwrap();
    assert_eq!(key_expires_at_s(&app, "order").await, None, "it is not past its time");
    app.advance(days(1) + minutes(3)).await;
    assert_eq!(key_expires_at_s(&app, "order").await, expires_at_s);
}

#[tokio::test]
async fn key_of_a_run_that_has_not_ended_is_kept_beyond_its_time_and_asked_about_daily() {
    let app = app();
    let start = app.now();
    app.run(COUNT, 1).after(days(30)).key("order").key_for(days(1)).await.unwrap();
    app.advance(days(1) + minutes(2)).await;
    let (_, at) = due(&app, start).await.into_iter().find(|(key, _)| key.starts_with("key/")).unwrap();
    assert!(at > Duration::from_secs(2 * 86_400) && at < Duration::from_secs(2 * 86_400 + 180), "{at:?}");
    assert_eq!(key_expires_at_s(&app, "order").await, None);
    app.advance(days(30)).await;
    assert!(key_expires_at_s(&app, "order").await.is_some());
}

#[tokio::test]
async fn runs_of_one_function_whose_messages_are_lost_are_all_sent_again_within_two_sweeps() {
    let app = app();
    for _ in 0..700 {
        lost(&app, app.now()).await;
    }
    app.advance(minutes(3)).await;
    let runs = app.runs_of(COUNT);
    let completed = runs.iter().filter(|run| run.state == State::Completed).count();
    assert_eq!((runs.len(), completed), (700, 700));
}

#[tokio::test]
async fn deliveries_and_deferred_events_whose_messages_are_lost_are_all_sent_again_in_one_sweep() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let app = TestApp::new().with(on(PAID, move |_: u32, _: EventContext| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }
    }));
    for _ in 0..200 {
        let reconcile_at = Some(app.now() + minutes(1));
        let delivery = DeliveryRecord { reconcile_at, version: Version(7), ..DeliveryRecord::fresh(&event(&app)) };
        let delivery = Decision::store(delivery, vec![]);
        let deferred = DeferredEvent::create(&event(&app), &ports(&app).clock.decision_context());
        store_without_effects(&app, &delivery.with(slot::BODY, Json::of(&1).unwrap())).await;
        store_without_effects(&app, &deferred.with(slot::BODY, Json::of(&1).unwrap())).await;
    }
    app.advance(minutes(2)).await;
    assert_eq!(calls.load(Ordering::Relaxed), 400);
}
