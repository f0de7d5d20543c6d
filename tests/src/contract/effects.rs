//! The effects of a write: they happen once it is stored, and not at all where it loses.

use dacapo_core::port::ExecutionStatus::Running;
use dacapo_domain::{Claim, Created, Effect, Machine, Saved, Write, seconds};

use super::{
    Bench,
    executions::{STOPPED, start, stop, wait_until},
    fixture::{PATIENCE, SILENCE, create, load, message, now, replace, save, send, stored},
    note::Note,
};

/// Checks that these messages arrive, in any order and at least once, and no other.
async fn arrive(bench: &impl Bench, function: &str, texts: &[&str]) {
    let received = bench.receive_within(function, texts.len(), PATIENCE).await;
    for text in texts {
        assert!(received.contains(&message(text)), "{text:?} is not in {received:?}");
    }
    assert!(received.iter().all(|received| texts.iter().any(|text| message(text) == *received)), "{received:?}");
}

/// Checks that nothing arrives.
async fn nothing_arrives(bench: &impl Bench, function: &str) {
    bench.pass(SILENCE).await;
    assert_eq!(bench.receive(function).await, []);
}

/// The effects of a new record, and of its claim.
pub async fn messages_of_a_create_and_its_claim_arrive(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let write = Note::new(bench).write_and(vec![send(&function, "1"), send(&function, "2")]);
    let claim = Claim { write: Note::new(bench).write_and(vec![send(&function, "claimed")]), seen: None };
    assert_eq!(bench.ports().records.create(&write, Some(&claim)).await.unwrap(), Created::New);
    bench.reopen().await;
    arrive(bench, &function, &["1", "2", "claimed"]).await;
}

/// The effects of a save.
pub async fn messages_of_a_save_arrive(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let note = stored(bench, Note::new(bench)).await;
    let next = note.next(bench, "next").write_and(vec![send(&function, "saved")]);
    replace(bench, &note.write(), &next).await;
    bench.reopen().await;
    arrive(bench, &function, &["saved"]).await;
}

/// A create that loses, by its record or its claim, brings nothing about.
pub async fn create_that_loses_lets_nothing_happen(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let late = || vec![send(&function, "late")];
    let (first, held) = (stored(bench, Note::new(bench)).await, stored(bench, Note::new(bench)).await);
    let claim = |note: &Note| Claim { write: note.next(bench, "late").write_and(late()), seen: None };
    let records = bench.ports().records;

    let exists = create(bench, &first.next(bench, "late").write_and(late())).await;
    assert!(matches!(exists, Created::Exists(_)), "{exists:?}");
    let free = claim(&Note::new(bench));
    let exists = records.create(&first.next(bench, "late").write_and(late()), Some(&free)).await.unwrap();
    assert!(matches!(exists, Created::Exists(_)), "{exists:?}");
    let claimed = records.create(&Note::new(bench).write_and(late()), Some(&claim(&held))).await.unwrap();
    assert!(matches!(claimed, Created::Claimed(_)), "{claimed:?}");

    nothing_arrives(bench, &function).await;
}

/// A save that loses, or finds no record, brings nothing about.
pub async fn save_that_loses_lets_nothing_happen(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let first = stored(bench, Note::new(bench)).await;
    replace(bench, &first.write(), &first.next(bench, "winner").write()).await;
    for seen in [first, Note::new(bench)] {
        let late = seen.next(bench, "late").write_and(vec![send(&function, "late")]);
        let lost = save(bench, &seen.header(), &late).await;
        assert!(matches!(lost, Saved::Lost(_)), "{lost:?}");
    }
    nothing_arrives(bench, &function).await;
}

