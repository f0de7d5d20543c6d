//! Claims: a second record that is stored with a new one, or neither is.

use dacapo_domain::{Claim, Created, Index, Write};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{all_of, create, let_expire, listed, load, replace, soon_s, stored},
    note::Note,
};

async fn create_with(bench: &impl Bench, write: &Write, claim: &Claim) -> Created {
    bench.ports().records.create(write, Some(claim)).await.expect("records can be created")
}

/// Checks that a note is stored as it is.
async fn stands(bench: &impl Bench, note: &Note) {
    assert_eq!(load(bench, &note.key()).await, Some(note.found()));
}

/// Both are there, each in its place.
pub async fn claim_of_what_is_free_is_stored_with_its_record(bench: &impl Bench) {
    let board = bench.unique("board");
    let (note, claim) = (Note::new(bench), Note::new(bench).at(Index::List, &board, "claim"));

    assert_eq!(create_with(bench, &note.write(), &claim.claim(None)).await, Created::New);
    bench.reopen().await;

    stands(bench, &note).await;
    stands(bench, &claim).await;
    assert_eq!(listed(bench, &all_of(Index::List, &board), 1).await, [claim.id]);
}

/// The holder is given, and neither record is stored.
pub async fn claim_that_is_held_gives_its_record_and_stores_nothing(bench: &impl Bench) {
    let held = stored(bench, Note::new(bench)).await;
    let note = Note::new(bench);

    let created = create_with(bench, &note.write(), &held.next(bench, "late").claim(None)).await;

    assert_eq!(created, Created::Claimed(held.found()));
    assert_eq!(load(bench, &note.key()).await, None);
    stands(bench, &held).await;
}

/// A claim that has seen the record as it stands takes its place.
pub async fn claim_in_the_version_seen_replaces_its_record(bench: &impl Bench) {
    let held = stored(bench, Note::new(bench)).await;
    let (note, next) = (Note::new(bench), held.next(bench, "next"));

    assert_eq!(create_with(bench, &note.write(), &next.claim(Some(&held))).await, Created::New);

    stands(bench, &note).await;
    stands(bench, &next).await;
}

/// A claim that has seen an older version gets the record as it stands.
pub async fn claim_in_an_older_version_gives_its_record_and_stores_nothing(bench: &impl Bench) {
    let held = stored(bench, Note::new(bench)).await;
    let (note, winner) = (Note::new(bench), held.next(bench, "winner"));
    replace(bench, &held.write(), &winner.write()).await;

    let created = create_with(bench, &note.write(), &held.next(bench, "loser").claim(Some(&held))).await;

    assert_eq!(created, Created::Claimed(winner.found()));
    assert_eq!(load(bench, &note.key()).await, None);
    stands(bench, &winner).await;
}

/// A claim of a record that has been deleted since: nothing stands in the way.
pub async fn claim_whose_record_has_gone_is_stored(bench: &impl Bench) {
    let (note, seen) = (Note::new(bench), Note::new(bench));
    let next = seen.next(bench, "next");
    assert_eq!(create_with(bench, &note.write(), &next.claim(Some(&seen))).await, Created::New);
    stands(bench, &note).await;
    stands(bench, &next).await;
}

/// An expired record holds nothing, seen or not.
pub async fn claim_of_what_has_expired_is_stored(bench: &impl Bench) {
    let expires_at_s = Some(soon_s(bench));
    let one = stored(bench, Note { expires_at_s, ..Note::new(bench) }).await;
    let other = stored(bench, Note { expires_at_s, ..Note::new(bench) }).await;
    let_expire(bench).await;
    for (held, seen) in [(&one, None), (&other, Some(&other))] {
        let next = Note { expires_at_s: None, ..held.next(bench, "next") };
        let created = create_with(bench, &Note::new(bench).write(), &next.claim(seen)).await;
        assert_eq!(created, Created::New);
        stands(bench, &next).await;
    }
}

/// A reply was lost and the call is made again: the record and its claim are its own.
pub async fn create_with_a_claim_tried_again_is_new(bench: &impl Bench) {
    let held = stored(bench, Note::new(bench)).await;
    let notes = [Note::new(bench), Note::new(bench)];
    let claims = [Note::new(bench).claim(None), held.next(bench, "next").claim(Some(&held))];
    for (note, claim) in notes.iter().zip(&claims) {
        for _ in 0..2 {
            assert_eq!(create_with(bench, &note.write(), claim).await, Created::New);
        }
    }
}

/// The same, and the record has been replaced by then.
pub async fn create_with_a_claim_tried_again_after_a_save_is_new(bench: &impl Bench) {
    let (note, claim) = (Note::new(bench), Note::new(bench).claim(None));
    assert_eq!(create_with(bench, &note.write(), &claim).await, Created::New);
    let next = note.next(bench, "next");
    replace(bench, &note.write(), &next.write()).await;

    assert_eq!(create_with(bench, &note.write(), &claim).await, Created::New);

    stands(bench, &next).await;
}

/// The record's key is taken: its record is given, whatever becomes of the claim, which is not stored.
pub async fn create_of_a_record_that_exists_leaves_the_claim_alone(bench: &impl Bench) {
    let first = stored(bench, Note::new(bench)).await;
    let (free, held) = (Note::new(bench), stored(bench, Note::new(bench)).await);
    let late = first.next(bench, "late").write();

    let exists = Created::Exists(first.found());
    assert_eq!(create_with(bench, &late, &free.claim(None)).await, exists);
    assert_eq!(create_with(bench, &late, &held.next(bench, "late").claim(None)).await, exists);

    assert_eq!(load(bench, &free.key()).await, None);
    stands(bench, &held).await;
}

/// Ten notes want what is free: one gets it, nine learn of it.
pub async fn ten_takers_of_one_claim_at_once_store_one(bench: &impl Bench) {
    let wanted = Note::new(bench);
    race(bench, &wanted, None).await;
}

/// Ten notes want what one of them may take over: one gets it, nine learn of it.
pub async fn ten_takers_of_one_version_at_once_store_one(bench: &impl Bench) {
    let held = stored(bench, Note::new(bench)).await;
    race(bench, &held, Some(&held)).await;
}

async fn race(bench: &impl Bench, wanted: &Note, seen: Option<&Note>) {
    let takers: Vec<Note> = (0..10).map(|_| Note::new(bench)).collect();
    let claims: Vec<Note> = takers.iter().map(|taker| wanted.next(bench, &taker.id)).collect();
    let writes: Vec<(Write, Claim)> =
        takers.iter().zip(&claims).map(|(taker, claim)| (taker.write(), claim.claim(seen))).collect();

    let created = join_all(writes.iter().map(|(write, claim)| create_with(bench, write, claim))).await;

    let winner = created.iter().position(|created| *created == Created::New).expect("one of them wins");
    stands(bench, &claims[winner]).await;
    for (place, created) in created.into_iter().enumerate().filter(|(place, _)| *place != winner) {
        assert_eq!(created, Created::Claimed(claims[winner].found()), "taker {place}");
        assert_eq!(load(bench, &takers[place].key()).await, None, "taker {place}");
    }
    assert_eq!(create(bench, &takers[winner].write()).await, Created::New, "its record is stored with it");
}
