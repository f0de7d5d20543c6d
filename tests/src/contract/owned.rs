//! Records beside another: each is one of its own, that goes with its owner.

use dacapo_core::commit::{self, Creation};
use dacapo_domain::{
    Created, Index, Machine, NewStep, OwnedQuery, RecordKey, RunRecord, Saved, StepRecord, StoredRecord, Write,
    seconds, slot,
};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{
        all_of, ask, create, deadline, json, large, let_expire, listed, load, new_run, now, payload, replace, save,
        soon_s, stored, stored_run,
    },
    note::{Note, found},
};

/// The ids of the notes beside one, at most so many after an id.
async fn ids_beside(bench: &impl Bench, owner: &Note, after: Option<&str>, limit: usize) -> Vec<String> {
    let ids = |records: Vec<StoredRecord>| records.into_iter().map(|found| found.header.key.id).collect();
    ids(bench.ports().records.owned(&notes_beside(owner, after, limit)).await.expect("they can be listed"))
}

fn notes_beside(owner: &Note, after: Option<&str>, limit: usize) -> OwnedQuery {
    OwnedQuery { owner: owner.key(), kind: Note::KIND.to_owned(), after: after.map(ToOwned::to_owned), limit }
}

/// A note of an id beside another.
fn beside(bench: &impl Bench, owner: &Note, id: &str) -> Note {
    Note::of(bench, id.to_owned()).beside(owner)
}

/// It is created, read and saved by its own key, version and payloads, also by the process that opens the store next, and
/// leaves its owner as it is.
pub async fn record_beside_another_is_a_record_of_its_own(bench: &impl Bench) {
    let owner = stored(bench, Note::new(bench)).await;
    let first = beside(bench, &owner, "a/1");
    let write = first.write_with(json("1"));
    assert_eq!(create(bench, &write).await, Created::New);
    bench.reopen().await;
    assert_eq!(load(bench, &first.key()).await, Some(found(&write)));

    let next = first.next(bench, "next");
    replace(bench, &write, &next.write()).await;
    assert_eq!(save(bench, &first.header(), &first.next(bench, "late").write()).await, {
        Saved::Lost(Some(found(&Write { payloads: write.payloads.clone(), ..next.write() })))
    });
    assert_eq!(load(bench, &owner.key()).await, Some(owner.found()));
    assert_eq!(load(bench, &RecordKey { owner: None, ..first.key() }).await, None);
}

/// The first writer wins, and the others get what it has written.
pub async fn record_beside_another_is_created_once(bench: &impl Bench) {
    let owner = stored(bench, Note::new(bench)).await;
    let writes: Vec<Write> = (0..10).map(|n| beside(bench, &owner, "one").write_with(json(&n.to_string()))).collect();
    let created = join_all(writes.iter().map(|write| create(bench, write))).await;
    let stands = load(bench, &writes[0].header.key).await.expect("one is stored");
    let new = created.iter().filter(|created| **created == Created::New).count();
    let given = created.iter().filter(|created| **created == Created::Exists(stands.clone())).count();
    assert_eq!((new, given), (1, 9));
}

/// One id beside two records, whose own ids are nearly alike, names two.
pub async fn ids_beside_one_record_are_kept_apart_from_those_beside_another(bench: &impl Bench) {
    let first = stored(bench, Note::new(bench)).await;
    let second = stored(bench, Note::of(bench, format!("{}-2", first.id))).await;
    let (one, two) =
        (beside(bench, &first, "x").write_with(json("1")), beside(bench, &second, "x").write_with(json("2")));
    assert_eq!((create(bench, &one).await, create(bench, &two).await), (Created::New, Created::New));
    assert_eq!(payload(bench, &one.header.key, slot::BODY).await, Some(json("1")));
    assert_eq!(payload(bench, &two.header.key, slot::BODY).await, Some(json("2")));
    assert_eq!(ids_beside(bench, &first, None, 10).await, ["x"]);
}

/// In the order of their ids, page by page; of this kind alone, and of this owner.
pub async fn records_beside_another_are_listed_by_their_ids(bench: &impl Bench) {
    let owner = stored(bench, Note::new(bench)).await;
    let ids = ["a", "a b", "a/b", "b", "\u{1f980}"];
    for id in ids.iter().rev() {
        create(bench, &beside(bench, &owner, id).write_with(json("1"))).await;
    }
    assert_eq!(ids_beside(bench, &owner, None, 10).await, ids);
    assert_eq!(ids_beside(bench, &owner, None, 2).await, ids[..2]);
    assert_eq!(ids_beside(bench, &owner, Some("a b"), 2).await, ids[2..4]);
    assert_eq!(ids_beside(bench, &owner, Some("b"), 2).await, ids[4..]);
    assert_eq!(ids_beside(bench, &owner, Some("c~"), 1).await, ids[4..]);
    let query = OwnedQuery { kind: "not".to_owned(), ..notes_beside(&owner, None, 10) };
    assert_eq!(bench.ports().records.owned(&query).await.unwrap(), []);
    assert_eq!(ids_beside(bench, &Note::new(bench), None, 10).await, [""; 0]);
}

/// A payload of any size.
pub async fn large_payload_of_a_record_beside_another_is_read_with_it(bench: &impl Bench) {
    let owner = stored(bench, Note::new(bench)).await;
    for (id, bytes) in [("small", 200), ("large", 300_000), ("largest", 1_048_576)] {
        let note = beside(bench, &owner, id);
        assert_eq!(create(bench, &note.write_with(large('x', bytes))).await, Created::New);
        let late = beside(bench, &owner, id).write_with(large('y', bytes));
        assert!(matches!(create(bench, &late).await, Created::Exists(_)));
        assert!(payload(bench, &note.key(), slot::BODY).await == Some(large('x', bytes)), "{id}");
    }
}