/// The record is stored, and the other effects happen; what failed is left to the conductor.
pub async fn effect_that_fails_leaves_the_record_and_the_others(bench: &impl Bench) {
    let (function, none) = (bench.function("reader").await, bench.unique("none"));
    let effects = |text: &str| vec![send(&none, "lost"), send(&function, text)];
    let first = Note::new(bench);
    let second = first.next(bench, "second");

    assert_eq!(create(bench, &first.write_and(effects("created"))).await, Created::New);
    replace(bench, &first.write(), &second.write_and(effects("saved"))).await;
    assert!(load(bench, &first.key()).await == Some(second.found()));
    assert!(bench.ports().records.delete(&second.header(), &effects("deleted")).await.unwrap());

    assert_eq!(load(bench, &first.key()).await, None);
    arrive(bench, &function, &["created", "saved", "deleted"]).await;
}

/// A message is held back by its delay.
pub async fn delayed_message_of_a_create_arrives_after_its_delay(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let (to, message, delay) = (function.clone(), message("later").to_json(), seconds(5));
    create(bench, &Note::new(bench).write_and(vec![Effect::Send { to, message, delay }])).await;
    nothing_arrives(bench, &function).await;
    arrive(bench, &function, &["later"]).await;
}

/// A timer that a create sets fires, and one that a save cancels doesn't.
pub async fn timers_of_writes_are_set_and_cancelled(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let timers = [bench.unique("timer"), bench.unique("timer")];
    let at = now(bench) + seconds(5);
    let set = timers.clone().map(|timer| {
        let message = message(&timer).to_json();
        Effect::SendAt { timer, to: function.clone(), message, at }
    });
    let note = Note::new(bench);
    create(bench, &note.write_and(set.to_vec())).await;
    let cancel = Effect::CancelTimer { timer: timers[0].clone() };
    replace(bench, &note.write(), &note.next(bench, "cancelled").write_and(vec![cancel])).await;
    arrive(bench, &function, &[&timers[1]]).await;
    nothing_arrives(bench, &function).await;
}

/// An execution that a save starts, twice if need be, runs once, until another save stops it.
pub async fn executions_of_writes_are_started_and_stopped(bench: &impl Bench) {
    let execution = bench.unique("execution");
    let start = start(bench, &execution, 0).await;
    let first = stored(bench, Note::new(bench)).await;
    let (second, third) = (first.next(bench, "started"), first.next(bench, "stopped"));
    let started = Write { effects: vec![start.clone(), start], ..second.write() };
    replace(bench, &first.write(), &started).await;
    wait_until(bench, &execution, Running).await;
    replace(bench, &second.write(), &third.write_and(vec![stop(&execution)])).await;
    wait_until(bench, &execution, STOPPED).await;
}

/// A dead letter of a save is kept.
pub async fn dead_letter_of_a_save_is_kept(bench: &impl Bench) {
    let function = bench.function_with_dlq("reader").await;
    let note = stored(bench, Note::new(bench)).await;
    let letter = Effect::DeadLetter { function: function.clone(), text: "not even JSON".to_owned() };
    replace(bench, &note.write(), &note.next(bench, "dropped").write_and(vec![letter])).await;
    bench.reopen().await;
    assert_eq!(bench.function_dlq(&function).await, ["not even JSON"]);
}

/// A schedule that a create puts fires until a delete takes it away.
pub async fn schedules_of_writes_are_put_and_deleted(bench: &impl Bench) {
    let (function, other) = (bench.function("report").await, bench.function("other").await);
    let put = |function: &str| {
        let (name, schedule) = (bench.unique("schedule"), dacapo_domain::cron("* * * * ? *"));
        Effect::PutSchedule { name, function: function.to_owned(), schedule }
    };
    let (put, still) = (put(&function), put(&other));
    let Effect::PutSchedule { name, .. } = put.clone() else { unreachable!("it puts a schedule") };
    let note = Note::new(bench);
    create(bench, &note.write_and(vec![put])).await;
    assert!(!bench.receive_within(&function, 1, PATIENCE).await.is_empty());

    bench.ports().records.delete(&note.header(), &[Effect::DeleteSchedule { name }]).await.unwrap();

    bench.receive(&function).await; // What fired until then.
    create(bench, &Note::new(bench).write_and(vec![still])).await;
    assert!(!bench.receive_within(&other, 1, PATIENCE).await.is_empty(), "its time has come");
    nothing_arrives(bench, &function).await;
}
