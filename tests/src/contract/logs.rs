//! Logs of runs: only ever added to, read in their order.

use dacapo::port::{LogEntry, LogLevel};
use dacapo_domain::Id;

use super::{
    Bench,
    fixture::{json, now, stored_run},
};

fn entry(bench: &impl Bench, iteration: u32, attempt: u32, number: u32) -> LogEntry {
    let message = format!("{iteration}/{attempt}/{number}");
    let time = now(bench);
    LogEntry { iteration, attempt, number, time, level: LogLevel::Info, message, data: None, error: None }
}

async fn read(bench: &impl Bench, id: Id, after: Option<&str>, limit: usize) -> Vec<LogEntry> {
    bench.ports().store.logs(id, after, limit).await.expect("logs can be read")
}

/// An entry keeps all that was said.
pub async fn an_entry_keeps_all_that_was_said(bench: &impl Bench) {
    let id = stored_run(bench, &bench.unique("task")).await.id;
    let data = Some(json(r#"{"rows": 3}"#));
    let error = Some("can't read\nno such file".to_owned());
    let entry = LogEntry { level: LogLevel::Error, data, error, ..entry(bench, 1, 1, 1) };

    bench.ports().store.log(id, std::slice::from_ref(&entry)).await.unwrap();
    bench.reopen().await;

    assert_eq!(read(bench, id, None, 10).await, [entry]);
}

/// By iteration, attempt and number, whatever the order in which they were stored.
pub async fn logs_are_given_in_the_order_they_were_made(bench: &impl Bench) {
    let id = stored_run(bench, &bench.unique("task")).await.id;
    let made = [(1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1), (2, 1, 9), (2, 1, 10), (10, 1, 1)];
    let made = made.map(|(iteration, attempt, number)| entry(bench, iteration, attempt, number));

    for entry in made.iter().rev() {
        bench.ports().store.log(id, std::slice::from_ref(entry)).await.unwrap();
    }

    assert_eq!(read(bench, id, None, 10).await, made);
}

/// A hundred entries in one call are a hundred.
pub async fn many_entries_may_be_added_at_once(bench: &impl Bench) {
    let id = stored_run(bench, &bench.unique("task")).await.id;
    let entries: Vec<_> = (1..=100).map(|number| entry(bench, 1, 1, number)).collect();
    bench.ports().store.log(id, &entries).await.unwrap();
    assert_eq!(read(bench, id, None, 1_000).await, entries);
}

/// No entries are no error.
pub async fn no_entries_are_no_error(bench: &impl Bench) {
    let id = stored_run(bench, &bench.unique("task")).await.id;
    bench.ports().store.log(id, &[]).await.unwrap();
    assert!(read(bench, id, None, 10).await.is_empty());
}

/// A reply was lost and the call is made again.
pub async fn the_same_entry_added_twice_is_one(bench: &impl Bench) {
    let id = stored_run(bench, &bench.unique("task")).await.id;
    let entries = [entry(bench, 1, 1, 1), entry(bench, 1, 1, 2)];
    bench.ports().store.log(id, &entries[..1]).await.unwrap();
    bench.ports().store.log(id, &entries).await.unwrap();
    assert_eq!(read(bench, id, None, 10).await, entries);
}

/// A page begins after its cursor, which is an entry's key.
pub async fn a_page_of_logs_begins_after_its_cursor(bench: &impl Bench) {
    let id = stored_run(bench, &bench.unique("task")).await.id;
    let entries: Vec<_> = (1..=5).map(|number| entry(bench, 1, 1, number)).collect();
    bench.ports().store.log(id, &entries).await.unwrap();

    assert_eq!(read(bench, id, None, 2).await, entries[..2]);
    assert_eq!(read(bench, id, Some(&entries[1].key()), 2).await, entries[2..4]);
    assert_eq!(read(bench, id, Some(&entries[3].key()), 2).await, entries[4..]);
    assert!(read(bench, id, Some(&entries[4].key()), 2).await.is_empty());
}

/// Runs have their logs for themselves.
pub async fn logs_are_of_one_run(bench: &impl Bench) {
    let task = bench.unique("task");
    let (one, other) = (stored_run(bench, &task).await.id, stored_run(bench, &task).await.id);
    bench.ports().store.log(one, &[entry(bench, 1, 1, 1)]).await.unwrap();
    assert_eq!(read(bench, one, None, 10).await.len(), 1);
    assert!(read(bench, other, None, 10).await.is_empty());
}
