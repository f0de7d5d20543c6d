//! The expiry of what stands beside a record that has ended, although the process that ended it dies.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use dacapo_core::{
    commit::{Seen, commit},
    conductor::Conductor,
    port::{Clock, Ports, SystemClock},
};
use dacapo_domain::{Header, Json, LogLine, Machine};
use serde_json::Value;

use crate::{
    sheep::{Sheep, SheepInput, soon, wool},
    table::Item,
    wire::{Wire, lost},
};

/// A sheep that the conductor is to look after, with so many lines of log beside it, and wool.
async fn with_log(ports: &Ports, lines: usize) -> Sheep {
    let reconcile_at = Some(SystemClock.now() - Duration::from_secs(1));
    let dolly = Sheep { reconcile_at, ..Sheep::new("dolly") };
    ports.records.create(&dolly.write_with(&wool(2_000)), None).await.unwrap();
    let line = |n| LogLine { sort: format!("{n:06}"), document: Json::of(&"baa").unwrap() };
    ports.records.append(&dolly.key(), &(0..lines).map(line).collect::<Vec<_>>()).await.unwrap();
    dolly
}

/// The sheep, which goes in an hour.
async fn sold(ports: &Ports, sheep: Sheep) -> Sheep {
    commit(ports, Seen::Stored(sheep), &SheepInput::Sold, (), soon()).await.unwrap().unwrap().record
}

/// Items that don't expire with the sheep.
fn left(wire: &Wire, sheep: &Sheep) -> usize {
    let expires_at_s = sheep.expires_at_s.unwrap().to_string();
    let table = wire.table.lock().unwrap();
    let expires = |item: &Item| item.get("expiresAtS").is_some_and(|at| at["N"] == *expires_at_s);
    table.items.values().filter(|item| !expires(item)).count()
}

fn is_overdue(wire: &Wire) -> bool {
    wire.table.lock().unwrap().record("sheep/dolly").contains_key("reconcile")
}

#[tokio::test]
async fn end_of_a_record_with_a_long_log_makes_no_more_calls_than_one_with_a_short_log() {
    let mut calls = vec![];
    for lines in [14, 200, 1_000] {
        let wire = Wire::default();
        let ports = wire.ports();
        let dolly = with_log(&ports, lines).await;
        wire.forget();
        sold(&ports, dolly).await;
        calls.push(wire.operations().len());
    }
    assert_eq!(calls, [1 + 1 + 15; 3]);
}

#[tokio::test]
async fn end_of_a_record_with_little_beside_it_leaves_nothing_to_the_conductor() {
    for lines in [0, 1, 10] {
        let wire = Wire::default();
        let ports = wire.ports();
        let dolly = with_log(&ports, lines).await;
        let dolly = sold(&ports, dolly).await;
        assert_eq!((left(&wire, &dolly), is_overdue(&wire)), (0, false), "{lines}");
    }
}

#[tokio::test]
async fn process_that_dies_after_the_ending_write_leaves_the_expiry_to_the_conductor() {
    for lines in [0, 3, 300] {
        let wire = Wire::default();
        let dying = wire.ports_with(|operation, _| (operation == "Query").then(lost));
        let dolly = with_log(&dying, lines).await;
        // The process that ends it is not the one that wrote its log.
        let dying = wire.ports_with(|operation, _| (operation == "Query").then(lost));
        let dolly = sold(&dying, dolly).await;
        assert_eq!(left(&wire, &dolly), lines + 1);

        let swept = Conductor::new(wire.ports(), None).sweep().await.unwrap();

        assert_eq!((swept.reconciled, swept.failed), (1, 0));
        assert_eq!((left(&wire, &dolly), is_overdue(&wire)), (0, false), "{lines}");
    }
}

#[tokio::test]
async fn step_that_failed_midway_is_gone_on_with() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = with_log(&ports, 100).await;
    let dolly = sold(&ports, dolly).await;
    let header = ports.records.load(&dolly.key()).await.unwrap().unwrap().header;
    assert!(header.reconcile_at.is_some(), "the first round was not enough");

    let updates = Arc::new(AtomicUsize::new(0));
    let failing = wire
        .ports_with(move |operation, _| (operation == "UpdateItem" && updates.fetch_add(1, Relaxed) >= 40).then(lost));
    failing.records.expire_overflow(&header).await.unwrap_err();
    assert!((1..=101 - 15 - 40).contains(&left(&wire, &dolly)) && is_overdue(&wire));

    wire.forget();
    ports.records.expire_overflow(&header).await.unwrap();
    assert_eq!((left(&wire, &dolly), is_overdue(&wire)), (0, false));
    assert!(wire.inputs("UpdateItem").len() < 60, "what has its expiry is not given it again");
}

#[tokio::test]
async fn conductor_lets_a_long_log_expire_in_steps() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = with_log(&ports, 1_600).await;
    let dolly = sold(&ports, dolly).await;
    let conductor = Conductor::new(ports, None);

    conductor.sweep().await.unwrap();
    assert!((1..=600).contains(&left(&wire, &dolly)), "{}", left(&wire, &dolly));
    assert!(is_overdue(&wire));

    conductor.sweep().await.unwrap();
    assert_eq!((left(&wire, &dolly), is_overdue(&wire)), (0, false));
}

#[tokio::test]
async fn record_that_is_needed_again_during_a_step_keeps_all_that_stands_beside_it() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = with_log(&ports, 100).await;
    let dolly = sold(&ports, dolly).await;
    let header: Header = ports.records.load(&dolly.key()).await.unwrap().unwrap().header;
    let again = Sheep { expires_at_s: None, reconcile_at: Some(soon()), ..dolly.clone().at(9) };
    ports.records.save(&dolly.header(), &again.write()).await.unwrap();

    ports.records.expire_overflow(&header).await.unwrap();

    let table = wire.table.lock().unwrap();
    let expiring: Vec<&Value> = table.items.values().filter_map(|item| item.get("expiresAtS")).collect();
    assert_eq!(expiring, Vec::<&Value>::new());
}
