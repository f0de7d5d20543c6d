//! A run that waits for others: it is called again once all of them have ended, and reads what came of each.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::time::Duration;

use dacapo::{Definition, Id, RunView, Started, State, TaskContext, TaskRef, prelude::*};
use dacapo_test_kit::TestApp;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
const CHECK: TaskRef<String, String> = TaskRef::new("check");
const TOTAL: TaskRef<Plan, String> = TaskRef::new("total");
const NEST: TaskRef<u32, u32> = TaskRef::new("nest");

type Plan = (u8, Vec<u32>);

/// A count fails by its number: 13 for good, 17 in a way that is a text.
async fn count(number: u32, _: TaskContext) -> Result<u32, TaskError> {
    match number {
        13 => Err(TaskError::terminal("thirteen").code("UNLUCKY")),
        17 => Err(TaskError::terminal("seventeen")),
        _ => Ok(number),
    }
}

async fn check(word: String, _: TaskContext) -> Result<String, TaskError> {
    Ok(word.to_uppercase())
}

/// Counts, and checks one word, side by side; then says what came of each.
async fn total((step, numbers): Plan, cx: TaskContext) -> Result<Outcome<Plan, String>, TaskError> {
    if step == 0 {
        let counts = cx.batch(COUNT, numbers).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
        let check = cx.run(CHECK, "word".to_owned()).after(minutes(3)).await?;
        return Ok(Continue::when_done((counts, check), (1, vec![])));
    }
    let mut said = vec![];
    let mut counts = cx.children(COUNT).await?;
    while let Some(child) = counts.next().await? {
        said.push(match child.result {
            Ok(count) => format!("{} {count}", child.state),
            Err(error) => format!("{} {error}", child.state),
        });
    }
    let words = cx.children(CHECK).await?.results().await?;
    Ok(Done(format!("{}; {}", said.join(", "), words.join(", "))))
}

fn app() -> TestApp {
    TestApp::new().with(task(COUNT, count)).with(task(CHECK, check)).with(task(TOTAL, total))
}

fn text(run: &RunView) -> String {
    run.result.as_ref().unwrap().parse().unwrap()
}

#[tokio::test]
async fn run_is_called_again_once_its_children_of_several_tasks_have_ended_and_reads_each() {
    let app = app();
    app.run(TOTAL, (0, vec![1, 13, 2, 17])).await.unwrap();
    app.advance(minutes(2)).await;
    let waits = app.run_of(TOTAL);
    assert_eq!((waits.state, waits.iteration), (State::Waiting, 2));
    assert!(app.runs_of(COUNT).iter().all(|run| run.state.is_final() && run.parent_id == Some(waits.id)));

    app.run_until_idle().await;

    let run = app.run_of(TOTAL);
    assert_eq!((run.state, run.iteration, run.attempt), (State::Completed, 2, 1));
    assert_eq!(text(&run), "completed 1, failed thirteen, completed 2, failed seventeen; WORD");
    let woken = run.due_at.duration_since(app.run_of(CHECK).completed_at.unwrap());
    assert!(woken < jiff::SignedDuration::from_secs(1), "it wakes in the instant in which the last has ended");
}

#[tokio::test]
async fn results_of_children_end_at_the_first_that_failed_with_its_code() {
    const SUM: TaskRef<Vec<u32>, u32> = TaskRef::new("sum");
    let sum = async |numbers: Vec<u32>, cx: TaskContext| {
        if numbers.is_empty() {
            return Ok::<Outcome<Vec<u32>, u32>, TaskError>(Done(
                cx.children(COUNT).await?.results().await?.iter().sum(),
            ));
        }
        let counts = cx.batch(COUNT, numbers).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Continue::when_done(counts, vec![]))
    };
    let app = app().with(task(SUM, sum).retry(Retry::never()));
    for (numbers, code) in [(vec![1, 2, 3], None), (vec![1, 13, 17], Some("UNLUCKY"))] {
        let id = app.run(SUM, numbers).await.unwrap().id();
        app.run_until_idle().await;
        let run = app.state(id).await.unwrap();
        assert_eq!(
            (run.result.as_ref().map(|it| it.text()), run.error_code.as_deref()),
            (code.is_none().then_some("6"), code)
        );
    }
}

