//! An abort of a run reaches what it has started, at every depth.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::time::Duration;

use dacapo::{Id, RunView, State, TaskContext, TaskRef, prelude::*};
use dacapo_test_kit::{Faults, TestApp};

const NEST: TaskRef<u32> = TaskRef::new("nest");
const SLOW: TaskRef<u8> = TaskRef::new("slow");

/// Starts two runs below it and waits for them; the lowest one is due in a day.
async fn nest(depth: u32, cx: TaskContext) -> Result<Outcome<u32, ()>, TaskError> {
    if depth >= 100 {
        return Ok(Done(()));
    }
    let mut below = vec![];
    for _ in 0..2 {
        let run = cx.run(NEST, depth.saturating_sub(1));
        below.push(if depth <= 1 { run.after(days(1)).await? } else { run.await? });
    }
    Ok(Continue::when_done(below, 100))
}

fn states(runs: &[RunView]) -> Vec<State> {
    runs.iter().map(|run| run.state).collect()
}

#[tokio::test]
async fn abort_reaches_children_five_deep_at_once() {
    let app = TestApp::new().with(task(NEST, nest));
    let root = app.run(NEST, 5).await.unwrap();
    app.advance(minutes(1)).await;
    assert_eq!(app.runs_of(NEST).len(), 63);

    app.abort(root.id(), "enough").await.unwrap();

    assert_eq!(states(&app.runs_of(NEST)), [State::Aborted; 63]);
    let message = |run: &RunView| run.message.clone().unwrap();
    let child = app.runs_of(NEST).into_iter().find(|run| run.parent_id == Some(root.id())).unwrap();
    assert_eq!(message(&child), format!("its parent, run {}, was aborted: enough", root.id()));
    app.run_until_idle().await;
    assert_eq!(app.runs_of(NEST).len(), 63, "none of them starts another");
}

#[tokio::test]
async fn abort_reaches_more_children_than_one_page_has() {
    let many = async |step: u8, cx: TaskContext| {
        if step == 1 {
            return Ok(Done(()));
        }
        let below: Vec<_> = (0..250).map(|_| cx.run(NEST, 0).after(days(1))).collect();
        Ok(Continue::when_done(cx.batch_of(below).await?.into_iter().flatten().collect::<Vec<_>>(), 1))
    };
    let app = TestApp::new().with(task(NEST, nest)).with(task(SLOW, many));
    let root = app.run(SLOW, 0).await.unwrap();
    app.advance(Duration::ZERO).await;
    app.abort(root.id(), "enough").await.unwrap();
    assert_eq!(states(&app.runs_of(NEST)), [State::Aborted; 250]);
}

/// A handler that is told of the abort of its own run, then starts another: it comes too late for the abort to find it.
async fn late(_: u8, cx: TaskContext, parent: TestParent) -> Result<(), TaskError> {
    parent.abort(cx.run_id()).await;
    assert!(cx.is_aborted().await?);
    cx.run(NEST, 0).await?;
    Err(TaskError::retryable("not yet"))
}

/// The client that aborts, in the middle of the handler.
#[derive(Clone)]
struct TestParent(dacapo::Client);

impl TestParent {
    async fn abort(&self, id: Id) {
        self.0.abort(id, "enough").await.unwrap();
    }
}

#[tokio::test]
async fn child_that_is_started_while_its_parents_abort_spreads_ends_before_its_handler_is_called() {
    // The handler's client is that of the app as it is once it is built.
    let client = std::sync::Arc::new(std::sync::Mutex::new(None));
    let given = client.clone();
    let app = TestApp::new().with(task(NEST, nest)).with(task(SLOW, move |step: u8, cx: TaskContext| {
        let parent = given.lock().unwrap().clone().unwrap();
        late(step, cx, parent)
    }));
    *client.lock().unwrap() = Some(TestParent(app.client().clone()));
    let root = app.run(SLOW, 0).await.unwrap();
    app.advance(minutes(5)).await;
    assert_eq!(app.state(root.id()).await.unwrap().state, State::Aborted);
    let child = app.run_of(NEST);
    assert_eq!((child.state, child.attempt, child.iteration), (State::Aborted, 1, 1));
    assert_eq!(app.runs_of(NEST).len(), 1, "its handler would have started others");
}

