//! A run's own stored data, read and updated by its handler.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use dacapo::{Definition, RunView, State, prelude::*};
use dacapo_core::commit::load;
use dacapo_domain::{Decision, Machine, Phase, RunRecord};
use dacapo_test_kit::TestApp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const IMPORT: TaskRef<Import, Value> = TaskRef::new("import");

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Import {
    url: String,
    #[serde(default)]
    next_row: u32,
}

fn start() -> Import {
    Import { url: "https://example.org".to_owned(), next_row: 0 }
}

/// Runs a task with this handler to its end.
async fn ended<F, W>(handler: F) -> RunView
where
    F: Fn(Import, TaskContext) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Outcome<Import, Value>, TaskError>> + Send + 'static,
{
    let app = TestApp::new().with(task(IMPORT, handler));
    app.run(IMPORT, start()).await.unwrap();
    app.run_until_idle().await;
    app.run_of(IMPORT)
}

#[tokio::test]
async fn update_of_the_input_is_what_a_retry_and_the_next_iteration_without_input_get() {
    let run = ended(|job: Import, cx: TaskContext| async move {
        assert_eq!(cx.get_input::<Import>().await?, job);
        match (cx.iteration(), cx.attempt()) {
            (1, 1) => {
                cx.update_input(json!({ "next_row": 100 })).await?;
                assert_eq!(cx.get_input::<Import>().await?.next_row, 100);
                Err(TaskError::retryable("not yet"))
            }
            (1, _) => {
                assert_eq!(job, Import { next_row: 100, ..start() });
                assert_eq!(cx.body::<Import>()?, start(), "the body never changes");
                cx.update_input(json!({ "next_row": 200 })).await?;
                Ok(Continue::again(minutes(1)))
            }
            (2, _) => {
                assert_eq!(job.next_row, 200);
                Ok(Continue::again(seconds(0)))
            }
            _ => Ok(Done(json!(job.next_row))),
        }
    })
    .await;
    assert_eq!((run.state, run.iteration, run.error_message), (State::Completed, 3, None));
    assert_eq!(run.result.unwrap().text(), "200");
}

