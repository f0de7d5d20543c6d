//! The price of a run on DynamoDB: calls, units and bytes.

use std::time::Duration;

use dacapo_core::{
    commit::{Seen, commit, create},
    port::{Clock, Ports, SystemClock},
};
use dacapo_domain::{
    AttemptEnd, AttemptError, AttemptOutcome, Decision, DecisionContext, Index, Input, Json, NewRun, NewStep, Phase,
    Policy, Progress, RecordedError, RetryHint, RunRecord, StepRecord, Task, Trigger, run::Key, slot,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    sheep::{soon, wool},
    table::Item,
    wire::Wire,
};

fn context() -> DecisionContext {
    SystemClock.decision_context()
}

fn new_run() -> NewRun {
    NewRun::at(SystemClock.new_id(), "send-welcome", context().now, Trigger::Run)
}

/// A run as a client starts it.
async fn started(ports: &Ports, new: NewRun, body: &Json) -> RunRecord {
    let decision = RunRecord::create(new, &context()).with(slot::BODY, body.clone());
    create(ports, &decision, soon()).await.unwrap();
    decision.record
}

/// The run after an input, as it is stored then.
async fn after(ports: &Ports, run: RunRecord, input: Input) -> RunRecord {
    let policy = Policy::default();
    commit(ports, Seen::Stored(run), &input, Task::Known(&policy), soon()).await.unwrap().unwrap().record
}

fn ended(run: &RunRecord, outcome: AttemptOutcome) -> Input {
    let Phase::Running { lease, .. } = &run.phase else { panic!("{run:?}") };
    Input::AttemptEnded(AttemptEnd::new(lease.token, outcome, Duration::from_millis(20)))
}

fn item(wire: &Wire, run: &RunRecord) -> Item {
    wire.table.lock().unwrap().record(&format!("run/{}", run.id)).clone()
}

/// The units of a write: one for each KB begun, and one for each index entry that is made or removed.
fn units(before: &Item, after: &Item) -> usize {
    let entry = |item: &Item, index: Index| {
        Some((item.get(index.name())?.clone(), item.get(&format!("{}Sort", index.name()))?.clone()))
    };
    let indexes = Index::ALL.into_iter().map(|index| {
        let (before, after) = (entry(before, index), entry(after, index));
        if before == after { 0 } else { usize::from(before.is_some()) + usize::from(after.is_some()) }
    });
    bytes(before).max(bytes(after)).div_ceil(1_024) + indexes.sum::<usize>()
}

/// The weight of an item whose attributes are texts, numbers and marks.
fn bytes(item: &Item) -> usize {
    let value = |value: &Value| match (value["S"].as_str(), value["N"].as_str()) {
        (Some(text), _) => text.len(),
        (_, Some(number)) => number.len().div_ceil(2) + 1,
        _ => 1,
    };
    item.iter().map(|(name, attribute)| name.len() + value(attribute)).sum()
}

