//! Lifecycle events: when they are published, and what they say.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use dacapo::{ErrorKind, State, prelude::*};
use dacapo_domain::{Effect, limits};
use dacapo_test_kit::{Faults, TestApp};

const WORK: TaskRef<String, u32> = TaskRef::new("work");

/// The events that subscribers were told, in order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(String, RunView)>>>);

impl Told {
    /// A handler that notes each event of its kind.
    fn hears(&self, event: dacapo::EventRef<RunView>) -> EventHandler {
        let told = self.clone();
        on(event, move |run: RunView, cx: EventContext| {
            told.0.lock().unwrap().push((cx.name().to_owned(), run));
            std::future::ready(Ok::<_, TaskError>(()))
        })
    }

    /// All there is to hear.
    fn all(&self) -> impl Function + use<> {
        [
            self.hears(lifecycle::started(WORK)),
            self.hears(lifecycle::progress(WORK)),
            self.hears(lifecycle::completed(WORK)),
            self.hears(lifecycle::failed(WORK)),
            self.hears(lifecycle::aborted(WORK)),
            self.hears(lifecycle::expired(WORK)),
        ]
    }

    fn names(&self) -> Vec<String> {
        let told = self.0.lock().unwrap();
        told.iter().map(|(name, _)| name.replace("task.", "").replace(":work", "")).collect()
    }

    fn last(&self) -> RunView {
        self.0.lock().unwrap().last().unwrap().1.clone()
    }
}

async fn work(input: String, cx: TaskContext) -> Result<Outcome<String, u32>, TaskError> {
    match &*input {
        "continue" => Ok(Continue::after(hours(1), "done".to_owned())),
        "abort" => Ok(Aborted),
        "fail" => Err(TaskError::terminal("it can't be").code("NO_WAY")),
        "again" if cx.attempt() == 1 => Err("not yet".into()),
        "panic" => panic!("boom"),
        _ => Ok(Done(7)),
    }
}

