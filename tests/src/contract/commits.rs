//! A kind of record that no adapter knows goes through [`commit()`]: created, changed, listed, expired, deleted.

use dacapo_core::commit::{self, Committed, Creation, Seen, Stored, commit};
use dacapo_domain::{Decision, Index, IndexEntry, Json, Machine, Payload, Payloads, Query, Write, slot, sort_time};

use super::{
    Bench,
    fixture::{PATIENCE, all_of, deadline, json, large, let_expire, listed, message, now, send, soon_s, stored},
    note::{Note, NoteInput},
};

/// Commits an input to a note that is there.
async fn put(bench: &impl Bench, seen: impl Into<Seen<Note>>, input: NoteInput) -> Committed<Note> {
    let committed = commit(&bench.ports(), seen, &input, (), deadline(bench)).await;
    committed.expect("notes can be committed").expect("the note is there")
}

async fn read(bench: &impl Bench, note: &Note) -> Option<Stored<Note>> {
    commit::load(&bench.ports(), &note.key()).await.expect("notes can be read")
}

async fn create(bench: &impl Bench, note: &Note, body: Json) -> Creation<Note> {
    let decision = Decision::store(note.clone(), vec![]).with(slot::BODY, body);
    commit::create(&bench.ports(), &decision, deadline(bench)).await.expect("notes can be created")
}

/// A new record with its payload is read as it was decided, and a second create gets it.
pub async fn record_that_was_created_is_loaded(bench: &impl Bench) {
    let note = Note::new(bench);
    assert!(matches!(create(bench, &note, json("1")).await, Creation::New));
    let late = create(bench, &note.next(bench, "late"), json("2")).await;
    assert!(matches!(late, Creation::Exists(first) if first == note));
    bench.reopen().await;
    let payloads = Payloads::none().with(slot::BODY, json("1"));
    assert_eq!(read(bench, &note).await, Some(Stored { record: note, payloads }));
}

/// Each input builds on what the one before has left.
pub async fn inputs_follow_each_other(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let note = stored(bench, Note::new(bench)).await;
    let first = put(bench, Seen::Stored(note), NoteInput::Add("1", vec![send(&function, "added")])).await;
    assert!(first.changed);
    let second = put(bench, Seen::Stored(first.record), NoteInput::Add("2", vec![])).await;
    let body = large('x', 200_000);
    let third = put(bench, Seen::Stored(second.record), NoteInput::Attach(body.clone())).await;

    let stands = read(bench, &third.record).await.expect("the note is there");
    assert_eq!(stands.record, third.record);
    assert_eq!(stands.record.texts(), ["1", "2"]);
    assert!(stands.payloads.get(slot::BODY) == Payload::Here(&body));
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("added")]);
}

/// A record that was never stored is created, with the payloads that it would have.
pub async fn fresh_record_is_created_with_its_payloads(bench: &impl Bench) {
    let (note, payloads) = (Note::new(bench), Payloads::none().with(slot::BODY, json("[1]")));
    let seen = Seen::Fresh(note.clone(), payloads.clone());
    let committed = put(bench, seen, NoteInput::Add("first", vec![])).await;
    assert_eq!((committed.record.texts(), committed.changed), (vec!["first"], true));
    assert_eq!(read(bench, &note).await, Some(Stored { record: committed.record, payloads }));
}

