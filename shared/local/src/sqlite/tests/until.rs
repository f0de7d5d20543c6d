//! Waiting for the end of a record.

use std::{future::Future, time::Duration};

use dacapo_core::port::Until;
use dacapo_domain::{Header, Machine, StoredRecord};
use futures::future::join_all;
use tokio::time::Instant;

use super::*;

/// A record as it is given once it is over, while this happens; and how long that took.
async fn ended(bench: &Bench, run: &RunRecord, meanwhile: impl Future) -> (Option<StoredRecord>, Duration) {
    let (began, key) = (Instant::now(), run.header().key);
    let (found, _) = tokio::join!(bench.database.load_until(&key, Until::Ended), meanwhile);
    (found.unwrap(), began.elapsed())
}

/// Writes a record that doesn't end by it; gives its header then.
async fn goes_on(bench: &Bench, run: &RunRecord, seen: &Header) -> Header {
    let version = bench.clock.decision_context().version();
    let next = Decision::store(RunRecord { version, ..run.clone() }, vec![]).write().unwrap();
    bench.database.save(seen, &next).await.unwrap();
    next.header
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_records_end_hears_of_it_at_once() {
    let bench = Bench::new().await;
    let (run, write) = bench.stored_run().await;
    let end = bench.expiring(&run, 60);
    let (found, took) = ended(&bench, &run, bench.database.save(&write.header, &end)).await;
    assert_eq!((found.unwrap().header, took), (end.header.clone(), Duration::ZERO));

    let (found, took) = ended(&bench, &run, async {}).await;
    assert_eq!((found.unwrap().header, took), (end.header.clone(), Duration::ZERO), "it has ended before");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_record_that_is_deleted_hears_that_it_is_gone() {
    let bench = Bench::new().await;
    let (run, write) = bench.stored_run().await;
    assert_eq!(ended(&bench, &run, bench.database.delete(&write.header, &[])).await, (None, Duration::ZERO));
    assert_eq!(ended(&bench, &run, async {}).await, (None, Duration::ZERO), "it is gone already");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_records_next_change_hears_of_any_write_at_once() {
    let bench = Bench::new().await;
    let (run, write) = bench.stored_run().await;
    let (began, key, seen) = (Instant::now(), run.header().key, Until::WrittenAfter(write.header.version));
    let wait = bench.database.load_until(&key, seen);
    let (found, next) = tokio::join!(wait, goes_on(&bench, &run, &write.header));
    assert_eq!((found.unwrap().unwrap().header, began.elapsed()), (next, Duration::ZERO));

    bench.database.load_until(&key, seen).await.unwrap().unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "it has changed before");
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_told_how_the_record_stands_after_a_while() {
    let bench = Bench::new().await;
    let (run, write) = bench.stored_run().await;
    let goes_on = goes_on(&bench, &run, &write.header);
    let key = run.header().key;
    let began = Instant::now();
    let (found, next) = tokio::join!(bench.database.load_until(&key, Until::Ended), goes_on);
    assert_eq!((found.unwrap().unwrap().header, began.elapsed().as_secs()), (next, 20));
    assert!(bench.database.listeners.is_empty(), "nobody is kept");
}

#[tokio::test(start_paused = true)]
async fn wait_of_one_too_many_is_answered_at_once() {
    let bench = Bench::new().await;
    let (run, _) = bench.stored_run().await;
    let (began, key) = (Instant::now(), run.header().key);
    let waits = (0..260).map(|_| async {
        bench.database.load_until(&key, Until::Ended).await.unwrap().unwrap();
        began.elapsed().as_secs()
    });
    let took = join_all(waits).await;
    assert_eq!(took.iter().filter(|seconds| **seconds == 20).count(), 256);
    assert_eq!(took.iter().filter(|seconds| **seconds == 0).count(), 4);
}
