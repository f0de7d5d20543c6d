//! The index of what the conductor reconciles: every kind together, by when.

use std::{slice, time::Duration};

use dacapo_domain::{
    Decision, Index, IndexEntry, Machine, NewRun, Query, RecordKey, RunRecord, days, seconds, sort_time,
};
use jiff::Timestamp;

use super::{
    Bench,
    fixture::{ask, create, let_expire, new_run, now, replace, soon_s, stored, stored_run},
    note::Note,
};

/// A time that no other rule uses: the index is shared by all of them.
pub(super) fn quiet_time(bench: &impl Bench) -> Timestamp {
    now(bench) + days(1_000) + Duration::from_millis(bench.ports().clock.random() >> 30)
}

/// The records that are to be reconciled by a time and not before another, in order.
async fn due(bench: &impl Bench, from: Timestamp, by: Timestamp) -> Vec<RecordKey> {
    due_among(bench, IndexEntry::RECONCILED, from, by).await
}

/// Those of them that are in this partition.
async fn due_among(bench: &impl Bench, partition: &str, from: Timestamp, by: Timestamp) -> Vec<RecordKey> {
    let partitions = vec![partition.to_owned()];
    let below = Some(sort_time(by + Duration::from_millis(1)));
    let query = Query {
        index: Index::Reconcile,
        partitions,
        from: Some(sort_time(from)),
        below,
        descending: false,
        limit: 100,
    };
    let mut tries = 0;
    loop {
        let keys: Vec<RecordKey> = ask(bench, &query).await.records.into_iter().map(|found| found.header.key).collect();
        tries += 1;
        if !keys.is_empty() || tries == 3 {
            return keys;
        }
        bench.pass(Duration::from_millis(100)).await;
    }
}

/// Stores a note that is to be reconciled then.
async fn reminded(bench: &impl Bench, at: Timestamp) -> Note {
    stored(bench, Note { reconcile_at: Some(at), ..Note::new(bench) }).await
}

/// A run that is due, or executes, has a partition for its like, which it leaves while it is put off. The conductor sees
/// all in one order.
pub async fn run_that_is_due_is_found_apart_from_all_else(bench: &impl Bench) {
    let start = quiet_time(bench);
    let at = |seconds_after: u64| start + seconds(seconds_after);
    let of = |run: RunRecord, seconds_after| RunRecord { reconcile_at: Some(at(seconds_after)), ..run };
    let cx = || bench.ports().clock.decision_context();
    let first = reminded(bench, start).await.key();
    let due_run = of(RunRecord::create(new_run(bench, "task"), &cx()).record, 1);
    let later = NewRun { due_at: now(bench) + seconds(600), ..new_run(bench, "task") };
    let put_off = of(RunRecord::create(later, &cx()).record, 2);
    for run in [&due_run, &put_off] {
        create(bench, &Decision::store(run.clone(), vec![]).write().unwrap()).await;
    }
    let [due_key, put_off_key] = [due_run.id, put_off.id].map(RunRecord::key_of);
    assert_eq!(due(bench, start, at(9)).await, [&first, &due_key, &put_off_key].map(Clone::clone));
    assert_eq!(due_among(bench, IndexEntry::DUE_RUNS, start, at(9)).await, slice::from_ref(&due_key));
    assert_eq!(due_among(bench, IndexEntry::OTHERS, start, at(9)).await, [first, put_off_key.clone()]);

    let back = RunRecord { due_at: put_off.created_at, version: cx().version(), ..put_off.clone() };
    let [seen, next] = [put_off, back].map(|run| Decision::store(run, vec![]).write().unwrap());
    replace(bench, &seen, &next).await;
    let mut tries = 0;
    while due_among(bench, IndexEntry::DUE_RUNS, start, at(9)).await.len() < 2 && tries < 10 {
        tries += 1;
        bench.pass(Duration::from_millis(200)).await;
    }
    assert_eq!(due_among(bench, IndexEntry::DUE_RUNS, start, at(9)).await, [due_key, put_off_key]);
}

