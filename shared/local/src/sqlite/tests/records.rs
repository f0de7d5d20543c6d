//! Records with what stands beside them, and what follows from a write.

use std::time::Duration;

use dacapo_core::port::{Clock, Probe, Records};
use dacapo_domain::{
    Claim, Created, Decision, Id, IdempotencyKey, Index, Json, LogLine, Machine, Payload, Query, RunRecord, Saved,
    Write, run::Key, seconds, slot, sort_time,
};

use super::{Bench, send, text};

fn json(text: &str) -> Json {
    Json::from_text(text).unwrap()
}

fn line(text: &str) -> LogLine {
    LogLine { sort: text.to_owned(), document: json("1") }
}

/// A write of the same record with other effects and another version.
fn next(bench: &Bench, write: &Write, effects: Vec<dacapo_domain::Effect>) -> Write {
    let mut next = write.clone();
    next.header.version = bench.clock.decision_context().version();
    next.effects = effects;
    next
}

#[tokio::test]
async fn effects_of_a_write_are_there_with_it_and_wake_the_engine() {
    let bench = Bench::new().await;
    bench.database.changed().await;
    let decision = bench.run();
    bench.database.create(&decision.write().unwrap(), None).await.unwrap();

    tokio::time::timeout(Duration::from_secs(5), bench.database.changed()).await.expect("the message wakes it");
    let sent = decision.record.message().to_text();
    assert_eq!(bench.texts("greet").await, [sent]);
}

#[tokio::test]
async fn effects_of_a_write_that_lost_do_not_happen() {
    let bench = Bench::new().await;
    let (_, write) = bench.stored_run().await;
    bench.texts("greet").await;
    let (won, lost) = (next(&bench, &write, vec![]), next(&bench, &write, vec![send("greet", "b", Duration::ZERO)]));
    assert!(matches!(bench.database.save(&write.header, &won).await.unwrap(), Saved::Done(_)));

    let Saved::Lost(Some(found)) = bench.database.save(&write.header, &lost).await.unwrap() else { panic!("it lost") };

    assert_eq!(found.header, won.header);
    assert!(!bench.database.delete(&write.header, &lost.effects).await.unwrap());
    assert!(!bench.database.has_backlog("greet").await.unwrap());
}

#[tokio::test]
async fn write_that_is_tried_again_has_won_and_its_effects_happened_once() {
    let bench = Bench::new().await;
    let (_, write) = bench.stored_run().await;
    assert_eq!(bench.database.create(&write, None).await.unwrap(), Created::New);
    assert_eq!(bench.texts("greet").await.len(), 1);

    let saved = next(&bench, &write, vec![send("greet", "b", Duration::ZERO)]);
    for _ in 0..2 {
        assert!(matches!(bench.database.save(&write.header, &saved).await.unwrap(), Saved::Done(_)));
    }
    assert_eq!(bench.texts("greet").await, [text("b")]);
}

#[tokio::test]
async fn write_is_stored_although_its_message_has_no_queue() {
    let bench = Bench::new().await;
    let decision = bench.run();
    let write = Write { effects: vec![send("gone", "a", Duration::ZERO)], ..decision.write().unwrap() };
    assert_eq!(bench.database.create(&write, None).await.unwrap(), Created::New);
    assert!(bench.database.load(&write.header.key).await.unwrap().is_some());
}

#[tokio::test]
async fn record_comes_back_as_it_was_written() {
    let bench = Bench::new().await;
    let mut decision = bench.run().with(slot::BODY, json("null"));
    decision.record.reconcile_at = Some("2026-01-01T00:00:00.000000001Z".parse().unwrap());
    let write = decision.write().unwrap();
    bench.database.create(&write, None).await.unwrap();

    let stored = bench.database.load(&write.header.key).await.unwrap().unwrap();

    assert_eq!((stored.header, stored.document), (write.header, write.document));
    assert_eq!(stored.payloads.get(slot::BODY), Payload::Here(&json("null")));
}