async fn told_of(input: &str) -> Told {
    let told = Told::default();
    let app = TestApp::new().with(task(WORK, work).retry(Retry::attempts(2))).with(told.all());
    app.run(WORK, input.to_owned()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(told.last(), app.run_of(WORK), "the body is the record, as the client tells it");
    told
}

#[tokio::test]
async fn run_tells_its_start_and_its_end_once_each_with_its_record() {
    for (input, end) in [
        ("done", "completed"),
        ("continue", "completed"),
        ("again", "completed"),
        ("abort", "aborted"),
        ("fail", "failed"),
        ("panic", "failed"),
    ] {
        assert_eq!(told_of(input).await.names(), ["started", end], "{input}");
    }
    let failed = told_of("fail").await.last();
    assert_eq!((failed.state, failed.error_code.as_deref(), failed.attempt), (State::Failed, Some("NO_WAY"), 1));
    let done = told_of("done").await;
    let started = done.0.lock().unwrap()[0].1.clone();
    assert_eq!((started.state, started.body.unwrap().text()), (State::Running, "\"done\""));
    assert_eq!(done.last().result.unwrap().text(), "7");
}

#[tokio::test]
async fn event_without_a_subscriber_is_not_published_and_owes_nothing() {
    let told = Told::default();
    let app = TestApp::new().with(task(WORK, work)).with(told.hears(lifecycle::failed(WORK)));
    app.run(WORK, "done".to_owned()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!((app.run_of(WORK).state, told.names().len()), (State::Completed, 0));

    app.run(WORK, "fail".to_owned()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(told.names(), ["failed"]);
}

#[tokio::test]
async fn subscription_counts_from_the_deploy_that_brings_it() {
    let told = Told::default();
    let app = TestApp::new().with(task(WORK, work));
    app.run(WORK, "before".to_owned()).await.unwrap();
    app.run_until_idle().await;
    let app = app.with(told.all());
    app.run(WORK, "after".to_owned()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(told.names(), ["started", "completed"]);
    assert_eq!(told.last().body.unwrap().text(), "\"after\"");
}

#[tokio::test]
async fn run_that_a_client_aborts_and_one_that_expires_tell_it() {
    let told = Told::default();
    let app = TestApp::new().with(task(WORK, work).ttl(minutes(1))).with(told.all());
    let id = app.run(WORK, String::new()).after(hours(1)).await.unwrap().id();
    app.abort(id, "enough").await.unwrap();
    app.run_until_idle().await;
    assert_eq!(told.names(), ["aborted"]);
    assert_eq!((told.last().id, told.last().message.as_deref()), (id, Some("enough")));

    let id = app.run(WORK, String::new()).after(hours(1)).await.unwrap().id();
    let timer = format!("run-{id}");
    app.client().ports().outbox.post(&Effect::CancelTimer { timer }).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(told.names(), ["aborted", "expired"]);
    assert_eq!((told.last().id, told.last().state), (id, State::Expired));
}

#[tokio::test]
async fn run_of_a_removed_task_tells_that_it_failed() {
    let told = Told::default();
    let app = TestApp::new().with(task(WORK, work)).with(told.all());
    app.run(WORK, String::new()).after(hours(1)).await.unwrap();
    let app = app.redeployed([dacapo::Definition::of(told.all())]);
    app.advance(hours(3)).await;
    assert_eq!(told.names(), ["failed"]);
    assert_eq!(told.last().error_code.as_deref(), Some("UNKNOWN_TASK"));
}

#[tokio::test]
async fn hooks_of_the_end_and_its_event_follow_both() {
    let told = Told::default();
    let heard = told.clone();
    let function = task(WORK, work).on_complete(move |run, _| {
        heard.0.lock().unwrap().push(("on_complete".to_owned(), run));
        std::future::ready(Ok(()))
    });
    let app = TestApp::new().with(function).with(told.hears(lifecycle::aborted(WORK)));
    let id = app.run(WORK, String::new()).after(hours(1)).await.unwrap().id();
    app.abort(id, "enough").await.unwrap();
    app.run_until_idle().await;
    let mut names = told.names();
    names.sort();
    assert_eq!(names, ["aborted", "on_complete"]);
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_as_it_is_stored_merged_within_a_second_and_the_last_with_the_end() {
    let handler = async |_: String, cx: TaskContext| {
        for step in 1..=5_u32 {
            cx.progress(format!("step {step}"), f64::from(step) / 5.0).await?;
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        Ok(0)
    };
    let told = Told::default();
    let app = TestApp::new().with(task(WORK, handler)).with(told.hears(lifecycle::progress(WORK)));
    app.run(WORK, String::new()).await.unwrap();
    app.run_until_idle().await;
    let steps: Vec<Option<String>> =
        told.0.lock().unwrap().iter().map(|(_, run)| run.progress_message.clone()).collect();
    assert_eq!(steps.first().unwrap().as_deref(), Some("step 1"));
    assert_eq!(steps.last().unwrap().as_deref(), Some("step 5"));
    assert!((3..5).contains(&steps.len()), "{steps:?}");
}

#[tokio::test]
async fn payload_that_an_event_has_no_room_for_is_left_out_and_named() {
    let told = Told::default();
    let app = TestApp::new().with(task(WORK, work)).with(told.hears(lifecycle::completed(WORK)));
    app.run(WORK, "x".repeat(limits::MESSAGE_BYTES - 500)).await.unwrap();
    app.run_until_idle().await;
    let run = told.last();
    assert_eq!((run.body.is_none(), run.result.unwrap().text()), (true, "7"));
    assert_eq!(run.payloads_left_out.as_deref(), Some("body of 1048078 bytes"));
}

#[tokio::test]
async fn subscriber_that_starts_its_task_anew_is_stopped_by_the_hop_count() {
    let app = TestApp::new().with(task(WORK, work)).with(on(
        lifecycle::completed(WORK),
        async |_: RunView, cx: EventContext| {
            cx.run(WORK, "again and again".to_owned()).await?;
            Ok(())
        },
    ));
    app.run(WORK, String::new()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.runs_of(WORK).len(), limits::HOPS as usize / 2 + 1);
}

#[tokio::test]
async fn lifecycle_event_cant_be_published_by_a_program() {
    let app = TestApp::new().with(task(WORK, work));
    app.run(WORK, String::new()).await.unwrap();
    app.run_until_idle().await;
    let error = app.publish(lifecycle::completed(WORK), app.run_of(WORK)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("\"task.completed:work\""), "{error}");
}

#[tokio::test(start_paused = true)]
async fn start_and_end_are_told_though_processes_die_at_any_moment() {
    for seed in 0..30 {
        let told = Told::default();
        let dying = Faults { crash: 0.15, ..Faults::none() };
        let app = TestApp::with_these_faults(seed, dying)
            .with(task(WORK, work).retry(Retry::attempts(3)).ttl(hours(1)))
            .with(told.all());
        for input in ["done", "continue", "fail", "abort"] {
            app.run(WORK, input.to_owned()).await.unwrap();
        }
        app.run_until_idle().await;
        let told: Vec<(String, dacapo::Id)> =
            told.0.lock().unwrap().iter().map(|(name, run)| (name.clone(), run.id)).collect();
        for run in app.runs_of(WORK) {
            // A run whose processes all died before they took an attempt has not started.
            let started = run.started_at.map(|_| "started".to_owned());
            for moment in started.into_iter().chain([run.state.to_string()]) {
                let name = format!("task.{moment}:work");
                assert!(told.contains(&(name, run.id)), "seed {seed}: {moment} of {run:?}");
            }
        }
    }
}

#[tokio::test]
async fn child_that_its_parents_abort_ends_before_its_handler_is_called_is_told_as_started_and_as_aborted() {
    const PARENT: TaskRef<()> = TaskRef::new("parent");
    let (told, client) = (Told::default(), Arc::new(Mutex::new(None::<dacapo::Client>)));
    let given = client.clone();
    let app =
        TestApp::new().with(told.all()).with(task(WORK, work)).with(task(PARENT, move |(): (), cx: TaskContext| {
            let client = given.lock().unwrap().clone().unwrap();
            async move {
                client.abort(cx.run_id(), "enough").await?;
                cx.run(WORK, String::new()).await?;
                Ok(Aborted)
            }
        }));
    *client.lock().unwrap() = Some(app.client().clone());
    app.run(PARENT, ()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(WORK).state, State::Aborted);
    assert_eq!(told.names(), ["started", "aborted"]);
}

#[tokio::test]
async fn progress_tells_the_input_the_output_and_the_metadata_as_they_were_updated() {
    const IMPORT: TaskRef<serde_json::Value, u32> = TaskRef::new("import");
    let told = Told::default();
    let heard = told.clone();
    let hears = move |run: RunView, _: EventContext| {
        heard.0.lock().unwrap().push((String::new(), run));
        std::future::ready(Ok::<_, TaskError>(()))
    };
    let handler = async |_: serde_json::Value, cx: TaskContext| {
        cx.progress("read", 0.25).await?;
        cx.update_input(serde_json::json!({ "row": 7 })).await?;
        cx.update_output(serde_json::json!({ "rows": "x".repeat(20_000) })).await?;
        cx.update_task(serde_json::json!({ "metadata": { "by": "ada" } })).await?;
        // Merged, and stored with the end.
        cx.progress("checked", 0.5).await?;
        Ok(1)
    };
    let app = TestApp::new().with(task(IMPORT, handler)).with(on(lifecycle::progress(IMPORT), hears));
    app.run(IMPORT, serde_json::json!({ "url": "a" })).await.unwrap();
    app.run_until_idle().await;
    let runs: Vec<RunView> = told.0.lock().unwrap().iter().map(|(_, run)| run.clone()).collect();
    let [first, last] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!((&first.input, &first.output, &first.metadata), (&None, &None, &None));
    let text = |json: &Option<dacapo::Json>| json.as_ref().unwrap().text().to_owned();
    assert_eq!(text(&last.input), r#"{"row":7,"url":"a"}"#);
    assert_eq!((text(&last.output).len(), text(&last.metadata)), (20_011, r#"{"by":"ada"}"#.to_owned()));
    assert_eq!(text(&last.body), r#"{"url":"a"}"#);
    let stored = app.run_of(IMPORT);
    assert_eq!((&last.input, &last.output, &last.metadata), (&stored.input, &stored.output, &stored.metadata));
}

#[tokio::test]
async fn output_that_an_event_has_no_room_for_is_left_out_and_named() {
    let told = Told::default();
    let handler = async |_: String, cx: TaskContext| {
        cx.update_output(serde_json::json!({ "rows": "x".repeat(limits::MESSAGE_BYTES - 2_000) })).await?;
        Ok(7)
    };
    let app = TestApp::new().with(task(WORK, handler)).with(told.hears(lifecycle::completed(WORK)));
    app.run(WORK, "x".repeat(2_000)).await.unwrap();
    app.run_until_idle().await;
    let run = told.last();
    assert_eq!((run.output, run.body.unwrap().bytes(), run.result.unwrap().text()), (None, 2_002, "7"));
    assert_eq!(run.payloads_left_out.as_deref(), Some("output of 1046587 bytes"));
}
