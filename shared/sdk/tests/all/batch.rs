//! Many runs started at once, and what is said of each.

use std::collections::BTreeSet;

use dacapo::{ErrorKind, Id, State, TaskContext, TaskRef, prelude::*};
use dacapo_test_kit::TestApp;

const SHEAR: TaskRef<String> = TaskRef::new("shear");
const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
const HERD: TaskRef<u32, Vec<Id>> = TaskRef::new("herd");

fn app() -> TestApp {
    TestApp::new()
        .with(task(SHEAR, async |_: String, _: TaskContext| Ok(())))
        .with(task(COUNT, async |number: u32, _: TaskContext| Ok(number)))
}

#[tokio::test]
async fn batch_tells_of_each_run_in_their_order_though_one_among_them_is_refused() {
    let app = app();
    let bodies = ["a".to_owned(), "x".repeat(1_100_000), "c".to_owned()];
    let replies = app.client().batch(SHEAR, bodies).await.unwrap();
    let kinds: Vec<_> = replies.iter().map(|reply| reply.as_ref().err().map(dacapo::Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Usage), None]);
    app.run_until_idle().await;
    let runs = app.runs_of(SHEAR);
    assert_eq!(runs.iter().map(|run| run.state).collect::<Vec<_>>(), [State::Completed; 2]);
    let started: BTreeSet<Id> = replies.iter().flatten().map(dacapo::Started::id).collect();
    assert_eq!(runs.iter().map(|run| run.id).collect::<BTreeSet<_>>(), started);
}

#[tokio::test]
async fn batch_of_runs_with_keys_started_again_finds_each_and_starts_what_is_missing() {
    let app = app();
    let batch = |names: &[&str]| {
        let runs = names.iter().map(|name| app.run(SHEAR, (*name).to_owned()).key(*name));
        app.client().batch_of(runs.collect::<Vec<_>>())
    };
    let first: Vec<_> = batch(&["a", "b", "a"]).await.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(first[0].id(), first[2].id(), "one key is one run, in one batch too");
    let again: Vec<_> = batch(&["a", "b", "c"]).await.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!([again[0].id(), again[1].id()], [first[0].id(), first[1].id()]);
    let found: Vec<bool> = again.iter().map(dacapo::Started::is_deduplicated).collect();
    assert_eq!(found, [true, true, false]);
    assert_eq!(app.runs_of(SHEAR).len(), 3);
}

#[tokio::test]
async fn batch_of_several_tasks_starts_each_with_its_own_options() {
    let app = app();
    let runs = [app.run(SHEAR, "a".to_owned()).after(minutes(20)).untyped(), app.run(COUNT, 7).untyped()];
    let replies = app.client().batch_of(runs).await.unwrap();
    assert!(replies.iter().all(Result::is_ok));
    assert_eq!((app.run_of(SHEAR).state, app.run_of(COUNT).state), (State::Scheduled, State::Submitted));
    app.run_until_idle().await;
    assert_eq!(app.run_of(COUNT).result.unwrap().text(), "7");
}

#[tokio::test]
async fn batch_of_more_than_a_thousand_runs_starts_none() {
    let app = app();
    let error = app.client().batch(COUNT, 0..1_001).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Usage, "failed to start a batch of 1001 runs (allowed: 1000; start several batches)")
    );
    assert_eq!(app.client().batch(COUNT, 0..1_000).await.unwrap().len(), 1_000);
    assert_eq!(app.runs_of(COUNT).len(), 1_000);
}

#[tokio::test]
async fn batch_with_a_run_of_another_client_starts_none() {
    let (app, other) = (app(), app());
    let error = app.client().batch_of([app.run(COUNT, 1), other.run(COUNT, 2)]).await.unwrap_err();
    let text = "failed to start a batch with a run of another client (make all of them by one)";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Usage, text));
    assert!(app.runs_of(COUNT).is_empty() && other.runs_of(COUNT).is_empty());
}

#[tokio::test]
async fn handler_that_is_tried_again_starts_its_batch_once() {
    let herd = async |count: u32, cx: TaskContext| {
        let started = cx.batch(COUNT, (0..count).chain(0..count)).await?;
        if cx.attempt() == 1 {
            return Err(TaskError::retryable("not yet"));
        }
        Ok(started.into_iter().map(|run| run.map(|run| run.id())).collect::<Result<Vec<_>, _>>()?)
    };
    let app = app().with(task(HERD, herd));
    app.run(HERD, 15).await.unwrap();
    app.run_until_idle().await;
    let named: Vec<Id> = app.run_of(HERD).result.unwrap().parse().unwrap();
    let runs = app.runs_of(COUNT);
    assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), runs.iter().map(|run| run.id).collect());
    assert_eq!((named.len(), runs.len()), (30, 30), "alike bodies are runs of their own");
    assert!(runs.iter().all(|run| run.parent_id == Some(app.run_of(HERD).id)));
}