#[tokio::test]
async fn payload_is_the_same_whether_large_or_small_and_takes_no_space_once_it_is_replaced() {
    let bench = Bench::new().await;
    let large = |letter: &str| json(&format!("\"{}\"", letter.repeat(5_000)));
    let mut write = bench.run().with(slot::BODY, large("a")).write().unwrap();
    bench.database.create(&write, None).await.unwrap();
    for (payload, rows) in [(large("b"), 1), (json("1"), 0), (json("2"), 0), (large("c"), 1)] {
        let payloads = dacapo_domain::Payloads::none().with(slot::BODY, payload.clone()).with(slot::INPUT, json("3"));
        let saved = Write { payloads, ..next(&bench, &write, vec![]) };
        let Saved::Done(payloads) = bench.database.save(&write.header, &saved).await.unwrap() else { panic!("it won") };
        let stored = bench.database.load(&saved.header.key).await.unwrap().unwrap();
        assert_eq!((payloads.get(slot::BODY), &payloads), (Payload::Here(&payload), &stored.payloads));
        assert_eq!(bench.count("payloads").await, rows);
        write = saved;
    }
}

#[tokio::test]
async fn save_replaces_the_payloads_it_names_and_gives_all() {
    let bench = Bench::new().await;
    let decision = bench.run().with(slot::BODY, json("1"));
    let write = decision.write().unwrap();
    bench.database.create(&write, None).await.unwrap();
    let mut saved = next(&bench, &write, vec![]);
    saved.payloads = dacapo_domain::Payloads::none().with(slot::INPUT, json("2"));

    let Saved::Done(payloads) = bench.database.save(&write.header, &saved).await.unwrap() else { panic!("it won") };

    assert_eq!(payloads.get(slot::BODY), Payload::Here(&json("1")));
    assert_eq!(payloads.get(slot::INPUT), Payload::Here(&json("2")));
}

#[tokio::test]
async fn record_made_anew_over_an_expired_one_has_nothing_of_it() {
    let bench = Bench::new().await;
    let (record, write) = bench.stored_run().await;
    let mut ended = bench.expiring(&record, 10);
    ended.payloads = dacapo_domain::Payloads::none().with(slot::RESULT, json("1"));
    ended.index.push(dacapo_domain::IndexEntry {
        index: Index::Failed,
        partition: RunRecord::partition("greet"),
        sort: record.id.to_string(),
    });
    bench.database.save(&write.header, &ended).await.unwrap();
    bench.database.append(&write.header.key, &[line("a")]).await.unwrap();
    bench.pass(seconds(10));
    assert!(matches!(bench.database.save(&ended.header, &write).await.unwrap(), Saved::Lost(None)), "no stump");
    bench.database.append(&write.header.key, &[line("late")]).await.unwrap();

    assert_eq!(bench.database.create(&write, None).await.unwrap(), Created::New);

    let stored = bench.database.load(&write.header.key).await.unwrap().unwrap();
    assert!(stored.payloads.is_empty(), "{:?}", stored.payloads);
    assert!(bench.database.read_log(&write.header.key, None, 10).await.unwrap().is_empty());
    assert_eq!((bench.count("entries").await, bench.count("payloads").await), (1, 0));
}

