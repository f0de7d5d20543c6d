//! The calls of a run that waits for children, counted.

use dacapo_core::{
    commit::{commit_run, create, join_children},
    port::Ports,
};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Child, Id, Input, Json, NewRun, Phase, Policy, RunRecord, State, Task, Trigger, Wait,
};

use crate::{sheep::soon, wire::Wire};

async fn store(ports: &Ports, new: NewRun) -> RunRecord {
    let decision = RunRecord::create(new, &ports.clock.decision_context());
    create(ports, &decision, soon()).await.unwrap();
    decision.record
}

async fn change(ports: &Ports, run: RunRecord, input: &Input) -> RunRecord {
    let policy = Policy::default();
    commit_run(ports, run, input, Task::Known(&policy), soon()).await.unwrap().unwrap().record
}

async fn take(ports: &Ports, run: RunRecord) -> RunRecord {
    let purpose = run.purpose();
    change(ports, run, &Input::Delivered(purpose)).await
}

async fn end(ports: &Ports, run: RunRecord, outcome: AttemptOutcome) -> RunRecord {
    let token = run.lease().unwrap().token;
    let end = AttemptEnd::new(token, outcome, std::time::Duration::ZERO);
    change(ports, run, &Input::AttemptEnded(end)).await
}

fn done() -> AttemptOutcome {
    AttemptOutcome::Done { result: Ok(Json::default()), message: None }
}

/// A run that waits for so many children, all of which execute.
async fn family(ports: &Ports, size: usize) -> (RunRecord, Vec<RunRecord>) {
    let now = ports.clock.now();
    let parent = store(ports, NewRun::at(ports.clock.new_id(), "import", now, Trigger::Run)).await;
    let parent = take(ports, parent).await;
    let mut children = vec![];
    for _ in 0..size {
        let new = NewRun::at(ports.clock.new_id(), "check", now, Trigger::Child);
        let child = store(ports, NewRun { parent_id: Some(parent.id), ..new }).await;
        children.push(take(ports, child).await);
    }
    let of = |child: &RunRecord| Child { task: child.name.clone(), id: child.id, started_by: Some(parent.id) };
    let wait = Wait::Children(children.iter().map(of).collect());
    let parent = end(ports, parent.clone(), AttemptOutcome::Continue { input: Json::default(), wait }).await;
    assert!(matches!(parent.phase, Phase::Awaiting { .. }));
    (parent, children)
}

async fn state(ports: &Ports, id: Id) -> State {
    let stored = ports.records.load(&RunRecord::key_of(id)).await.unwrap().unwrap();
    stored.document.parse::<RunRecord>().unwrap().state_at(ports.clock.now())
}

fn counted(wire: &Wire) -> (usize, usize) {
    let of = |names: &[&str]| wire.operations().iter().filter(|name| names.contains(&&***name)).count();
    (of(&["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]), of(&["GetItem", "BatchGetItem", "Query"]))
}

#[tokio::test]
async fn waking_the_parent_of_a_thousand_children_costs_a_write_a_child_and_ten_more() {
    let wire = Wire::default();
    let ports = wire.ports();
    let (parent, children) = family(&ports, 1_000).await;
    wire.forget();
    assert!(!join_children(&ports, &parent, false, soon()).await.unwrap());
    assert_eq!(counted(&wire), (1_009, 2), "one a child, nine sets, and the list");
    wire.forget();

    let (last, others) = children.split_last().unwrap();
    for child in others {
        end(&ports, child.clone(), done()).await;
    }
    let (writes, reads) = counted(&wire);
    assert_eq!(state(&ports, parent.id).await, State::Waiting);
    wire.forget();
    end(&ports, last.clone(), done()).await;
    let (writes, reads) = (writes + counted(&wire).0, reads + counted(&wire).1);

    assert_eq!(state(&ports, parent.id).await, State::Submitted);
    assert_eq!(writes - 1_000, 1_009, "without the end of each child itself");
    assert!(reads <= 3, "{reads} reads");
}

#[tokio::test]
async fn child_that_is_waited_for_costs_two_writes_more_and_the_last_its_parents_waking() {
    let wire = Wire::default();
    let ports = wire.ports();
    let (parent, children) = family(&ports, 2).await;
    wire.forget();
    join_children(&ports, &parent, false, soon()).await.unwrap();
    assert_eq!(counted(&wire).0, 3, "one a child, and the set");
    let mut ends = vec![];
    for child in children {
        wire.forget();
        end(&ports, child, done()).await;
        ends.push(counted(&wire).0);
    }
    assert_eq!(ends, [2, 3], "its own end and its place; then the waking");
}

#[tokio::test]
async fn run_that_no_one_waits_for_costs_no_more() {
    let wire = Wire::default();
    let ports = wire.ports();
    let run = store(&ports, NewRun::at(ports.clock.new_id(), "check", ports.clock.now(), Trigger::Run)).await;
    let run = take(&ports, run).await;
    end(&ports, run, done()).await;
    assert_eq!(counted(&wire), (3, 0));
}