#[tokio::test]
async fn run_of_one_iteration_is_three_writes_of_six_units_and_no_read() {
    let wire = Wire::default();
    let ports = wire.ports();
    let queued = started(&ports, new_run(), &Json::from_text(r#"{"email":"ada@example.com"}"#).unwrap()).await;
    let first = item(&wire, &queued);
    let running = after(&ports, queued.clone(), Input::Delivered(queued.purpose())).await;
    let second = item(&wire, &running);
    let result = Ok(Json::from_text("[1]").unwrap());
    let done = ended(&running, AttemptOutcome::Done { result, message: None });
    let completed = after(&ports, running, done).await;
    let third = item(&wire, &completed);

    assert_eq!(wire.operations(), ["PutItem", "GetQueueUrl", "SendMessage", "UpdateItem", "UpdateItem"]);
    assert_eq!(units(&Item::new(), &first), 3, "the record, its place in the list, and the conductor's");
    assert_eq!(units(&first, &second), 1, "a start touches no index");
    assert_eq!(units(&second, &third), 2, "an end leaves the conductor's");
    assert_eq!(third["p.body"]["S"], r#"{"email":"ada@example.com"}"#);
    assert_eq!(third["p.result"]["S"], "[1]");
}

#[tokio::test]
async fn run_is_in_the_indexes_of_its_phase_alone() {
    let wire = Wire::default();
    let ports = wire.ports();
    let queued = started(&ports, new_run(), &Json::default()).await;
    let first = item(&wire, &queued);
    assert!(first.contains_key("list") && first.contains_key("reconcile") && !first.contains_key("failed"));

    let running = after(&ports, queued.clone(), Input::Delivered(queued.purpose())).await;
    let error = RecordedError::new("ERROR", "it can't be sent");
    let failed = ended(&running, AttemptOutcome::Failed(AttemptError { error, retry: RetryHint::Never }));
    let failed = item(&wire, &after(&ports, running, failed).await);
    assert!(failed.contains_key("list") && !failed.contains_key("reconcile") && failed.contains_key("failed"));
    assert_eq!(units(&first, &failed), 3, "the record, the list of the failed, the conductor's");
}

#[tokio::test]
async fn ordinary_run_leaves_half_a_kilobyte_for_body_and_result() {
    let wire = Wire::default();
    let ports = wire.ports();
    let run = started(&ports, new_run(), &wool(506)).await;
    let item = item(&wire, &run);
    assert!(item.contains_key("p.body"), "{} bytes without the body: {item:?}", bytes(&item));
    assert_eq!(wire.inputs("PutItem").len(), 1);
}

#[tokio::test]
async fn run_with_everything_that_one_can_have_is_one_unit() {
    let wire = Wire::default();
    let ports = wire.ports();
    let key = Key { text: "welcome-7".to_owned(), until: context().now, debounce: None };
    let new = NewRun {
        parent_id: Some(SystemClock.new_id()),
        hops: 3,
        tags: vec!["tenant:7".to_owned(), String::new()],
        key: Some(key), // A run that a schedule or an execution has started has no parent.
        ttl: Some(Duration::from_secs(60)),
        ..new_run()
    };
    let run = RunRecord::create(new, &context()).record;
    let error =
        RecordedError { stack: Some("because\nof that".to_owned()), ..RecordedError::new("ERROR", "it can't be sent") };
    let run = RunRecord {
        progress: Some(Progress { message: "half".to_owned(), fraction: 0.1 + 0.2 }),
        handler_ms: u64::from(u32::MAX),
        error: Some(error),
        started_at: Some(Timestamp::now()),
        scheduled_at: Some(Timestamp::now()),
        ..run
    };
    create(&ports, &Decision::store(run.clone(), vec![]), soon()).await.unwrap();
    let weight = bytes(&item(&wire, &run));
    assert!(weight <= 1_024, "{weight} bytes");
}

#[tokio::test]
async fn trace_of_a_run_is_70_bytes_and_no_call() {
    let weigh = async |traceparent: Option<&str>| {
        let wire = Wire::default();
        let traceparent = traceparent.map(|it| it.parse().unwrap());
        let run = started(&wire.ports(), NewRun { traceparent, ..new_run() }, &Json::default()).await;
        (bytes(&item(&wire, &run)), wire.operations())
    };
    let (bare, calls) = weigh(None).await;
    let (traced, with_trace) = weigh(Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01")).await;
    assert_eq!(with_trace, calls);
    assert!((60..=75).contains(&(traced - bare)), "{} bytes", traced - bare);
}

#[tokio::test]
async fn step_is_one_write_whatever_its_run_and_the_end_of_the_run_costs_no_more_for_it() {
    let wire = Wire::default();
    let ports = wire.ports();
    let run = started(&ports, new_run(), &Json::default()).await;
    let purpose = run.purpose();
    let run = after(&ports, run, Input::Delivered(purpose)).await;
    wire.forget();
    let step = |name, bytes| {
        let new =
            NewStep { name, run: &run, took: Duration::ZERO, expires_at_s: run.step_expires_at_s(&Policy::default()) };
        StepRecord::create(&new, wool(bytes), &context())
    };
    for (name, bytes) in [("write", 20), ("send", 20_000), ("note", 300_000)] {
        create(&ports, &step(name, bytes), soon()).await.unwrap();
    }
    assert_eq!(wire.operations(), ["PutItem"; 3]);

    wire.forget();
    let mut end = ended(&run, AttemptOutcome::Done { result: Ok(Json::default()), message: None });
    if let Input::AttemptEnded(end) = &mut end {
        end.steps = 3;
    }
    after(&ports, run.clone(), end).await;
    assert_eq!(wire.operations(), ["UpdateItem"], "the steps have an expiry already");

    wire.forget();
    create(&ports, &step("whole", 1_048_576), soon()).await.unwrap();
    assert_eq!(wire.operations(), ["PutItem"; 4], "three parts, before the record that names them");
}
