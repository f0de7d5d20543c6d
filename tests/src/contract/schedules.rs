//! Recurring schedules, what is recorded of them, and the manifest.

use dacapo_core::{
    commit::{self, Committed, Seen, commit},
    ensure_scheduled,
};
use dacapo_domain::{
    Effect, Index, Json, Manifest, ManifestInput, ManifestRecord, Message, Payload, Payloads, Schedule, ScheduleInput,
    SchedulePut, ScheduleRecord, cron, every, seconds, slot,
};

use super::{
    Bench,
    fixture::{PATIENCE, all_of, ask, deadline, json, now, post},
};

async fn put(bench: &impl Bench, name: &str, function: &str, schedule: Schedule) {
    let (name, function) = (name.to_owned(), function.to_owned());
    post(bench, &Effect::PutSchedule { name, function, schedule }).await;
}

async fn delete(bench: &impl Bench, name: &str) {
    post(bench, &Effect::DeleteSchedule { name: name.to_owned() }).await;
}

/// The view of a schedule before it is put.
fn fresh(bench: &impl Bench, name: &str) -> Seen<ScheduleRecord> {
    Seen::Fresh(ScheduleRecord::fresh(name, "task", now(bench)), Payloads::none())
}

async fn happen(
    bench: &impl Bench,
    seen: impl Into<Seen<ScheduleRecord>>,
    input: ScheduleInput,
) -> Committed<ScheduleRecord> {
    let committed = commit(&bench.ports(), seen, &input, (), deadline(bench)).await;
    committed.expect("schedules can be committed").expect("the schedule is there")
}

async fn read(bench: &impl Bench, name: &str) -> Option<commit::Stored<ScheduleRecord>> {
    commit::load(&bench.ports(), &ScheduleRecord::key_of(name)).await.expect("schedules can be read")
}

async fn remove(bench: &impl Bench, seen: impl Into<Seen<ScheduleRecord>>) {
    let deleted = happen(bench, seen, ScheduleInput::Deleted).await;
    ensure_scheduled(&bench.ports(), Some(deleted), deadline(bench)).await.expect("schedules can be deleted");
}