#[tokio::test]
async fn run_waits_for_a_thousand_children_and_wakes_once() {
    let app = app();
    app.run(TOTAL, (0, (100..1_099).collect())).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(TOTAL);
    assert_eq!((run.state, run.iteration, run.attempt), (State::Completed, 2, 1));
    let counts: Vec<String> = (100..1_099).map(|number| format!("completed {number}")).collect();
    assert_eq!(text(&run), format!("{}; WORD", counts.join(", ")));
}

#[tokio::test]
async fn run_that_waits_for_no_child_goes_on_at_once() {
    let none = async |is_over: bool, _: TaskContext| {
        Ok(if is_over { Done(()) } else { Continue::when_done(Vec::<Started<u32>>::new(), true) })
    };
    const NONE: TaskRef<bool> = TaskRef::new("none");
    let app = TestApp::new().with(task(NONE, none));
    app.run(NONE, false).await.unwrap();
    app.advance(Duration::ZERO).await;
    assert_eq!(app.run_of(NONE).state, State::Completed);
}

/// A run, its child, its child's child …
async fn nest(depth: u32, cx: TaskContext) -> Result<Outcome<u32, u32>, TaskError> {
    match depth {
        0 => Ok(Done(1)),
        100.. => Ok(Done(cx.children(NEST).await?.results().await?.into_iter().sum::<u32>() + 1)),
        _ => {
            let below = cx.batch(NEST, [depth - 1; 2]).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
            Ok(Continue::when_done(below, 100))
        }
    }
}

#[tokio::test]
async fn children_wait_for_their_own_children_five_deep() {
    let app = TestApp::new().with(task(NEST, nest));
    let root = app.run(NEST, 5).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.state(root.id()).await.unwrap().result.unwrap().text(), "63");
    assert_eq!(app.runs_of(NEST).len(), 63);
}

const FIRST: TaskRef<u8, Vec<u32>> = TaskRef::new("first");

#[tokio::test]
async fn child_that_ended_before_the_run_waits_is_not_missed() {
    // Between the start of its child and its own end lies an hour: the first attempt fails.
    let first = async |step: u8, cx: TaskContext| {
        if step == 1 {
            return Ok(Done(cx.children(COUNT).await?.results().await?));
        }
        let child = cx.run(COUNT, 5).await?;
        if cx.attempt() == 1 {
            return Err(TaskError::retryable("not yet").retry_at(hours(1)));
        }
        Ok(Continue::when_done(child, 1))
    };
    let app = app().with(task(FIRST, first));
    app.run(FIRST, 0).await.unwrap();
    app.advance(minutes(59)).await;
    assert_eq!((app.run_of(COUNT).state, app.run_of(FIRST).state), (State::Completed, State::Submitted));
    app.advance(minutes(1)).await;
    assert_eq!(app.run_of(FIRST).result.unwrap().text(), "[5]");
}

#[tokio::test]
async fn record_of_a_child_outlives_the_run_that_waits_for_another() {
    let app = TestApp::new().with(task(COUNT, count).history(seconds(1))).with(task(CHECK, check)).with(task(
        TOTAL,
        |plan: Plan, cx: TaskContext| async move {
            if plan.0 == 0 {
                let count = cx.run(COUNT, 5).await?;
                let check = cx.run(CHECK, "late".to_owned()).after(days(300)).await?;
                return Ok(Continue::when_done((count, check), (1, vec![])));
            }
            let counts = cx.children(COUNT).await?.results().await?;
            Ok(Done(format!("{counts:?}")))
        },
    ));
    app.run(TOTAL, (0, vec![])).await.unwrap();
    app.advance(days(301)).await;
    assert_eq!(text(&app.run_of(TOTAL)), "[5]");
    app.advance(days(15)).await;
    assert!(app.runs_of(COUNT).is_empty(), "then its history lets it go");
}