/// The one that has waited longest comes first; none comes before its time.
pub async fn longest_overdue_comes_first(bench: &impl Bench) {
    let start = quiet_time(bench);
    let second = reminded(bench, start + Duration::from_millis(1)).await.key();
    let third = reminded(bench, start + seconds(20)).await.key();
    let first = reminded(bench, start).await.key();
    bench.reopen().await;
    let all = [first, second, third];

    for (by, expected) in [(Duration::ZERO, 1), (seconds(19), 2), (seconds(20), 3)] {
        assert_eq!(due(bench, start, start + by).await, all[..expected], "by {by:?}");
    }
}

/// Nothing is found before its time, not by a part of a millisecond.
pub async fn time_between_two_milliseconds_counts_as_the_later(bench: &impl Bench) {
    let start = quiet_time(bench);
    let key = reminded(bench, start + Duration::from_nanos(1)).await.key();
    assert!(due(bench, start, start).await.is_empty());
    assert_eq!(due(bench, start, start + Duration::from_millis(1)).await, [key]);
}

/// All kinds are in one order.
pub async fn kinds_are_reconciled_together(bench: &impl Bench) {
    let start = quiet_time(bench);
    let later = reminded(bench, start + days(1)).await.key();
    let mut new = new_run(bench, &bench.unique("task"));
    new.due_at = start;
    let run = stored_run(bench, new).await;
    assert_eq!(due(bench, start, start + days(1)).await, [run.header().key, later]);
}

/// A time that is put off, brought forward or taken back counts from the write on.
pub async fn save_moves_the_time(bench: &impl Bench) {
    let start = quiet_time(bench);
    let mut seen = reminded(bench, start + seconds(10)).await;
    let window = (start, start + seconds(20));
    for (after, expected) in [(Some(50), 0), (Some(5), 1), (None, 0), (Some(10), 1)] {
        let next = Note { reconcile_at: after.map(|after| start + seconds(after)), ..seen.next(bench, "moved") };
        replace(bench, &seen.write(), &next.write()).await;
        bench.pass(Duration::from_millis(100)).await;
        assert_eq!(due(bench, window.0, window.1).await.len(), expected, "after {after:?} s");
        seen = next;
    }
}

/// An expired record is reconciled no more.
pub async fn expired_record_is_not_reconciled(bench: &impl Bench) {
    let start = quiet_time(bench);
    let note = Note { reconcile_at: Some(start), expires_at_s: Some(soon_s(bench)), ..Note::new(bench) };
    stored(bench, note).await;
    let_expire(bench).await;
    assert!(due(bench, start, start).await.is_empty());
}

/// The time is raised for a record whatever its form, once for the one who saw it; the record stays as it is.
pub async fn time_that_was_seen_is_raised_and_another_is_not(bench: &impl Bench) {
    let start = quiet_time(bench);
    let note = reminded(bench, start).await;
    let later = start + seconds(10);
    let key = note.key();
    let raise =
        async |seen, until| bench.ports().records.postpone(&key, seen, until).await.expect("times can be raised");
    assert!(!raise(start - seconds(1), later).await, "another was seen");
    assert!(raise(start, later).await);
    assert!(!raise(start, later).await, "it was raised since");
    bench.pass(Duration::from_millis(100)).await;
    assert_eq!(due(bench, start, start).await, []);
    assert_eq!(due(bench, start, later).await, [note.key()]);
    replace(bench, &note.write(), &note.next(bench, "as it was").write()).await;
}

/// A record that is gone is not made again by raising its time.
pub async fn time_of_a_record_that_is_not_there_is_not_raised(bench: &impl Bench) {
    let (start, note) = (quiet_time(bench), Note::new(bench));
    assert!(!bench.ports().records.postpone(&note.key(), start, start + seconds(1)).await.unwrap());
    assert_eq!(bench.ports().records.load(&note.key()).await.unwrap(), None);
}