fn put_as(task: &str, schedule: Schedule) -> ScheduleInput {
    ScheduleInput::Put(SchedulePut { task: task.to_owned(), schedule, body: json(r#"{"n":1.0}"#) })
}

fn yearly() -> ScheduleInput {
    put_as("task", cron("0 0 1 1 ? *"))
}

/// A schedule fires at its function, with its name and the time it fired for.
pub async fn schedule_fires_at_its_function(bench: &impl Bench) {
    let function = bench.function("report").await;
    let (name, start) = (bench.unique("schedule"), now(bench));
    put(bench, &name, &function, cron("* * * * ? *")).await;
    bench.reopen().await;

    let messages = bench.receive_within(&function, 1, PATIENCE).await;

    let [Message::Fire(fire), ..] = &messages[..] else { panic!("a fire comes within a minute, not {messages:?}") };
    assert_eq!(fire.schedule, name);
    assert!(fire.time > start - seconds(60) && fire.time <= now(bench) + seconds(60), "{} at {start}", fire.time);
    delete(bench, &name).await;
}

/// Put again, it is another schedule for another function.
pub async fn schedule_that_is_put_again_replaces_the_former(bench: &impl Bench) {
    let (one, other) = (bench.function("one").await, bench.function("other").await);
    let name = bench.unique("schedule");
    put(bench, &name, &one, cron("0 0 1 1 ? 2199")).await;
    put(bench, &name, &other, every("1 minute")).await;

    assert!(!bench.receive_within(&other, 1, PATIENCE).await.is_empty());
    assert!(bench.receive(&one).await.is_empty());
    delete(bench, &name).await;
}

/// Deleting what isn't there is no error, and what was put may be deleted twice.
pub async fn schedule_that_is_deleted_twice_is_no_error(bench: &impl Bench) {
    let (function, name) = (bench.function("report").await, bench.unique("schedule"));
    put(bench, &name, &function, cron("0 0 1 1 ? 2199")).await;
    delete(bench, &name).await;
    delete(bench, &name).await;
}

/// A schedule that a program puts is recorded with its body, and fires.
pub async fn record_of_a_schedule_is_kept_whole_and_fires(bench: &impl Bench) {
    let function = bench.function("report").await;
    let name = bench.unique("schedule");
    let input = put_as(&function, every("5 minutes").skip_while_running());
    let put = happen(bench, fresh(bench, &name), input).await;
    ensure_scheduled(&bench.ports(), Some(put), deadline(bench)).await.unwrap();
    let record = read(bench, &name).await.expect("the schedule is there").record;
    assert_eq!(record.reconcile_at, None);
    let record = happen(bench, Seen::Stored(record), ScheduleInput::Missed(vec![now(bench)])).await.record;
    bench.reopen().await;

    let stored = read(bench, &name).await.expect("the schedule is there");
    assert_eq!(stored.record, record);
    assert_eq!(stored.payloads.get(slot::BODY), Payload::Here(&json(r#"{"n":1.0}"#)));
    assert!(!bench.receive_within(&function, 1, PATIENCE).await.is_empty());
    remove(bench, Seen::Stored(record)).await;
    assert_eq!(read(bench, &name).await, None);
}

/// Two programs change a schedule from one version: both changes are there.
pub async fn changes_of_one_version_are_both_kept(bench: &impl Bench) {
    let name = bench.unique("schedule");
    let record = happen(bench, fresh(bench, &name), yearly()).await.record;
    happen(bench, Seen::Stored(record.clone()), ScheduleInput::Paused).await;
    let missed = happen(bench, Seen::Stored(record), ScheduleInput::Missed(vec![now(bench)])).await.record;
    assert!(missed.paused && missed.skipped.iter().count() == 1);
    assert_eq!(read(bench, &name).await.map(|stored| stored.record), Some(missed.clone()));
    remove(bench, Seen::Stored(missed)).await;
}

/// All of them, by name.
pub async fn schedules_are_listed_by_name(bench: &impl Bench) {
    let names = ["b", "a"].map(|name| bench.unique(name));
    for name in &names {
        happen(bench, fresh(bench, name), yearly()).await;
    }
    let all = ask(bench, &all_of(Index::List, ScheduleRecord::PARTITION)).await;
    assert_eq!(all.last, None);
    let mut all: Vec<String> = all.records.into_iter().map(|record| record.header.key.id).collect();
    assert!(all.is_sorted());
    all.retain(|name| names.contains(name));
    assert_eq!(all, [names[1].clone(), names[0].clone()]);
    for name in names {
        let record = read(bench, &name).await.expect("the schedule is there");
        remove(bench, record).await;
    }
}

/// The manifest is the newest that was stored; a late write doesn't bring an older one back.
pub async fn newest_manifest_stays(bench: &impl Bench) {
    let now_ms = now(bench).as_millisecond();
    for (made_ms, expected_ms) in [(now_ms, now_ms), (now_ms + 1, now_ms + 1), (now_ms, now_ms + 1)] {
        let manifest = |made_ms| Manifest { made_ms, ..Manifest::new("app", vec![]).expect("no functions fit") };
        let text = |made_ms| Json::of(&manifest(made_ms)).expect("a manifest can be serialized");
        let seen = Seen::Fresh(ManifestRecord::fresh(), Payloads::none());
        let input = ManifestInput::Deployed { manifest: manifest(made_ms), text: text(made_ms), former: None };
        commit(&bench.ports(), seen, &input, (), deadline(bench)).await.unwrap();
        bench.reopen().await;
        let found = commit::load::<ManifestRecord>(&bench.ports(), &ManifestRecord::key()).await.unwrap();
        let found = found.expect("there is one");
        assert_eq!(found.record.made_ms, expected_ms);
        assert_eq!(found.payloads.get(slot::BODY), Payload::Here(&text(expected_ms)));
    }
}