#[tokio::test]
async fn run_that_completes_although_its_abort_was_asked_for_lets_later_children_run() {
    let client = std::sync::Arc::new(std::sync::Mutex::new(None));
    let given = client.clone();
    const ECHO: TaskRef<u8> = TaskRef::new("echo");
    let app = TestApp::new().with(task(ECHO, async |_: u8, _: TaskContext| Ok(()))).with(task(
        SLOW,
        move |_: u8, cx: TaskContext| {
            let parent: TestParent = given.lock().unwrap().clone().unwrap();
            async move {
                parent.abort(cx.run_id()).await;
                cx.run(ECHO, 1).after(minutes(1)).await?;
                Ok(())
            }
        },
    ));
    *client.lock().unwrap() = Some(TestParent(app.client().clone()));
    let root = app.run(SLOW, 0).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.state(root.id()).await.unwrap().state, State::Completed, "an abort loses against a result");
    assert_eq!(app.run_of(ECHO).state, State::Completed);
}

#[tokio::test(start_paused = true)]
async fn handler_that_executes_sees_the_abort_within_a_second_of_the_call() {
    let (client, seen) =
        (std::sync::Arc::new(std::sync::Mutex::new(None)), std::sync::Arc::new(std::sync::Mutex::new(vec![])));
    let (given, told) = (client.clone(), seen.clone());
    let app = TestApp::new().with(task(SLOW, move |wait_ms: u8, cx: TaskContext| {
        let (parent, told): (TestParent, _) = (given.lock().unwrap().clone().unwrap(), told.clone());
        async move {
            // It has asked just before, and so may not ask the store again for a second.
            assert!(!cx.is_aborted().await?);
            tokio::time::sleep(Duration::from_millis(wait_ms.into())).await;
            parent.abort(cx.run_id()).await;
            let called = tokio::time::Instant::now();
            while !cx.is_aborted().await? {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            told.lock().unwrap().push(called.elapsed());
            Ok(Outcome::<u8, ()>::Aborted)
        }
    }));
    *client.lock().unwrap() = Some(TestParent(app.client().clone()));
    for wait_ms in [0, 10, 200] {
        let run = app.run(SLOW, wait_ms).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(app.state(run.id()).await.unwrap().state, State::Aborted);
    }
    let seen = seen.lock().unwrap();
    assert!(seen.len() == 3 && seen.iter().all(|late| *late <= seconds(1)), "{seen:?}");
}

#[tokio::test]
async fn replay_of_a_run_is_no_child_of_it() {
    let app = TestApp::new().with(task(NEST, nest));
    let root = app.run(NEST, 1).await.unwrap();
    app.advance(minutes(1)).await;
    let replay = app.client().replay_of(root.id(), None).await.unwrap().after(hours(1)).await.unwrap();
    app.abort(root.id(), "enough").await.unwrap();
    app.advance(minutes(5)).await;
    assert_eq!(app.state(replay.id()).await.unwrap().state, State::Scheduled);
}

#[tokio::test(start_paused = true)]
async fn abort_that_reached_no_child_is_spread_by_the_conductor() {
    // An index lags behind on AWS; here the process that aborts dies before it has looked for children.
    use dacapo_core::commit::{PATIENCE, commit_run};
    use dacapo_domain::{Input, Policy, RunRecord, Task};
    let app = TestApp::with_these_faults(7, Faults { effects_apart: false, ..Faults::none() }).with(task(NEST, nest));
    let root = app.run(NEST, 2).await.unwrap();
    app.advance(minutes(1)).await;
    let ports = app.client().ports();
    let seen = dacapo_core::commit::load::<RunRecord>(ports, &RunRecord::key_of(root.id())).await.unwrap().unwrap();
    let abort = Input::AbortRequested("enough".to_owned());
    let until = app.now() + PATIENCE;
    commit_run(ports, seen.record, &abort, Task::Known(&Policy::default()), until).await.unwrap();
    let left = states(&app.runs_of(NEST)).iter().filter(|state| **state != State::Aborted).count();
    assert_eq!(left, 6);
    app.advance(minutes(2)).await;
    assert_eq!(states(&app.runs_of(NEST)), [State::Aborted; 7]);
}