/// A record of another form gives way to a fresh one, unless another writer was faster: then that one's is decided on.
pub async fn record_that_cant_be_read_is_replaced_on_the_version_that_was_found(bench: &impl Bench) {
    let note = Note::new(bench);
    let written = Decision::store(note.clone(), vec![]).write().unwrap();
    let unreadable = Write { document: json(r#"{"v":2}"#), ..written };
    bench.ports().records.create(&unreadable, None).await.expect("it can be created");
    let fresh = note.next(bench, "fresh");
    let (seen, _) = commit::load_or_replace(&bench.ports(), fresh).await.expect("it is read");
    assert!(matches!(&seen, Seen::Unreadable(header, _) if *header == note.header()));
    for (text, texts) in [("first", vec!["fresh", "first"]), ("second", vec!["fresh", "first", "second"])] {
        assert_eq!(put(bench, seen.clone(), NoteInput::Add(text, vec![])).await.record.texts(), texts);
    }
    assert_eq!(read(bench, &note).await.expect("it can be read").record.texts(), ["fresh", "first", "second"]);
}

/// The record that another writer has created meanwhile is decided on, and keeps its payloads.
pub async fn fresh_record_that_exists_is_decided_on_as_it_stands(bench: &impl Bench) {
    let note = Note::new(bench);
    create(bench, &note.next(bench, "first"), json("1")).await;
    let seen = Seen::Fresh(note.clone(), Payloads::none().with(slot::BODY, json("2")));
    let committed = put(bench, seen, NoteInput::Add("second", vec![])).await;
    assert_eq!(committed.record.texts(), ["first", "second"]);
    let stands = read(bench, &note).await.expect("the note is there");
    assert_eq!(stands.payloads.get(slot::BODY), Payload::Here(&json("1")));
}

/// An input that changes nothing writes nothing, and what follows from it happens.
pub async fn input_that_changes_nothing_lets_its_effects_happen(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let note = stored(bench, Note::new(bench)).await;
    let kept = put(bench, Seen::Stored(note.clone()), NoteInput::Mention(vec![send(&function, "seen")])).await;
    assert!(!kept.changed);
    assert_eq!(read(bench, &note).await.map(|found| found.record), Some(note));
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("seen")]);
}

/// A deleted record is gone, an input to it finds none, and what follows from the deletion happens.
pub async fn record_that_was_deleted_is_gone(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let note = stored(bench, Note::new(bench)).await;
    let torn = put(bench, Seen::Stored(note.clone()), NoteInput::Tear(vec![send(&function, "torn")])).await;
    assert!(torn.changed);
    assert_eq!(read(bench, &note).await, None);
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("torn")]);
    let late = commit(&bench.ports(), Seen::Stored(note), &NoteInput::Add("late", vec![]), (), deadline(bench)).await;
    assert!(late.expect("a record that is gone is no error").is_none());
}

/// The effects of deleting a record that was never stored happen too.
pub async fn deletion_of_a_fresh_record_lets_its_effects_happen(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let seen = Seen::Fresh(Note::new(bench), Payloads::none());
    put(bench, seen, NoteInput::Tear(vec![send(&function, "torn")])).await;
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("torn")]);
}

/// A kind's places are found by its own partition, and its time by the conductor's.
pub async fn record_is_found_where_its_kind_says(bench: &impl Bench) {
    let board = bench.unique("board");
    let at = now(bench) + dacapo_domain::days(2_000) + std::time::Duration::from_millis(fastrand::u64(..1 << 34));
    let note = stored(bench, Note::new(bench).at(Index::List, &board, "1")).await;
    let committed = put(bench, Seen::Stored(note.clone()), NoteInput::Remind(Some(at))).await;
    assert_eq!(listed(bench, &all_of(Index::List, &board), 1).await, [&*note.id]);
    let (from, below) = (sort_time(at), sort_time(at + std::time::Duration::from_millis(1)));
    let due = Query { from: Some(from), below: Some(below), ..all_of(Index::Reconcile, IndexEntry::RECONCILED) };
    assert_eq!(listed(bench, &due, 1).await, [&*note.id]);

    put(bench, Seen::Stored(committed.record), NoteInput::Remind(None)).await;
    assert!(listed(bench, &due, 0).await.is_empty());
}

/// Once its time is up it is gone, an input to it finds none, and another may be created in its place.
pub async fn record_whose_time_is_up_may_be_created_anew(bench: &impl Bench) {
    let note = Note::new(bench);
    create(bench, &note, large('x', 200_000)).await;
    let expiring = put(bench, Seen::Stored(note.clone()), NoteInput::Expire(soon_s(bench))).await.record;
    let_expire(bench).await;
    assert_eq!(read(bench, &note).await, None);
    let late = NoteInput::Add("late", vec![]);
    let late = commit(&bench.ports(), Seen::Stored(expiring), &late, (), deadline(bench)).await;
    assert!(late.expect("a record that is gone is no error").is_none());

    let anew = put(bench, Seen::Fresh(note.clone(), Payloads::none()), NoteInput::Add("anew", vec![])).await;
    let stands = read(bench, &note).await.expect("the note is there");
    assert_eq!((stands.record, stands.payloads), (anew.record, Payloads::none()));
}
