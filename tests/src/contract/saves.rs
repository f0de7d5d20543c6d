//! Saves: a record is replaced on the condition that its version is still the one seen.

use dacapo_domain::{Machine, Payloads, Saved, slot};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{create, json, load, replace, save, stored},
    note::{Note, found},
};

/// The whole record is replaced: what is set, what changes, what goes.
pub async fn save_in_the_version_seen_replaces_the_record(bench: &impl Bench) {
    let first = stored(bench, Note::new(bench)).await;
    let second = Note { reconcile_at: Some(bench.ports().clock.now()), ..first.next(bench, "second") };
    let third = Note { lines: vec![], reconcile_at: None, ..second.next(bench, "third") };

    replace(bench, &first.write(), &second.write()).await;
    assert_eq!(load(bench, &first.key()).await, Some(second.found()));
    replace(bench, &second.write(), &third.write()).await;
    bench.reopen().await;
    assert_eq!(load(bench, &first.key()).await, Some(third.found()));
}

/// The writer that has not seen the last version changes nothing, and learns what stands there from the same call.
pub async fn save_in_an_older_version_gives_the_record_that_won(bench: &impl Bench) {
    let first = Note::new(bench);
    create(bench, &first.write_with(json("1"))).await;
    let winner = first.next(bench, "winner");
    replace(bench, &first.write(), &winner.write()).await;

    let lost = save(bench, &first.header(), &first.next(bench, "loser").write_with(json("2"))).await;

    let stands = Some(found(&winner.write_with(json("1"))));
    assert_eq!(lost, Saved::Lost(stands.clone()));
    assert_eq!(load(bench, &first.key()).await, stands);
}

/// A reply was lost and the call is made again: its own version is on the record, so it has won.
pub async fn save_tried_again_finds_its_own_version_and_is_done(bench: &impl Bench) {
    let first = stored(bench, Note::new(bench)).await;
    let second = first.next(bench, "second").write_with(json("2"));
    let payloads = Payloads::none().with(slot::BODY, json("2"));
    for _ in 0..2 {
        assert_eq!(save(bench, &first.header(), &second).await, Saved::Done(payloads.clone()));
    }
    assert_eq!(load(bench, &first.key()).await, Some(found(&second)));
}

/// A write that a later one has replaced doesn't come back when it is tried again.
pub async fn save_tried_again_after_a_later_write_is_lost(bench: &impl Bench) {
    let first = stored(bench, Note::new(bench)).await;
    let second = first.next(bench, "second");
    let third = second.next(bench, "third");
    replace(bench, &first.write(), &second.write()).await;
    replace(bench, &second.write(), &third.write()).await;

    let again = save(bench, &first.header(), &second.write()).await;

    assert_eq!(again, Saved::Lost(Some(third.found())));
}

/// One writes, nine learn what it wrote.
pub async fn ten_saves_of_one_version_at_once_store_one(bench: &impl Bench) {
    let first = stored(bench, Note::new(bench)).await;
    let writers: Vec<Note> = (0..10).map(|writer| first.next(bench, &format!("writer {writer}"))).collect();
    let (seen, writes) = (first.header(), writers.iter().map(Note::write).collect::<Vec<_>>());

    let saved = join_all(writes.iter().map(|write| save(bench, &seen, write))).await;

    let stands = load(bench, &first.key()).await;
    let winners = writers.iter().zip(saved).filter(|(writer, saved)| match saved {
        Saved::Done(_) => {
            assert_eq!(stands, Some(writer.found()));
            true
        }
        Saved::Lost(found) => {
            assert_eq!(*found, stands);
            false
        }
    });
    assert_eq!(winners.count(), 1);
}

/// A save never makes a record out of nothing.
pub async fn save_of_a_record_that_is_not_there_stores_nothing(bench: &impl Bench) {
    let (seen, none) = (Note::new(bench), Saved::Lost(None));
    let next = seen.next(bench, "next").write_with(json("1"));
    assert_eq!(save(bench, &seen.header(), &next).await, none);
    assert_eq!(load(bench, &seen.key()).await, None);
}
