//! Places of a record in an index beyond its first, which are items of their own.

use std::time::Duration;

use dacapo_core::{
    commit::{Seen, commit, create},
    port::{Clock, Ports, SystemClock},
};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Index, Input, Json, NewRun, Payloads, Phase, Policy, Query, RunRecord, Task, Trigger,
    Update,
};

use crate::{
    sheep::soon,
    wire::{Wire, lost},
};

/// A run with these tags.
async fn tagged(ports: &Ports, tags: &[&str]) -> RunRecord {
    let cx = SystemClock.decision_context();
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let new = NewRun { tags, ..NewRun::at(SystemClock.new_id(), "import", cx.now, Trigger::Run) };
    let mut decision = RunRecord::create(new, &cx);
    decision.effects.clear();
    create(ports, &decision, soon()).await.unwrap();
    decision.record
}

async fn after(ports: &Ports, run: RunRecord, input: Input) -> RunRecord {
    let policy = Policy::default();
    commit(ports, Seen::Stored(run), &input, Task::Known(&policy), soon()).await.unwrap().unwrap().record
}

async fn taken(ports: &Ports, run: RunRecord) -> RunRecord {
    let purpose = run.purpose();
    after(ports, run, Input::Delivered(purpose)).await
}

fn token(run: &RunRecord) -> dacapo_domain::Version {
    let Phase::Running { lease, .. } = &run.phase else { panic!("{run:?}") };
    lease.token
}

fn update(run: &RunRecord, tags: &[&str]) -> Input {
    let tags = Some(tags.iter().map(|tag| (*tag).to_owned()).collect());
    Input::Updated(token(run), Update { tags, payloads: Payloads::none() })
}

fn end(run: &RunRecord) -> Input {
    let outcome = AttemptOutcome::Done { result: Ok(Json::default()), message: None };
    Input::AttemptEnded(AttemptEnd::new(token(run), outcome, Duration::from_millis(20)))
}

/// The number of runs that are found under each tag.
async fn found<const N: usize>(ports: &Ports, tags: [&str; N]) -> [usize; N] {
    let mut found = [0; N];
    for (count, tag) in found.iter_mut().zip(tags) {
        let partitions = vec![RunRecord::partition_of_tag(tag)];
        let query = Query { index: Index::Tag, partitions, from: None, below: None, descending: true, limit: 10 };
        *count = ports.records.query(&query).await.unwrap().records.len();
    }
    found
}

#[tokio::test]
async fn first_tag_costs_no_call_and_all_others_together_one_at_the_start() {
    let wire = Wire::default();
    let ports = wire.ports();
    tagged(&ports, &["one"]).await;
    assert_eq!(wire.operations(), ["PutItem"]);
    assert_eq!(wire.table.lock().unwrap().items.len(), 1);
    wire.forget();
    let run = tagged(&ports, &["one", "two", "three"]).await;
    assert_eq!(wire.operations(), ["BatchWriteItem", "PutItem"], "before the record");
    assert_eq!(wire.table.lock().unwrap().items.len(), 1 + 3);
    assert_eq!(found(&ports, ["one", "two", "three", "four"]).await, [2, 1, 1, 0]);

    wire.forget();
    taken(&ports, run).await;
    assert_eq!(wire.operations(), ["UpdateItem"], "where they stay, nothing is done for them");
}

#[tokio::test]
async fn places_expire_with_their_run() {
    let wire = Wire::default();
    let ports = wire.ports();
    let run = tagged(&ports, &["one", "two", "three"]).await;
    let run = taken(&ports, run).await;
    let end = end(&run);
    let ended = after(&ports, run, end).await;
    let expires_at_s = ended.expires_at_s.unwrap().to_string();
    let table = wire.table.lock().unwrap();
    assert_eq!(table.items.len(), 3);
    assert!(table.items.values().all(|item| item["expiresAtS"]["N"] == *expires_at_s));
    assert!(!table.record(&format!("run/{}", ended.id)).contains_key("reconcile"));
}

#[tokio::test]
async fn tags_that_change_move_and_where_that_is_cut_short_the_next_write_moves_them() {
    let wire = Wire::default();
    let ports = wire.ports();
    let run = tagged(&ports, &["one", "two", "three"]).await;
    let run = taken(&ports, run).await;
    let moved = update(&run, &["three", "four", "five"]);
    let run = after(&ports, run, moved).await;
    assert_eq!(found(&ports, ["one", "two", "three", "four", "five"]).await, [0, 0, 1, 1, 1]);

    let dying = wire.ports_with(|operation, _| (operation == "BatchWriteItem").then(lost));
    let again = update(&run, &["one", "four"]);
    let policy = Policy::default();
    let died = commit(&dying, Seen::Stored(run.clone()), &again, Task::Known(&policy), SystemClock.now()).await;
    assert!(died.is_err());
    let stored = dacapo_core::commit::load::<RunRecord>(&ports, &RunRecord::key_of(run.id)).await.unwrap().unwrap();
    assert_eq!(stored.record.tags, ["one", "four"]);
    let end = end(&stored.record);
    after(&ports, stored.record, end).await;
    assert_eq!(found(&ports, ["one", "two", "three", "four", "five"]).await, [1, 0, 0, 1, 0]);
}