#[tokio::test]
async fn lines_of_a_record_that_is_not_there_are_dropped() {
    let bench = Bench::new().await;
    let decision = bench.run();
    let key = decision.record.header().key;
    bench.database.append(&key, &[line("a")]).await.unwrap();
    bench.database.create(&decision.write().unwrap(), None).await.unwrap();
    assert!(bench.database.read_log(&key, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn deleted_record_leaves_nothing_and_what_follows_happens_each_time() {
    let bench = Bench::new().await;
    let decision = bench.run().with(slot::BODY, json("1"));
    let write = decision.write().unwrap();
    bench.database.create(&write, None).await.unwrap();
    bench.database.append(&write.header.key, &[line("a")]).await.unwrap();
    bench.texts("greet").await;

    for _ in 0..2 {
        let effects = [send("greet", "gone", Duration::ZERO)];
        assert!(bench.database.delete(&write.header, &effects).await.unwrap());
        assert_eq!(bench.texts("greet").await, [text("gone")]);
    }

    for table in ["records", "payloads", "entries", "log"] {
        assert_eq!(bench.count(table).await, 0, "{table}");
    }
}

fn keyed(bench: &Bench, id: Id) -> Decision<RunRecord> {
    let mut decision = bench.run();
    decision.record.id = id;
    decision.record.key = Some(Key { text: "once".to_owned(), until: bench.clock.now(), debounce: None });
    decision
}

fn claim(bench: &Bench, run: &RunRecord, seen: Option<&IdempotencyKey>) -> Claim {
    IdempotencyKey::claim(run, seen, &bench.clock.decision_context()).unwrap().unwrap()
}

#[tokio::test]
async fn claim_of_a_record_that_another_holds_stores_nothing() {
    let bench = Bench::new().await;
    let first = keyed(&bench, bench.clock.new_id());
    let held = claim(&bench, &first.record, None);
    bench.database.create(&first.write().unwrap(), Some(&held)).await.unwrap();
    bench.texts("greet").await;
    let second = keyed(&bench, bench.clock.new_id());
    let late = claim(&bench, &second.record, None);

    let created = bench.database.create(&second.write().unwrap(), Some(&late)).await.unwrap();

    let Created::Claimed(found) = created else { panic!("{created:?}") };
    assert_eq!(found.header, held.write.header);
    assert!(bench.database.load(&second.record.header().key).await.unwrap().is_none());
    assert!(bench.texts("greet").await.is_empty());
}

#[tokio::test]
async fn claim_of_the_version_that_was_seen_takes_over_and_of_an_expired_record_too() {
    let bench = Bench::new().await;
    let first = keyed(&bench, bench.clock.new_id());
    let held = claim(&bench, &first.record, None);
    bench.database.create(&first.write().unwrap(), Some(&held)).await.unwrap();
    let seen: IdempotencyKey = held.write.document.parse().unwrap();

    let second = keyed(&bench, bench.clock.new_id());
    let mut taken = claim(&bench, &second.record, Some(&seen));
    taken.write.header.expires_at_s = Some(bench.clock.now().as_second() + 10);
    assert_eq!(bench.database.create(&second.write().unwrap(), Some(&taken)).await.unwrap(), Created::New);
    let stored = bench.database.load(&taken.write.header.key).await.unwrap().unwrap();
    assert_eq!(stored.header, taken.write.header);

    bench.pass(seconds(10));
    let third = keyed(&bench, bench.clock.new_id());
    let again = claim(&bench, &third.record, None);
    assert_eq!(bench.database.create(&third.write().unwrap(), Some(&again)).await.unwrap(), Created::New);
}

#[tokio::test]
async fn conductor_finds_records_from_their_time_on_and_is_told_when_that_is() {
    let bench = Bench::new().await;
    let (record, write) = bench.stored_run().await;
    let at = record.reconcile_at.unwrap();
    let query = |now| Query {
        index: Index::Reconcile,
        partitions: vec![dacapo_domain::IndexEntry::RECONCILED.to_owned()],
        from: None,
        below: Some(format!("{}~", sort_time(now))),
        descending: false,
        limit: 10,
    };
    assert_eq!(bench.database.next_reconcile().await.unwrap(), Some(at));
    let before = bench.database.query(&query(at - Duration::from_millis(1))).await.unwrap();
    assert!(before.records.is_empty());
    let found = bench.database.query(&query(at)).await.unwrap();
    assert_eq!(found.records.iter().map(|found| &found.header).collect::<Vec<_>>(), [&write.header]);

    let ended = bench.expiring(&record, 1_000);
    bench.database.save(&write.header, &ended).await.unwrap();
    assert_eq!(bench.database.next_reconcile().await.unwrap(), None);
}

#[tokio::test]
async fn row_that_cannot_be_read_hides_none_of_its_page() {
    let bench = Bench::new().await;
    let mut runs = vec![];
    for _ in 0..4 {
        runs.push(bench.stored_run().await.0);
    }
    let broken =
        [("document", "'{'", &runs[1]), ("document", "CAST(x'ff' AS TEXT)", &runs[2]), ("payloads", "'[1]'", &runs[3])];
    for (column, value, run) in broken {
        let sql = format!("UPDATE records SET {column} = {value} WHERE key = 'run/{}'", run.id);
        bench.database.call(move |connection| Ok(connection.execute(&sql, [])?)).await.unwrap();
    }
    let partitions = vec![RunRecord::partition("greet")];
    let all = Query { index: Index::List, partitions, from: None, below: None, descending: false, limit: 10 };

    let page = bench.database.query(&all).await.unwrap();

    assert_eq!(page.records.iter().map(|stored| stored.header.clone()).collect::<Vec<_>>(), [runs[0].header()]);
    let mut seen: Vec<_> = page.unreadable.iter().map(|found| (found.key.clone(), found.reconcile_at)).collect();
    seen.sort();
    let mut expected: Vec<_> = runs[1..].iter().map(|run| (run.header().key.to_string(), run.reconcile_at)).collect();
    expected.sort();
    assert_eq!(seen, expected);
}