#[tokio::test]
async fn output_and_metadata_are_merged_over_attempts_and_iterations_and_kept_with_the_run() {
    let run = ended(|job: Import, cx: TaskContext| async move {
        let before: Option<Value> = cx.get_output().await?;
        match (cx.iteration(), cx.attempt()) {
            (1, 1) => {
                assert_eq!(before, None);
                cx.update_output(json!({ "pages": { "a": 1.5, "b": 2 }, "gone": true })).await?;
                Err(TaskError::retryable("not yet"))
            }
            (1, _) => {
                cx.update_output(json!({ "pages": { "b": 3 }, "gone": null })).await?;
                cx.update_task(json!({ "tags": ["red", "blue"], "metadata": { "a": { "b": 1 } } })).await?;
                Ok(Continue(job))
            }
            _ => {
                assert_eq!(before, Some(json!({ "pages": { "a": 1.5, "b": 3 } })));
                cx.update_task(json!({ "metadata": { "a": { "c": 2 } } })).await?;
                let task = cx.get_task().await?;
                assert_eq!((task.state, task.tags.len()), (State::Running, 2));
                assert_eq!(cx.get_status().await?, State::Running);
                Ok(Done(Value::Null))
            }
        }
    })
    .await;
    assert_eq!(run.state, State::Completed, "{:?}", run.error_message);
    assert_eq!(run.output.unwrap().text(), r#"{"pages":{"a":1.5,"b":3}}"#);
    assert_eq!(run.metadata.unwrap().text(), r#"{"a":{"b":1,"c":2}}"#);
    assert_eq!(run.tags, ["red", "blue"]);
}

#[tokio::test]
async fn output_of_a_run_that_fails_is_kept() {
    let run = ended(|_, cx: TaskContext| async move {
        cx.update_output(json!({ "rows": 7 })).await?;
        Err(TaskError::terminal("never"))
    })
    .await;
    assert_eq!((run.state, run.output.unwrap().text()), (State::Failed, r#"{"rows":7}"#));
}

#[tokio::test]
async fn update_that_cant_be_used_is_refused_and_changes_nothing() {
    let run = ended(|_, cx: TaskContext| async move {
        cx.update_output(json!({ "rows": 1 })).await?;
        let mut said = vec![];
        let mut refused = |answer: Result<(), dacapo::Error>| {
            let error = answer.unwrap_err();
            assert_eq!(error.kind(), dacapo::ErrorKind::Usage, "{error}");
            said.push(error.to_string());
        };
        refused(cx.update_output(json!([1])).await);
        refused(cx.update_output(7).await);
        refused(cx.update_input("x").await);
        refused(cx.update_task(json!(null)).await);
        refused(cx.update_task(json!({ "state": "completed", "tags": ["late"] })).await);
        refused(cx.update_task(json!({ "tags": "red" })).await);
        refused(cx.update_task(json!({ "tags": vec!["t"; 11] })).await);
        refused(cx.update_task(json!({ "tags": ["late"], "metadata": 7 })).await);
        refused(cx.update_output(std::collections::BTreeMap::from([("rate", f64::NAN)])).await);
        refused(cx.update_output(json!({ "text": "x".repeat(1_048_576) })).await);
        Ok(Done(json!(said)))
    })
    .await;
    let said: Vec<String> = run.result.unwrap_or_else(|| panic!("{:?}", run.error_message)).parse().unwrap();
    let object = "(write an object of the members that change; `null` removes one)";
    let tail = |text: &str| text.to_owned();
    let expected = [
        format!("failed to update the output of the run: it is no JSON object but a list {object}"),
        format!("failed to update the output of the run: it is no JSON object but a number {object}"),
        format!("failed to update the input of the run: it is no JSON object but a text {object}"),
        tail("failed to update the run: the patch is no JSON object (allowed: `tags`, `metadata`)"),
        tail("failed to update the run: \"state\" can't be changed (allowed: `tags`, `metadata`)"),
        tail("failed to update the run: its tags are no list of texts: "),
        tail("failed to give a run 11 tags (allowed: up to 10)"),
        format!("failed to update the metadata of the run: it is no JSON object but a number {object}"),
        tail("failed to update the output: the patch can't be serialized: NaN is no JSON number"),
        tail("failed to update the output of the run: it would have 1048596 bytes (allowed: 1048576)"),
    ];
    assert_eq!(said.len(), expected.len());
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(&expected), "{said}\nis not\n{expected}");
    }
    assert_eq!((run.output.unwrap().text(), run.tags.len(), run.metadata), (r#"{"rows":1}"#, 0, None));
}

#[tokio::test]
async fn input_that_is_no_object_is_not_merged_into() {
    const COUNT: TaskRef<u32, String> = TaskRef::new("count");
    let app = TestApp::new().with(task(COUNT, async |_: u32, cx: TaskContext| {
        Ok(cx.update_input(json!({ "n": 2 })).await.unwrap_err().to_string())
    }));
    app.run(COUNT, 1).await.unwrap();
    app.run_until_idle().await;
    let said: String = app.run_of(COUNT).result.unwrap().parse().unwrap();
    assert_eq!(
        said,
        "failed to update the input of the run: it is no JSON object, so nothing can be merged into it (continue with \
         another input)"
    );
}

#[tokio::test]
async fn update_after_the_end_is_refused_and_says_so() {
    let app = TestApp::new().with(task(IMPORT, async |_: Import, _: TaskContext| Ok(Value::Null)).on_success(
        async |_, cx| {
            assert_eq!(cx.get_status().await?, State::Completed);
            cx.update_output(json!({ "late": true })).await?;
            Ok(())
        },
    ));
    let id = app.run(IMPORT, start()).await.unwrap().id();
    app.run_until_idle().await;
    let logged = app.logs(id).await.unwrap();
    let error = logged[0].error.as_ref().unwrap();
    assert!(error.contains("its attempt has lost its lease or has ended (nothing was stored)"), "{error}");
    assert_eq!(app.run_of(IMPORT).output, None);
}

#[tokio::test]
async fn update_of_an_attempt_that_another_has_taken_over_is_refused_and_says_so() {
    let app = TestApp::new();
    let ports = app.client().ports().clone();
    let handler = move |_: Import, cx: TaskContext| {
        let ports = ports.clone();
        async move {
            cx.update_output(json!({ "rows": 1 })).await?;
            let mut run = load::<RunRecord>(&ports, &RunRecord::key_of(cx.run_id())).await?.unwrap().record;
            let seen = run.header();
            run.version = ports.clock.decision_context().version();
            let Phase::Running { lease, .. } = &mut run.phase else { panic!("it runs") };
            lease.token = run.version;
            ports.records.save(&seen, &Decision::store(run, vec![]).write()?).await?;
            let error = cx.update_output(json!({ "rows": 2 })).await.unwrap_err();
            assert_eq!(error.kind(), dacapo::ErrorKind::Refused);
            let stored = cx.get_task().await?.output.unwrap();
            Ok(Value::from(format!("{error}: {}", stored.text())))
        }
    };
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let telling = move |input, cx| {
        let (tell, work) = (tell.clone(), handler(input, cx));
        async move {
            let answer = work.await;
            let _ = tell.send(answer.clone());
            answer
        }
    };
    let app = app.with(task(IMPORT, telling));
    app.run(IMPORT, start()).await.unwrap();
    app.advance(seconds(1)).await;
    let said = told.recv().await.unwrap().unwrap();
    assert_eq!(
        said,
        "failed to change the run: its attempt has lost its lease or has ended (nothing was stored): {\"rows\":1}"
    );
}

#[tokio::test]
async fn updated_first_input_that_no_longer_parses_is_tried_again_until_a_deploy_mends_it() {
    let breaking = |_: Import, cx: TaskContext| async move {
        cx.update_input(json!({ "next_row": "two hundred" })).await?;
        Err::<Value, _>(TaskError::retryable("not yet"))
    };
    let app = TestApp::new().with(task(IMPORT, breaking));
    let id = app.run(IMPORT, start()).await.unwrap().id();
    app.advance(minutes(30)).await;
    let run = app.state(id).await.unwrap();
    assert_eq!((run.state, run.error_code.as_deref()), (State::Submitted, Some("INPUT_MISMATCH")));
    const MENDED: TaskRef<Value, Value> = TaskRef::new("import");
    let mended = task(MENDED, async |input: Value, _: TaskContext| Ok(input["next_row"].clone()));
    let app = app.redeployed([Definition::of(mended)]);
    app.run_until_idle().await;
    assert_eq!(app.state(id).await.unwrap().result.unwrap().text(), "\"two hundred\"");
}

#[tokio::test]
async fn updates_at_the_same_time_are_all_merged() {
    let run = ended(|_, cx: TaskContext| async move {
        let cx = &cx;
        let updates = (0..50).map(|n| async move {
            cx.update_output(json!({ format!("o{n}"): n })).await?;
            cx.update_task(json!({ "metadata": { format!("m{n}"): n } })).await
        });
        for update in futures::future::join_all(updates).await {
            update?;
        }
        Ok(Done(json!(null)))
    })
    .await;
    let members = |json: Option<dacapo::Json>| json.unwrap().parse::<serde_json::Map<String, Value>>().unwrap().len();
    assert_eq!((run.state, members(run.output), members(run.metadata)), (State::Completed, 50, 50));
}
