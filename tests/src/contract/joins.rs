//! A run that waits for its children, and an abort that reaches them.

use dacapo_core::{
    App,
    commit::{commit_run, join_children, load},
    control,
};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Child, Index, Input, Json, Message, NewRun, Phase, Policy, RunRecord, State, Task,
    Trigger, Wait, seconds,
};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{PATIENCE, SILENCE, all_of, deadline, listed, new_run, now, stored_run},
};

async fn change(bench: &impl Bench, run: &RunRecord, input: &Input) -> RunRecord {
    let policy = Policy::default();
    let changed = commit_run(&bench.ports(), run.clone(), input, Task::Known(&policy), deadline(bench)).await;
    changed.expect("runs can be committed").expect("the run is there").record
}

async fn take(bench: &impl Bench, run: &RunRecord) -> RunRecord {
    change(bench, run, &Input::Delivered(run.purpose())).await
}

async fn end(bench: &impl Bench, run: &RunRecord, outcome: AttemptOutcome) -> RunRecord {
    let token = run.lease().expect("an attempt executes").token;
    change(bench, run, &Input::AttemptEnded(AttemptEnd::new(token, outcome, seconds(1)))).await
}

fn done() -> AttemptOutcome {
    AttemptOutcome::Done { result: Ok(Json::default()), message: None }
}

async fn state(bench: &impl Bench, run: &RunRecord) -> State {
    let found = load::<RunRecord>(&bench.ports(), &RunRecord::key_of(run.id)).await.expect("runs can be read");
    found.expect("the run is there").record.state_at(now(bench))
}

/// A run of a task that executes, and children of it that execute too.
async fn family(bench: &impl Bench, size: usize) -> (String, RunRecord, Vec<RunRecord>) {
    let (task, other) = (bench.function("parent").await, bench.function("child").await);
    let parent = take(bench, &stored_run(bench, new_run(bench, &task)).await).await;
    bench.receive_within(&task, 1, PATIENCE).await;
    let mut children = vec![];
    for _ in 0..size {
        let new = NewRun { trigger: Trigger::Child, parent_id: Some(parent.id), ..new_run(bench, &other) };
        children.push(take(bench, &stored_run(bench, new).await).await);
    }
    (task, parent, children)
}

/// Lets the run wait for its children, and look for those that have ended.
async fn wait(bench: &impl Bench, parent: &RunRecord, children: &[RunRecord]) -> (RunRecord, bool) {
    let of = |child: &RunRecord| Child { task: child.name.clone(), id: child.id, started_by: Some(parent.id) };
    let wait = Wait::Children(children.iter().map(of).collect());
    let parent = end(bench, parent, AttemptOutcome::Continue { input: Json::default(), wait }).await;
    assert!(matches!(parent.phase, Phase::Awaiting { .. }));
    let woken = join_children(&bench.ports(), &parent, false, deadline(bench)).await;
    (parent, woken.expect("children can be told"))
}

/// One after the other: nothing wakes the run before the last.
pub async fn last_child_that_ends_wakes_the_run_that_waits(bench: &impl Bench) {
    let (task, parent, children) = family(bench, 3).await;
    let (parent, woken) = wait(bench, &parent, &children).await;
    assert!(!woken);
    for child in &children {
        assert_eq!(state(bench, &parent).await, State::Waiting);
        end(bench, child, done()).await;
    }
    assert_eq!(state(bench, &parent).await, State::Submitted);
    let messages = bench.receive_within(&task, 1, PATIENCE).await;
    assert!(matches!(&*messages, [Message::Run(message)] if message.run == parent.id), "{messages:?}");
}

/// Ended before the run waited, all or some; or gone.
pub async fn child_that_has_ended_before_is_not_missed(bench: &impl Bench) {
    let (_, parent, children) = family(bench, 2).await;
    for child in &children {
        end(bench, child, done()).await;
    }
    assert!(wait(bench, &parent, &children).await.1);
    assert_eq!(state(bench, &parent).await, State::Submitted);

    let (_, parent, mut children) = family(bench, 2).await;
    end(bench, &children[0], done()).await;
    let gone = RunRecord { id: bench.ports().clock.new_id(), ..children[0].clone() };
    children.push(gone);
    assert!(!wait(bench, &parent, &children).await.1);
    end(bench, &children[1], done()).await;
    assert_eq!(state(bench, &parent).await, State::Submitted);
}

/// Ended while the run begins to wait, and by many at once: it wakes once.
pub async fn children_that_end_while_the_run_begins_to_wait_wake_it_once(bench: &impl Bench) {
    let (task, parent, children) = family(bench, 10).await;
    let ends = join_all(children.iter().map(async |child| end(bench, child, done()).await));
    let ((parent, _), _) = futures::join!(wait(bench, &parent, &children), ends);
    assert_eq!(state(bench, &parent).await, State::Submitted);
    let messages = bench.receive_within(&task, 1, PATIENCE).await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(bench.receive_within(&task, 1, SILENCE).await, []);
}

/// Done again, the wait finds what a process that died has left: here no child was told.
pub async fn wait_that_was_cut_short_is_taken_up_again(bench: &impl Bench) {
    let (_, parent, children) = family(bench, 3).await;
    let of = |child: &RunRecord| Child { task: child.name.clone(), id: child.id, started_by: Some(parent.id) };
    let wait = Wait::Children(children.iter().map(of).collect());
    let parent = end(bench, &parent, AttemptOutcome::Continue { input: Json::default(), wait }).await;
    end(bench, &children[0], done()).await;
    for _ in 0..2 {
        assert!(!join_children(&bench.ports(), &parent, true, deadline(bench)).await.expect("children can be told"));
    }
    end(bench, &children[1], done()).await;
    end(bench, &children[2], done()).await;
    assert_eq!(state(bench, &parent).await, State::Submitted);
}

/// Found by the index of what a run has started: those that execute are told, the others end.
pub async fn abort_reaches_the_children_of_a_run(bench: &impl Bench) {
    let (_, parent, mut children) = family(bench, 2).await;
    let queued = NewRun { trigger: Trigger::Child, parent_id: Some(parent.id), ..new_run(bench, &children[0].name) };
    children.push(stored_run(bench, queued).await);
    end(bench, &children[0], done()).await;
    listed(bench, &all_of(Index::Parent, &RunRecord::partition_of_children(parent.id)), 3).await;

    let app = App::new(bench.ports());
    control::abort(&app, parent, "enough".to_owned(), deadline(bench)).await.expect("runs can be aborted");

    let told = load::<RunRecord>(&bench.ports(), &RunRecord::key_of(children[1].id)).await.expect("runs can be read");
    assert!(told.is_some_and(|told| told.record.abort().is_some_and(|message| message.ends_with("aborted: enough"))));
    let states = [state(bench, &children[0]).await, state(bench, &children[1]).await, state(bench, &children[2]).await];
    assert_eq!(states, [State::Completed, State::Running, State::Aborted]);
}