/// As any record.
pub async fn record_beside_another_is_found_by_its_place_in_an_index(bench: &impl Bench) {
    let owner = stored(bench, Note::new(bench)).await;
    let board = bench.unique("board");
    let note = stored(bench, beside(bench, &owner, "listed").at(Index::List, &board, "1")).await;
    assert_eq!(listed(bench, &all_of(Index::List, &board), 1).await, ["listed"]);
    assert_eq!(ask(bench, &all_of(Index::List, &board)).await.records, [note.found()]);
}

/// A record that lives on keeps what stands beside it.
pub async fn expiry_of_what_stands_beside_a_record_moves_with_a_write_of_it(bench: &impl Bench) {
    let owner = stored(bench, Note::new(bench)).await;
    let expires_at_s = Some(soon_s(bench));
    let kept = stored(bench, Note { expires_at_s, ..beside(bench, &owner, "kept") }).await;
    let later = (now(bench) + seconds(86_400)).as_second();
    let write = Write { expiry_beside_s: Some(later), ..owner.next(bench, "on").write() };
    replace(bench, &owner.write(), &write).await;
    let late = stored(bench, Note { expires_at_s, ..beside(bench, &owner, "late") }).await;
    let_expire(bench).await;
    assert_eq!(load(bench, &kept.key()).await.map(|found| found.header.expires_at_s), Some(Some(later)));
    assert_eq!(load(bench, &late.key()).await, None, "one that comes later has its own expiry");
    assert_eq!(ids_beside(bench, &owner, None, 10).await, ["kept"]);
}

/// It is its owner's to move: a writer that has not heard of it changes nothing about it.
pub async fn write_of_a_record_beside_another_leaves_its_expiry_where_it_was_moved(bench: &impl Bench) {
    let owner = stored(bench, Note::new(bench)).await;
    let later = (now(bench) + seconds(86_400)).as_second();
    let note = stored(bench, Note { expires_at_s: Some(later), ..beside(bench, &owner, "1") }).await;
    for (version, moved) in [("far", later + 86_400), ("near", soon_s(bench))] {
        let write = Write { expiry_beside_s: Some(moved), ..owner.next(bench, version).write() };
        let seen = load(bench, &owner.key()).await.expect("the owner is there").header;
        assert!(matches!(save(bench, &seen, &write).await, Saved::Done(_)));
        let seen = load(bench, &note.key()).await.expect("the note is there").header;
        let large = note.next(bench, version).write_with(large('x', 500_000));
        assert!(matches!(save(bench, &seen, &large).await, Saved::Done(_)));
        let stands = load(bench, &note.key()).await.expect("the note is there");
        assert_eq!(stands.header.expires_at_s, Some(moved));
    }
    let_expire(bench).await;
    assert_eq!(load(bench, &note.key()).await, None);
}

/// It does if the write says so; else each has its own.
pub async fn expiry_of_what_stands_beside_a_record_that_ends_moves_with_its_end(bench: &impl Bench) {
    for moves in [true, false] {
        let owner = stored(bench, Note::new(bench)).await;
        let later = (now(bench) + seconds(86_400)).as_second();
        let note = beside(bench, &owner, "1");
        create(bench, &Note { expires_at_s: Some(later), ..note.clone() }.write_with(large('x', 500_000))).await;
        let end = soon_s(bench);
        let ended = Note { expires_at_s: Some(end), ..owner.next(bench, "ended") };
        let write = Write { expiry_beside_s: moves.then_some(end), ..ended.write() };
        replace(bench, &owner.write(), &write).await;
        assert!(payload(bench, &note.key(), slot::BODY).await.is_some());
        let_expire(bench).await;
        assert_eq!(load(bench, &note.key()).await.is_none(), moves);
    }
}

/// So that one of the same key that is created later has none.
pub async fn record_beside_another_is_deleted_with_it(bench: &impl Bench) {
    // On AWS a record says that it has something beside it only once a write says so.
    let owner = Note::new(bench);
    create(bench, &Write { expiry_beside_s: Some(now(bench).as_second() + 86_400), ..owner.write() }).await;
    let note = beside(bench, &owner, "1");
    create(bench, &note.write_with(large('x', 500_000))).await;
    assert!(bench.ports().records.delete(&owner.header(), &[]).await.unwrap());
    assert_eq!(load(bench, &note.key()).await, None);
    assert_eq!(ids_beside(bench, &owner, None, 10).await, [""; 0]);
}

/// Attempts that meet: one that is taken for dead, and the one after it.
pub async fn step_that_many_attempts_store_at_once_is_that_of_one(bench: &impl Bench) {
    let run: RunRecord = stored_run(bench, new_run(bench, &bench.unique("task"))).await;
    let ports = bench.ports();
    let expires_at_s = now(bench).as_second() + 86_400;
    let steps = (0..8).map(|n| {
        let new = NewStep { name: "send", run: &run, took: seconds(1), expires_at_s };
        StepRecord::create(&new, json(&n.to_string()), &ports.clock.decision_context())
    });
    let steps: Vec<_> = steps.collect();
    let created = join_all(steps.iter().map(|step| commit::create(&ports, step, deadline(bench)))).await;
    let new: Vec<_> = created.iter().enumerate().filter(|(_, created)| matches!(created, Ok(Creation::New))).collect();
    assert_eq!(new.len(), 1, "{created:?}");
    let value = payload(bench, &StepRecord::key_of(run.id, "send"), slot::VALUE).await;
    assert_eq!(value, Some(json(&new[0].0.to_string())));
}
