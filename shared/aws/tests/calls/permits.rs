//! The calls of a run whose task has limits, counted.

use dacapo_core::{
    commit::{commit_call, commit_run, create},
    port::Ports,
    queues::{Gate, pause_queue, resume_queue},
};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Input, Json, Limit, Limits, NewRun, Phase, Policy, PoolId, RunRecord, Task, Trigger,
    minutes,
};

use crate::{sheep::soon, wire::Wire};

fn limited(concurrency: Option<u32>) -> Policy {
    let total = Limit { concurrency, rate: None };
    Policy { limits: Limits { total, ..Limits::default() }, ..Policy::default() }
}

async fn store(ports: &Ports) -> RunRecord {
    let new = NewRun::at(ports.clock.new_id(), "print", ports.clock.now(), Trigger::Run);
    let decision = RunRecord::create(new, &ports.clock.decision_context());
    create(ports, &decision, soon()).await.unwrap();
    decision.record
}

/// The run's message comes to its function, with the record that its sender wrote.
async fn arrives(ports: &Ports, gate: &Gate, run: &RunRecord, policy: &Policy) -> RunRecord {
    let call = Input::Delivered(run.purpose());
    commit_call(ports, gate, run.clone(), call, policy, None, soon()).await.unwrap().unwrap().record
}

async fn ends(ports: &Ports, run: RunRecord, policy: &Policy) {
    let token = run.lease().unwrap().token;
    let done = AttemptOutcome::Done { result: Ok(Json::default()), message: None };
    let end = Input::AttemptEnded(AttemptEnd::new(token, done, std::time::Duration::ZERO));
    commit_run(ports, run, &end, Task::Known(policy), soon()).await.unwrap();
}

fn counted(wire: &Wire) -> (usize, usize) {
    let of = |names: &[&str]| wire.operations().iter().filter(|name| names.contains(&&***name)).count();
    (of(&["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]), of(&["GetItem", "BatchGetItem", "Query"]))
}

#[tokio::test]
async fn run_of_a_task_without_limits_pays_nothing_and_one_with_a_free_place_two_writes() {
    for (policy, calls) in [(limited(None), (3, 0)), (limited(Some(10)), (5, 2))] {
        let (wire, gate) = (Wire::default(), Gate::new(minutes(1)));
        let ports = wire.ports();
        assert!(!gate.is_paused(&ports, "task.print", soon()).await.unwrap());
        wire.forget();
        let run = store(&ports).await;
        let run = arrives(&ports, &gate, &run, &policy).await;
        assert!(matches!(run.phase, Phase::Running { .. }));
        ends(&ports, run, &policy).await;
        assert_eq!(counted(&wire), calls, "{policy:?}");
    }
}

#[tokio::test]
async fn run_that_waits_for_a_place_makes_four_writes_more_and_the_first_of_a_line_one() {
    let (wire, gate, policy) = (Wire::default(), Gate::new(minutes(1)), limited(Some(1)));
    let ports = wire.ports();
    let (first, second, third) = (store(&ports).await, store(&ports).await, store(&ports).await);
    let first = arrives(&ports, &gate, &first, &policy).await;
    for run in [&second, &third] {
        assert!(matches!(arrives(&ports, &gate, run, &policy).await.phase, Phase::Parked { .. }));
    }
    ends(&ports, first, &policy).await;
    for run in [&second, &third] {
        let parked = ports.records.load(&RunRecord::key_of(run.id)).await.unwrap().unwrap();
        let run = arrives(&ports, &gate, &parked.document.parse().unwrap(), &policy).await;
        assert!(matches!(run.phase, Phase::Running { .. }));
        ends(&ports, run, &policy).await;
    }
    assert_eq!(counted(&wire).0, (3 + 2) + (3 + 4 + 1) + (3 + 4));
}

#[tokio::test]
async fn runs_that_a_resumed_queue_releases_are_called_by_tens() {
    let (wire, gate, policy) = (Wire::default(), Gate::open(), limited(None));
    let (ports, pool, limit) = (wire.ports(), PoolId::of_task("print"), Limit::default());
    pause_queue(&ports, &pool, limit, soon()).await.unwrap();
    for _ in 0..25 {
        let run = store(&ports).await;
        assert!(matches!(arrives(&ports, &gate, &run, &policy).await.phase, Phase::Parked { .. }));
    }
    wire.forget();
    resume_queue(&ports, &pool, limit, soon()).await.unwrap();
    let sizes = |operation| {
        let requests =
            wire.inputs(operation).into_iter().filter(|request| request["QueueUrl"] == "https://sqs/shop-dev-print");
        requests.map(|request| request["Entries"].as_array().map_or(1, Vec::len)).collect::<Vec<_>>()
    };
    assert_eq!((sizes("SendMessageBatch"), sizes("SendMessage")), (vec![10, 10, 5], vec![]));
}
