//! Watched until settled: what the conductor should look at.

use dacapo::port::{SavedDelivery, Watched};
use dacapo_domain::{Delivery, Run, days, seconds};
use jiff::Timestamp;

use super::{
    Bench,
    fixture::{changed, create, delivery, ended_run, event, new_run, now, overdue, save, version},
};

/// Stores a run that should be looked at then.
async fn watched_run(bench: &impl Bench, watch_at: Option<Timestamp>) -> (Run, Watched) {
    let run = Run { watch_at, ..new_run(bench, &bench.unique("task")) };
    create(bench, &run).await;
    let watched = Watched::Run(run.id);
    (run, watched)
}

/// Stores a delivery that should be looked at then.
async fn watched_delivery(bench: &impl Bench, watch_at: Timestamp) -> (Delivery, Watched) {
    let event = event(bench, "{}");
    let delivery = Delivery { watch_at: Some(watch_at), ..delivery(bench, &event) };
    bench.ports().store.create_delivery(&delivery, &event.body).await.unwrap();
    let watched = Watched::Delivery(delivery.key());
    (delivery, watched)
}

/// Runs and deliveries alike, those that waited longest first. Nothing is overdue before its time.
pub async fn the_longest_overdue_comes_first(bench: &impl Bench) {
    let start = now(bench);
    let (_, second) = watched_run(bench, Some(start + seconds(20))).await;
    let (_, first) = watched_delivery(bench, start + seconds(10)).await;
    let (_, third) = watched_run(bench, Some(start + seconds(30))).await;
    let all = [first.clone(), second.clone(), third.clone()];
    bench.reopen().await;

    assert!(overdue(bench, start + seconds(9), &all).await.is_empty());
    assert_eq!(overdue(bench, start + seconds(21), &all).await, all[..2]);
    assert_eq!(overdue(bench, start + seconds(30), &all).await, all);
}

/// Nobody gets more than asked for.
pub async fn no_more_is_overdue_than_asked_for(bench: &impl Bench) {
    let start = now(bench);
    for _ in 0..3 {
        watched_run(bench, Some(start)).await;
    }
    let overdue = bench.ports().store.overdue(start + seconds(1), 2).await.unwrap();
    assert_eq!(overdue.len(), 2);
}

/// A look that is put off, or brought forward, counts from the write on.
pub async fn a_save_moves_the_look(bench: &impl Bench) {
    let start = now(bench);
    let (run, watched) = watched_run(bench, Some(start + seconds(10))).await;
    let all = [watched.clone()];

    let later = changed(bench, &run, |run| run.watch_at = Some(start + seconds(50)));
    save(bench, &run, &later).await;
    assert!(overdue(bench, start + seconds(20), &all).await.is_empty());

    let sooner = changed(bench, &later, |run| run.watch_at = Some(start + seconds(5)));
    save(bench, &later, &sooner).await;
    assert_eq!(overdue(bench, start + seconds(20), &all).await, all);
}

/// What is settled is looked at no more.
pub async fn what_is_settled_is_not_overdue(bench: &impl Bench) {
    let start = now(bench);
    let (run, watched) = watched_run(bench, Some(start)).await;
    let settled = changed(bench, &run, |run| run.watch_at = None);
    save(bench, &run, &settled).await;
    let (seen, other) = watched_delivery(bench, start).await;
    let next = Delivery { watch_at: None, version: version(bench), ..seen.clone() };
    let saved = bench.ports().store.save_delivery(&seen, &next).await.unwrap();
    assert_eq!(saved, SavedDelivery::Done);

    assert!(overdue(bench, start + days(1), &[watched, other]).await.is_empty());
}

/// A final record that still owes something is looked at.
pub async fn a_final_record_that_owes_something_is_overdue(bench: &impl Bench) {
    let start = now(bench);
    let (run, watched) = watched_run(bench, Some(start)).await;
    let ended = ended_run(bench, run, dacapo_domain::State::Completed, days(1)).await;
    let owing = changed(bench, &ended, |run| {
        run.owes = true;
        run.watch_at = Some(start + seconds(1));
    });
    save(bench, &ended, &owing).await;
    assert_eq!(overdue(bench, start + seconds(2), std::slice::from_ref(&watched)).await, [watched]);
}
