//! Creation: a record is stored once, and the first one stays.

use dacapo_domain::{Created, Header, Machine, RecordKey, Write, slot};
use futures::future::join_all;
use jiff::SignedDuration;

use super::{
    Bench,
    fixture::{create, json, load, now, payload, replace, stored},
    note::{Note, found},
};

/// Document, header and payload are there, also for the process that opens the store next.
pub async fn new_record_is_loaded_as_it_was_written(bench: &impl Bench) {
    let note = Note::new(bench).next(bench, "first");
    let write = note.write_with(json(r#"{"name":"Ada"}"#));

    assert_eq!(create(bench, &write).await, Created::New);
    bench.reopen().await;

    assert_eq!(load(bench, &note.key()).await, Some(found(&write)));
}

/// A key that no record has is no error.
pub async fn record_that_was_never_stored_is_none(bench: &impl Bench) {
    assert_eq!(load(bench, &Note::new(bench).key()).await, None);
}

/// The second create of a key gets the record that is there, and changes nothing.
pub async fn create_of_a_record_that_exists_gives_it_and_changes_nothing(bench: &impl Bench) {
    let first = Note::new(bench);
    let (stands, late) = (first.write_with(json("1")), first.next(bench, "late").write_with(json("2")));
    create(bench, &stands).await;

    assert_eq!(create(bench, &late).await, Created::Exists(found(&stands)));

    assert_eq!(load(bench, &first.key()).await, Some(found(&stands)));
}

/// A reply was lost and the call is made again: the record's version is its own.
pub async fn create_tried_again_finds_its_own_version_and_is_new(bench: &impl Bench) {
    let write = Note::new(bench).write_with(json("1"));
    assert_eq!(create(bench, &write).await, Created::New);
    assert_eq!(create(bench, &write).await, Created::New);
    assert_eq!(payload(bench, &write.header.key, slot::BODY).await, Some(json("1")));
}

/// A reply was lost, and another writer has come since: its record stays.
pub async fn create_tried_again_after_a_later_write_gives_the_later(bench: &impl Bench) {
    let first = stored(bench, Note::new(bench)).await;
    let later = first.next(bench, "later");
    replace(bench, &first.write(), &later.write()).await;

    assert_eq!(create(bench, &first.write()).await, Created::Exists(later.found()));
}

/// One stores the record, nine get it.
pub async fn ten_creates_at_once_store_one_record(bench: &impl Bench) {
    let note = Note::new(bench);
    let writes: Vec<Write> = (0..10).map(|taker| note.next(bench, &format!("taker {taker}")).write()).collect();

    let created = join_all(writes.iter().map(|write| create(bench, write))).await;

    let winner = created.iter().position(|created| *created == Created::New).expect("one of them wins");
    for (taker, created) in created.into_iter().enumerate().filter(|(taker, _)| *taker != winner) {
        assert_eq!(created, Created::Exists(found(&writes[winner])), "taker {taker}");
    }
}

/// An id is any text: none is cut, folded or taken for another.
pub async fn ids_that_are_nearly_alike_are_kept_apart(bench: &impl Bench) {
    let base = bench.unique("note");
    let long = "\u{1F600}".repeat(256);
    let ends = ["", "/", "/a", "/a/b", "/A", "#a", "%", "_", " ", "'", "\"", "\\", "ä", "a\u{308}", &*long];
    let notes: Vec<Note> = ends.iter().map(|end| Note::of(bench, format!("{base}{end}"))).collect();
    for note in &notes {
        assert_eq!(create(bench, &note.write()).await, Created::New, "{:?}", note.id);
    }
    for note in &notes {
        assert_eq!(load(bench, &note.key()).await, Some(note.found()), "{:?}", note.id);
    }
}

/// Two kinds have their ids for themselves.
pub async fn kinds_with_the_same_id_are_kept_apart(bench: &impl Bench) {
    let note = Note::new(bench);
    let key = RecordKey::new("notes", &*note.id);
    let other = Write { header: Header { key: key.clone(), ..note.header() }, ..note.write_with(json("2")) };
    create(bench, &note.write()).await;
    assert_eq!(create(bench, &other).await, Created::New);
    assert_eq!(load(bench, &note.key()).await, Some(note.found()));
    assert_eq!(load(bench, &key).await, Some(found(&other)));
}

/// Documents are text that is carried, not read.
pub async fn document_with_digits_beyond_any_machine_type_keeps_them(bench: &impl Bench) {
    let texts = [
        r#"{"n":12345678901234567890123.45678901234567890,"e":1e400}"#,
        r#"{"version":"mine","kind":"mine","pk":"mine","":{"":[null,true,"",[],{}]}}"#,
        r#"{"text":"\u0000 \ud83d\ude00 \ufffe ä"}"#,
    ];
    for text in texts {
        let note = Note::new(bench);
        let write = Write { document: json(text), ..note.write() };
        create(bench, &write).await;
        assert_eq!(load(bench, &note.key()).await, Some(found(&write)));
    }
}

/// The conductor's time is kept to the millisecond, and so is the second of expiry.
pub async fn times_of_a_record_are_kept(bench: &impl Bench) {
    let reconcile_at = Some(now(bench) + SignedDuration::from_millis(3_600_123));
    let expires_at_s = Some(now(bench).as_second() + 86_400);
    let note = Note { reconcile_at, expires_at_s, ..Note::new(bench) };
    create(bench, &note.write()).await;
    assert_eq!(load(bench, &note.key()).await.map(|record| record.header), Some(note.header()));
}
