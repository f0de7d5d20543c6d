//! Names that look alike and mean two things, and counts that could count something else.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::collections::{BTreeMap, BTreeSet};

use dacapo::{Definition, Function, Json, ListFilter, State, prelude::*};
use dacapo_domain::{FunctionEntry, Manifest};
use dacapo_test_kit::TestApp;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");

async fn content(n: u32, _: TaskContext) -> Result<u32, TaskError> {
    Ok(n)
}

#[tokio::test]
async fn keys_that_join_to_one_text_with_their_task_are_two_keys() {
    const LONG: TaskRef<u32, u32> = TaskRef::new("a/b");
    const SHORT: TaskRef<u32, u32> = TaskRef::new("a");
    let app = TestApp::new().with(task(LONG, content)).with(task(SHORT, content));
    let (long, short) = (app.run(LONG, 1).key("c").await.unwrap(), app.run(SHORT, 1).key("b/c").await.unwrap());
    assert!(long.id() != short.id() && !short.is_deduplicated());
    assert!(!app.run(SHORT, 1).key("B/c").await.unwrap().is_deduplicated(), "letters count");
    assert!(!app.run(SHORT, 1).key("b/c ").await.unwrap().is_deduplicated(), "blanks count");
    assert!(app.run(SHORT, 2).key("b/c").await.unwrap().is_deduplicated());
}

#[tokio::test]
async fn steps_and_tokens_of_one_run_whose_names_differ_in_little_are_told_apart() {
    let names = ["a", "A", "a ", "a/b", "a%2Fb", "1", "01", "é", "e\u{301}"];
    let work = move |_: u32, cx: TaskContext| async move {
        let mut seen = BTreeMap::new();
        for name in names {
            seen.insert(cx.step(name, async || Ok(name.to_owned())).await?, cx.token(name).await?.to_string());
        }
        let tokens: BTreeSet<_> = seen.values().collect();
        assert_eq!((seen.len(), tokens.len()), (9, 9));
        Ok(9)
    };
    let app = TestApp::new().with(task(COUNT, work));
    app.run(COUNT, 0).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(COUNT);
    assert_eq!((run.state, app.steps(run.id).await.unwrap().len()), (State::Completed, 9), "{run:#?}");
}

#[tokio::test]
async fn children_whose_bodies_look_alike_are_told_apart() {
    const RAW: TaskRef<Json> = TaskRef::new("raw");
    const PARENT: TaskRef<u32> = TaskRef::new("parent");
    let bodies = ["1", "\"1\"", "1.0", "[1]", "null", "{}", "\"null\"", "true", "\"true\""];
    let parent = move |_: u32, cx: TaskContext| async move {
        for body in bodies {
            cx.run(RAW, Json::from_text(body).unwrap()).await?;
        }
        if cx.attempt() == 1 { Err(TaskError::retryable("again")) } else { Ok(()) }
    };
    let app = TestApp::new().with(task(PARENT, parent)).with(task(RAW, async |_: Json, _: TaskContext| Ok(())));
    app.run(PARENT, 0).await.unwrap();
    app.run_until_idle().await;
    let mut started: Vec<_> = app.runs_of(RAW).into_iter().map(|run| run.body.unwrap().text().to_owned()).collect();
    started.sort();
    let mut expected = bodies.to_vec();
    expected.sort_unstable();
    assert_eq!(started, expected);
}

fn entry(function: impl Function) -> FunctionEntry {
    Definition::of(function).describe("f").unwrap()
}

#[test]
fn queue_that_bears_the_name_of_a_task_with_its_own_is_no_app() {
    const PRINT: TaskRef<u32, u32> = TaskRef::new("print");
    let app = |count: Task<u32, u32>, print: Task<u32, u32>| Manifest::new("shop", vec![entry(count), entry(print)]);
    let refused =
        app(task(COUNT, content).queue("print"), task(PRINT, content).concurrency(1)).unwrap_err().to_string();
    let said =
        "queue \"print\" of task \"count\" bears the name of a task that has a queue of its own (give it another name)";
    assert_eq!(refused, said);
    for print in [task(PRINT, content).queue("print"), task(PRINT, content).queue("other")] {
        let queues = app(task(COUNT, content).queue("print"), print).unwrap().queues();
        assert!(queues["print"].tasks.contains(&"count".to_owned()));
    }
}

/// A task that is tried so often in its first iteration, and ends in its second.
fn fails_then_continues(fails: u32) -> Task<u32, u32> {
    task(COUNT, move |n: u32, cx: TaskContext| async move {
        match cx.iteration() {
            1 if cx.attempt() <= fails => Err(TaskError::retryable("not yet")),
            1 => Ok(Continue::after(hours(1), n)),
            _ => Ok(Done(cx.attempt())),
        }
    })
}

#[tokio::test]
async fn attempts_are_no_iterations_and_a_later_iteration_begins_with_attempt_1() {
    let app = TestApp::new().with(fails_then_continues(4).retry(Retry::attempts(5)).max_iterations(2));
    app.run(COUNT, 0).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(COUNT);
    assert_eq!((run.state, run.iteration, run.result.unwrap().text()), (State::Completed, 2, "1"));
}

#[tokio::test]
async fn pause_between_two_attempts_counts_as_none() {
    let retry = Retry::attempts(3).min(hours(1)).max(hours(1)).jitter(false);
    let app = TestApp::new().with(fails_then_continues(2).retry(retry));
    let id = app.run(COUNT, 0).await.unwrap().id();
    for attempt in [2, 3] {
        app.advance(minutes(5)).await;
        app.client().pause(id).await.unwrap();
        app.advance(days(1)).await;
        assert_eq!(app.state(id).await.unwrap().attempt, attempt);
        app.client().resume(id).await.unwrap();
    }
    app.run_until_idle().await;
    assert_eq!(app.state(id).await.unwrap().state, State::Completed);
}

#[tokio::test]
async fn page_of_a_list_counts_what_it_shows_and_not_what_has_expired() {
    let app = TestApp::new().with(task(COUNT, content).history(hours(1)));
    for n in 0..4 {
        app.run(COUNT, n).await.unwrap();
    }
    app.run_until_idle().await;
    app.set_clock(app.now() + hours(2)); // They have expired, and nothing has deleted them.
    for n in 4..7 {
        app.run(COUNT, n).after(days(1)).await.unwrap();
    }
    let filter = ListFilter { task: Some("count".to_owned()), limit: 2, ..ListFilter::default() };
    let first = app.list(filter.clone()).await.unwrap();
    assert_eq!(first.runs.len(), 2);
    let second = app.list(ListFilter { cursor: first.cursor, ..filter }).await.unwrap();
    assert_eq!((second.runs.len(), second.cursor), (1, None));
}
