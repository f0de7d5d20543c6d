//! Steps: work whose value is stored once per run.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use dacapo::{Json, Payload, State, StepView, prelude::*};
use dacapo_core::commit::{create, load};
use dacapo_domain::{NewStep, OwnedQuery, Policy, RunRecord, StepRecord};
use dacapo_test_kit::TestApp;
use serde_json::{Value, json};

const WORK: TaskRef<u32, Value> = TaskRef::new("work");

/// The calls of some work.
#[derive(Clone, Default)]
struct Calls(Arc<AtomicU32>);

impl Calls {
    fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn so_far(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs a task with this handler to its end.
async fn ended<F, W>(handler: F) -> (TestApp, dacapo::RunView)
where
    F: Fn(u32, TaskContext) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Outcome<u32, Value>, TaskError>> + Send + 'static,
{
    let app = TestApp::new().with(task(WORK, handler));
    app.run(WORK, 1).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(WORK);
    (app, run)
}

/// The failure of a run whose handler makes this step.
async fn refused<T: Payload + Clone>(name: &'static str, value: T) -> (String, String, TestApp) {
    let (app, run) = ended(move |_, cx| {
        let value = value.clone();
        async move {
            cx.step(name, async || Ok(value)).await?;
            Ok(Done(Value::Null))
        }
    })
    .await;
    assert_eq!((run.state, run.attempt), (State::Failed, 1), "it is not tried again");
    (run.error_code.unwrap(), run.error_message.unwrap(), app)
}

#[tokio::test]
async fn retry_and_later_iteration_get_the_value_that_was_stored() {
    let (wrote, sent) = (Calls::default(), Calls::default());
    let (writes, sends) = (wrote.clone(), sent.clone());
    let (app, run) = ended(move |round, cx| {
        let (writes, sends) = (writes.clone(), sends.clone());
        async move {
            let text: u32 = cx.step("write", async || Ok(writes.next())).await?;
            let sent: Value = cx
                .step("send", async || match sends.next() {
                    1 => Err(TaskError::retryable("the server is busy")),
                    n => Ok(json!({ "sent": n })),
                })
                .await?;
            if round < 3 { Ok(Continue::after(minutes(1), round + 1)) } else { Ok(Done(json!([text, sent]))) }
        }
    })
    .await;
    assert_eq!((run.state, run.iteration), (State::Completed, 3));
    assert_eq!(run.result.unwrap().text(), r#"[1,{"sent":2}]"#);
    assert_eq!((wrote.so_far(), sent.so_far()), (1, 2));

    let steps = app.steps(run.id).await.unwrap();
    let made = |step: &StepView| (step.name.clone(), step.iteration, step.attempt, step.bytes);
    assert_eq!(
        steps.iter().map(made).collect::<Vec<_>>(),
        [("write".to_owned(), 1, 1, 1), ("send".to_owned(), 1, 2, 10)]
    );
}

#[tokio::test]
async fn step_that_panics_or_is_cut_off_by_the_timeout_stores_nothing() {
    let calls = Calls::default();
    let counted = calls.clone();
    let handler = move |_, cx: TaskContext| {
        let calls = counted.clone();
        async move {
            let n: u32 = cx
                .step("slow", async || match calls.next() {
                    1 => panic!("what a pity"),
                    2 => std::future::pending().await,
                    n => Ok(n),
                })
                .await?;
            Ok(Done(n.into()))
        }
    };
    let app = TestApp::new().with(task(WORK, handler).timeout(seconds(1)));
    app.run(WORK, 1).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(WORK);
    assert_eq!((run.state, run.result.unwrap().text()), (State::Completed, "3"));
}

#[tokio::test]
async fn value_of_an_attempt_that_was_first_counts_for_a_late_one() {
    let app = TestApp::new();
    let ports = app.client().ports().clone();
    let handler = move |_, cx: TaskContext| {
        let ports = ports.clone();
        async move {
            let work = || async {
                // Another attempt stores its value meanwhile.
                let run = load::<RunRecord>(&ports, &RunRecord::key_of(cx.run_id())).await?.unwrap().record;
                let expires_at_s = run.step_expires_at_s(&Policy::default());
                let new = NewStep { name: "send", run: &run, took: seconds(1), expires_at_s };
                let step = StepRecord::create(&new, Json::of(&"first")?, &ports.clock.decision_context());
                create(&ports, &step, ports.clock.now() + seconds(60)).await?;
                Ok("late".to_owned())
            };
            Ok(Done(json!(cx.step("send", work).await?)))
        }
    };
    let app = app.with(task(WORK, handler));
    app.run(WORK, 1).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(WORK).result.unwrap().text(), "\"first\"");
}

#[tokio::test]
async fn step_after_the_end_of_its_attempt_is_refused() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let handler = move |_, cx: TaskContext| {
        let tell = tell.clone();
        async move {
            tokio::spawn(async move {
                let work = || async {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    Ok(1)
                };
                let _ = tell.send(cx.step("late", work).await.map_err(|error| error.to_string()));
            });
            Ok(Done(Value::Null))
        }
    };
    let (app, run) = ended(handler).await;
    let said = told.recv().await.unwrap().unwrap_err();
    assert_eq!(said, "failed to store step \"late\": its attempt has ended (nothing was stored)");
    assert_eq!(app.steps(run.id).await.unwrap(), []);
}

#[tokio::test]
async fn name_that_is_used_twice_in_an_attempt_is_refused_and_says_how_to_number_it() {
    let (app, run) = ended(|_, cx| async move {
        for page in 0..3 {
            cx.step("send", async || Ok(page)).await?;
        }
        Ok(Done(Value::Null))
    })
    .await;
    assert_eq!((run.state, run.attempt), (State::Failed, 1));
    assert_eq!(
        run.error_message.unwrap(),
        "failed to make step \"send\": this attempt has used the name before (a name is a step's own; in a loop, number \
         it: format!(\"send {number}\"))"
    );
    assert_eq!(app.steps(run.id).await.unwrap().len(), 1, "the first is stored");
}

#[tokio::test]
async fn steps_at_the_same_time_are_stored_each_and_two_of_one_name_are_refused() {
    let (_, run) = ended(|_, cx| async move {
        let (a, b) = tokio::join!(cx.step("a", async || Ok(1)), cx.step("b", async || Ok(2)));
        let pause = || async {
            tokio::task::yield_now().await;
            Ok(3)
        };
        let (c, again) = tokio::join!(cx.step("c", pause), cx.step("c", pause));
        Ok(Done(json!([a?, b?, c?, again.is_err()])))
    })
    .await;
    assert_eq!(run.result.unwrap().text(), "[1,2,3,true]");
}

#[tokio::test]
async fn failing_step_is_retried_in_place_by_a_retry_around_it_and_around_several() {
    let (first, second) = (Calls::default(), Calls::default());
    let (one, two) = (first.clone(), second.clone());
    let (_, run) = ended(move |_, cx| {
        let (one, two) = (one.clone(), two.clone());
        async move {
            let policy = Retry::attempts(4).min(seconds(0));
            let alone: u32 = cx.retry(policy, || cx.step("alone", async || flaky(one.next(), 3))).await?;
            let both = cx.retry(policy, async || {
                let made: u32 = cx.step("made", async || Ok(two.next() * 100)).await?;
                let failed: u32 = cx.step("fails", async || flaky(two.next(), 4)).await?;
                Ok((made, failed))
            });
            Ok(Done(json!([alone, both.await?])))
        }
    })
    .await;
    assert_eq!(run.result.unwrap().text(), "[3,[100,4]]");
    assert_eq!((run.attempt, first.so_far(), second.so_far()), (1, 3, 4));
}

fn flaky(n: u32, works_at: u32) -> Result<u32, TaskError> {
    if n < works_at { Err(TaskError::retryable("not yet")) } else { Ok(n) }
}

#[tokio::test]
async fn name_of_no_character_or_of_too_many_is_refused() {
    let (_, said, _) = refused("", 1).await;
    assert_eq!(said, "failed to make a step: step name \"\" has 0 characters (allowed: 1 to 256)");
    let long: &'static str = "é".repeat(300).leak();
    let (_, said, app) = refused(long, 1).await;
    assert!(said.contains("has 300 characters (allowed: 1 to 256)"), "{said}");
    assert_eq!(app.steps(app.run_of(WORK).id).await.unwrap(), []);
}

#[tokio::test]
async fn name_of_256_characters_of_four_bytes_is_taken() {
    let (app, run) = ended(|_, cx| async move {
        let n = cx.step(&"🦀".repeat(256), async || Ok(7)).await?;
        Ok(Done(json!(n)))
    })
    .await;
    assert_eq!(run.state, State::Completed);
    assert_eq!(app.steps(run.id).await.unwrap()[0].name, "🦀".repeat(256));
}

#[tokio::test]
async fn value_that_cant_be_serialized_or_is_too_large_is_refused_and_stores_nothing() {
    let (code, said, app) = refused("nan", f64::NAN).await;
    assert_eq!((code.as_str(), app.steps(app.run_of(WORK).id).await.unwrap().len()), ("ERROR", 0));
    assert!(said.starts_with("the value of step \"nan\" can't be serialized: NaN is no JSON number"), "{said}");

    let text = |bytes: usize| "x".repeat(bytes - 2);
    let (code, said, app) = refused("large", text(1_048_577)).await;
    assert_eq!(said, "the value of step \"large\" has 1048577 bytes (allowed: 1048576)");
    assert_eq!((code.as_str(), app.steps(app.run_of(WORK).id).await.unwrap().len()), ("TOO_LARGE", 0));

    let (app, run) = ended(move |round, cx| async move {
        let value = cx.step("largest", async || Ok(text(1_048_576))).await?;
        if round < 2 { Ok(Continue(round + 1)) } else { Ok(Done(json!(value.len()))) }
    })
    .await;
    assert_eq!((run.state, run.result.unwrap().text()), (State::Completed, "1048574"));
    assert_eq!(app.steps(run.id).await.unwrap()[0].bytes, 1_048_576);
}

#[tokio::test]
async fn stored_value_of_another_type_is_tried_again_until_a_deploy_mends_it() {
    let old = |round: u32, cx: TaskContext| async move {
        cx.step("count", async || Ok("seven".to_owned())).await?;
        Ok(Continue::after(hours(1), round + 1))
    };
    let wrong = |_: u32, cx: TaskContext| async move { Ok(json!(cx.step("count", async || Ok(7)).await?)) };
    let mended =
        |_: u32, cx: TaskContext| async move { Ok(json!(cx.step("count", async || Ok(String::new())).await?)) };
    let app = TestApp::new().with(task(WORK, old));
    let id = app.run(WORK, 1).await.unwrap().id();
    app.advance(minutes(1)).await;
    let app = app.redeployed([dacapo::Definition::of(task(WORK, wrong))]);
    app.advance(minutes(90)).await;
    let run = app.state(id).await.unwrap();
    assert_eq!((run.state, run.error_code.as_deref()), (State::Submitted, Some("INPUT_MISMATCH")));
    let app = app.redeployed([dacapo::Definition::of(task(WORK, mended))]);
    app.run_until_idle().await;
    assert_eq!(app.state(id).await.unwrap().result.unwrap().text(), "\"seven\"");
}

#[tokio::test]
async fn steps_of_an_unfinished_run_are_kept_for_years_and_expire_with_it() {
    let made = Calls::default();
    let calls = made.clone();
    let app = TestApp::new().with(
        task(WORK, move |round: u32, cx: TaskContext| {
            let calls = calls.clone();
            async move {
                let first: u32 = cx.step("first", async || Ok(calls.next())).await?;
                if round < 4 { Ok(Continue::after(days(350), round + 1)) } else { Ok(Done(json!(first))) }
            }
        })
        .max_iterations(10),
    );
    let id = app.run(WORK, 1).await.unwrap().id();
    app.advance(days(3 * 350 + 1)).await;
    assert_eq!(app.state(id).await.unwrap().state, State::Completed);
    assert_eq!(made.so_far(), 1, "three years later it is still there");
    assert_eq!(app.steps(id).await.unwrap().len(), 1);
    app.advance(days(15)).await;
    assert!(app.steps(id).await.is_err(), "the history has let the run go");
    let query = OwnedQuery { owner: RunRecord::key_of(id), kind: "step".to_owned(), after: None, limit: 10 };
    let beside = app.client().ports().records.owned(&query).await.unwrap();
    assert_eq!(beside, [], "and its steps with it");
}