#[tokio::test]
async fn child_whose_task_is_removed_by_a_deploy_counts_as_failed() {
    let app = app();
    let plan = (0, vec![]);
    app.run(TOTAL, plan).await.unwrap();
    app.advance(minutes(1)).await;
    let app = app.redeployed([
        Definition::of(task(COUNT, count)),
        Definition::of(task(TOTAL, |_: Plan, cx: TaskContext| async move {
            let failed = cx.children(CHECK).await?.next().await?.unwrap();
            let code = cx.parent().map_or("none", |_| "some");
            Ok(Done(format!("{} {} {code}", failed.state, failed.result.unwrap_err())))
        })),
    ]);
    app.run_until_idle().await;
    let said = text(&app.run_of(TOTAL));
    assert_eq!(said, "failed no function has the task \"check\" any more; its hooks did not run none");
}

#[tokio::test]
async fn run_that_is_aborted_while_it_waits_stays_so_when_its_children_end() {
    let app = app();
    let run = app.run(TOTAL, (0, vec![1])).await.unwrap();
    app.advance(minutes(1)).await;
    app.abort(run.id(), "enough").await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(TOTAL).state, State::Aborted);
}

const KEYED: TaskRef<u8, Vec<u32>> = TaskRef::new("keyed");

#[tokio::test]
async fn run_that_was_found_by_its_key_wakes_each_that_waits_for_it() {
    let keyed = async |step: u8, cx: TaskContext| {
        if step == 1 {
            return Ok(Done(cx.children(COUNT).await?.results().await?));
        }
        let shared = cx.run(COUNT, 7).key("seven").after(minutes(5)).await?;
        Ok(Continue::when_done(shared, 1))
    };
    let app = app().with(task(KEYED, keyed));
    let runs = [app.run(KEYED, 0).await.unwrap(), app.run(KEYED, 0).await.unwrap()];
    app.run_until_idle().await;
    for run in runs {
        assert_eq!(app.state(run.id()).await.unwrap().result.unwrap().text(), "[7]");
    }
    assert_eq!(app.runs_of(COUNT).len(), 1);
}

const ODD: TaskRef<u32> = TaskRef::new("odd");

#[tokio::test]
async fn what_cant_be_waited_for_fails_the_run_with_a_precise_error() {
    let other = app();
    let (stranger, app) = (other.run(COUNT, 1).await.unwrap(), app());
    let id = stranger.id();
    let stranger = std::sync::Mutex::new(Some(stranger));
    let stranger = std::sync::Arc::new(stranger);
    let app = app.with(task(ODD, move |count: u32, cx: TaskContext| {
        let stranger = stranger.clone();
        async move {
            if count == 0 {
                return Ok(Continue::when_done(stranger.lock().unwrap().take().unwrap(), 1));
            }
            let mut started = vec![];
            for some in [1_000, count - 1_000] {
                started.extend(cx.batch(COUNT, 0..some).await?.into_iter().flatten());
            }
            Ok::<Outcome<u32, ()>, TaskError>(Continue::when_done(started, 1))
        }
    }));
    let error = async |count| {
        let run = app.run(ODD, count).await.unwrap();
        app.run_until_idle().await;
        let run = app.state(run.id()).await.unwrap();
        assert_eq!((run.state, run.attempt), (State::Failed, 1));
        run.error_message.unwrap()
    };
    let foreign = format!(
        "can't wait for run {id} of task \"count\": it was not started by this run's handler (start it by `cx.run` or `cx.batch`)"
    );
    assert_eq!(error(0).await, foreign);
    assert_eq!(error(1_001).await, "can't wait for 1001 children (allowed: 1000)");
}

#[tokio::test]
async fn run_that_waited_in_its_wait_loop_before_waits_for_children_and_in_a_loop_again() {
    const MIXED: TaskRef<u8, Vec<u32>> = TaskRef::new("mixed");
    let mixed = async |step: u8, cx: TaskContext| match step {
        0 | 2 => Ok(Continue::after(minutes(1), step + 1)),
        1 => Ok(Continue::when_done(cx.batch(COUNT, [1, 2]).await?.into_iter().flatten().collect::<Vec<_>>(), 2)),
        _ => Ok(Done(cx.children(COUNT).await?.results().await?)),
    };
    let app = app().with(task(MIXED, mixed));
    app.run(MIXED, 0).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(MIXED);
    assert_eq!((run.state, run.iteration), (State::Completed, 4));
    assert_eq!(run.result.unwrap().text(), "[1,2]");
    let _: Vec<Id> = vec![run.id];
}
