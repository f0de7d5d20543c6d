//! The names of what a handler starts and publishes: by its run, its iteration, the task or event, the body, and how many
//! alike came before. A retry so starts nothing twice, and loses nothing.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use dacapo::{Id, State, prelude::*};
use dacapo_test_kit::TestApp;

const PARENT: TaskRef<u32> = TaskRef::new("parent");
const CHILD: TaskRef<u32> = TaskRef::new("child");
const OTHER: TaskRef<u32> = TaskRef::new("other");
const NEWS: EventRef<u32> = EventRef::new("news");

async fn nothing(_: u32, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

/// The bodies of the children of a parent with this handler, sorted.
async fn children_of(parent: impl Function) -> Vec<u32> {
    let app = TestApp::new().with(parent).with(task(CHILD, nothing)).with(task(OTHER, nothing));
    app.run(PARENT, 0).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(PARENT).state, State::Completed);
    let runs = app.runs_of(CHILD).into_iter().chain(app.runs_of(OTHER));
    let mut bodies: Vec<u32> = runs.map(|run| run.body.unwrap().parse().unwrap()).collect();
    bodies.sort_unstable();
    bodies
}

#[tokio::test]
async fn retry_that_branches_differently_loses_nothing_and_starts_nothing_twice() {
    let parent = async |_: u32, cx: TaskContext| {
        let bodies: &[u32] = if cx.attempt() == 1 { &[1, 2] } else { &[3, 2, 1] };
        for body in bodies {
            cx.run(CHILD, *body).await?;
        }
        if cx.attempt() == 1 { Err("not yet".into()) } else { Ok(()) }
    };
    assert_eq!(children_of(task(PARENT, parent)).await, [1, 2, 3]);
}

#[tokio::test]
async fn children_alike_are_told_apart_by_their_number_and_by_their_task() {
    let parent = async |_: u32, cx: TaskContext| {
        cx.run(CHILD, 7).await?;
        cx.run(CHILD, 7).await?;
        cx.run(OTHER, 7).await?;
        if cx.attempt() == 1 { Err("not yet".into()) } else { Ok(()) }
    };
    assert_eq!(children_of(task(PARENT, parent)).await, [7, 7, 7]);
}

#[tokio::test]
async fn later_iteration_starts_children_of_its_own() {
    let parent = async |round: u32, cx: TaskContext| {
        cx.run(CHILD, 7).await?;
        Ok(if round < 2 { Continue(round + 1) } else { Done(()) })
    };
    assert_eq!(children_of(task(PARENT, parent)).await, [7, 7, 7]);
}

#[tokio::test]
async fn body_that_differs_from_try_to_try_is_started_again_unless_it_has_a_key() {
    let parent = |with_key: bool| {
        task(PARENT, move |_: u32, cx: TaskContext| async move {
            let child = cx.run(CHILD, cx.attempt());
            if with_key {
                child.key(format!("child of {}", cx.run_id())).await?
            } else {
                child.await?
            };
            if cx.attempt() == 1 { Err("not yet".into()) } else { Ok(()) }
        })
    };
    assert_eq!(children_of(parent(false)).await, [1, 2]);
    assert_eq!(children_of(parent(true)).await, [1]);
}

#[tokio::test]
async fn event_that_a_retry_publishes_again_has_the_same_id() {
    let heard: Arc<Mutex<Vec<Id>>> = Arc::default();
    let note = heard.clone();
    let parent = async |_: u32, cx: TaskContext| {
        cx.publish(NEWS, 7).await?;
        cx.publish(NEWS, 7).await?;
        if cx.attempt() == 1 { Err("not yet".into()) } else { Ok(()) }
    };
    let app = TestApp::new().with(task(PARENT, parent)).with(on(NEWS, move |_: u32, cx: EventContext| {
        note.lock().unwrap().push(cx.id());
        async { Ok::<_, TaskError>(()) }
    }));
    app.run(PARENT, 0).await.unwrap();
    app.run_until_idle().await;
    let heard = heard.lock().unwrap().clone();
    assert_eq!((heard.len(), heard.iter().collect::<BTreeSet<_>>().len()), (4, 2));
}
