//! Hooks: the order in which they run, and what becomes of one that fails.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use dacapo::{Json, RunView, State, prelude::*};
use dacapo_test_kit::TestApp;
use futures::FutureExt;

/// The calls, in order. It is what `init` makes, too.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<String>>>);

impl Tape {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }
}

const WORK: TaskRef<String, u32> = TaskRef::new("work");

async fn work(input: String, cx: TaskContext<Tape>) -> Result<Outcome<String, u32>, TaskError> {
    cx.init().note("handler");
    match input.as_str() {
        "continue" => Ok(Continue("done".to_owned())),
        "continue for ever" => Ok(Continue(input)),
        "abort" => Ok(Aborted),
        "again" => Err("it failed".into()),
        "stop" => Err(TaskError::terminal("it can't be").code("NO_WAY")),
        "panic" => panic!("boom"),
        _ => Ok(Done(7)),
    }
}

/// The task with all hooks; each says that it ran, those after the end what they got, and `!` if without `init`.
fn taped(tape: &Tape) -> Task<String, u32, Tape, dacapo::WithInit<Tape>> {
    let made = tape.clone();
    let note = |tape: &Tape| {
        let tape = tape.clone();
        move |what: String, cx: HookContext<Tape>| {
            tape.note(if cx.init().is_some() { what } else { format!("{what}!") });
            std::future::ready(Ok(()))
        }
    };
    let [start, cleanup, success, failure, abort, max, complete] = [(); 7].map(|()| note(tape));
    task(WORK, work)
        .retry(Retry::attempts(2))
        .max_iterations(2)
        .init(move |_| {
            made.note("init");
            let made = made.clone();
            async move { Ok(made) }
        })
        .on_start(move |cx| start("on_start".to_owned(), cx))
        .cleanup(move |cx| cleanup("cleanup".to_owned(), cx))
        .on_success(move |result, cx| success(format!("on_success({result})"), cx))
        .on_failure(move |failed, cx| failure(format!("on_failure({})", failed.code), cx))
        .on_abort(move |message, cx| abort(format!("on_abort({message})"), cx))
        .on_max_iterations(move |cx| max("on_max_iterations".to_owned(), cx))
        .on_complete(move |record, cx| complete(format!("on_complete({})", record.state), cx))
}

async fn run(function: impl Function, input: &str) -> (TestApp, RunView) {
    let app = TestApp::new().with(function);
    app.run(WORK, input.to_owned()).await.unwrap();
    app.run_until_idle().await;
    let record = app.run_of(WORK);
    (app, record)
}

fn boom<T>(text: &str) -> T {
    panic!("{text}")
}

async fn tape_of(input: &str) -> String {
    let tape = Tape::default();
    run(taped(&tape), input).await;
    tape.text()
}

#[tokio::test]
async fn hooks_run_around_the_handler_and_after_the_end() {
    let expected = HashMap::from([
        ("done", "init on_start handler cleanup on_success(7) on_complete(completed)"),
        ("abort", "init on_start handler cleanup on_abort() on_complete(aborted)"),
        ("stop", "init on_start handler cleanup on_failure(NO_WAY) on_complete(failed)"),
        // `on_start` is for the first attempt alone.
        ("again", "init on_start handler cleanup init handler cleanup on_failure(ERROR) on_complete(failed)"),
        ("continue", "init on_start handler cleanup init handler cleanup on_success(7) on_complete(completed)"),
        (
            "continue for ever",
            "init on_start handler cleanup init handler cleanup \
             on_max_iterations on_failure(MAX_ITERATIONS) on_complete(failed)",
        ),
        ("panic", "init on_start handler cleanup init handler cleanup on_failure(PANIC) on_complete(failed)"),
    ]);
    for (input, expected) in expected {
        assert_eq!(tape_of(input).await, expected, "{input}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_parse_fails_the_run_and_says_where() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Order {
        lines: Vec<u32>,
    }
    const ORDER: TaskRef<Order> = TaskRef::new("order");
    let tape = Tape::default();
    let noted = tape.clone();
    let function = task(ORDER, async |_, _: TaskContext| Ok(())).on_failure(move |failure, cx| {
        noted.note(format!("{} {}", failure.message, cx.init().is_none()));
        async { Ok(()) }
    });

    let app = TestApp::new().with(function);
    app.run_by_name("order", Json::from_text(r#"{"lines":[1,"two"]}"#).unwrap()).await.unwrap();
    app.run_until_idle().await;

    let record = app.run_of(ORDER);
    assert_eq!((record.state, record.error_code.as_deref(), record.attempt), (State::Failed, Some("BODY_MISMATCH"), 1));
    assert!(
        tape.text().starts_with("the body is no input of task \"order\": at lines[1]: invalid type: string \"two\""),
        "{}",
        tape.text()
    );
    assert!(tape.text().ends_with(" true"), "there is no init value: {}", tape.text());
}

#[tokio::test]
async fn a_failed_init_fails_the_attempt() {
    let handler = async |_, _: TaskContext<Tape>| Ok(7);
    let (_, record) = run(task(WORK, handler).init(async |_| Err("no server".into())), "done").await;
    assert_eq!((record.state, record.error_code.as_deref()), (State::Failed, Some("INIT_ERROR")));
    assert_eq!((record.error_message.as_deref(), record.attempt), (Some("no server"), 3));
}

#[tokio::test]
async fn a_failed_cleanup_fails_the_attempt() {
    let (_, record) = run(taped(&Tape::default()).cleanup(async |_| Err("no space".into())), "done").await;
    assert_eq!((record.state, record.error_code.as_deref()), (State::Failed, Some("CLEANUP_ERROR")));

    // A handler that failed as well is what is told.
    let (_, record) = run(taped(&Tape::default()).cleanup(async |_| Err("no space".into())), "stop").await;
    assert_eq!(record.error_code.as_deref(), Some("NO_WAY"));
    assert!(record.error_stack.unwrap().contains("then `cleanup` failed: no space"));
}

#[tokio::test]
async fn handle_error_decides_about_the_next_try() {
    let attempts = async |decision: OnError, input: &str| {
        let function = taped(&Tape::default()).handle_error(move |_, _| std::future::ready(Ok(decision.clone())));
        let (_, record) = run(function, input).await;
        (record.attempt, record.error_code.unwrap())
    };
    assert_eq!(attempts(OnError::Default, "again").await, (2, "ERROR".to_owned()));
    assert_eq!(attempts(OnError::Stop, "again").await, (1, "ERROR".to_owned()));
    assert_eq!(attempts(OnError::retry_at(minutes(5)), "stop").await, (2, "NO_WAY".to_owned()));
    let other = TaskError::terminal("something else").code("OTHER");
    assert_eq!(attempts(OnError::Replace(other), "again").await, (1, "OTHER".to_owned()));
}

#[tokio::test]
async fn a_handle_error_that_fails_is_told_with_the_first_error() {
    let function = taped(&Tape::default()).handle_error(async |_, _| Err("no idea".into()));
    let (_, record) = run(function, "stop").await;
    assert_eq!((record.error_code.as_deref(), record.attempt), (Some("HANDLE_ERROR_ERROR"), 1));
    assert_eq!(record.error_message.as_deref(), Some("`handle_error` failed: no idea (after: it can't be)"));
    assert!(record.error_stack.unwrap().contains("after NO_WAY: it can't be"));
}

#[tokio::test]
async fn other_hooks_that_fail_are_logged_with_the_run_and_ignored() {
    let function = task(WORK, async |_, _: TaskContext| Ok(7))
        .on_start(async |_| Err("start".into()))
        .on_success(async |_, _| Err("success".into()))
        .on_complete(async |_, _| Err("complete".into()));
    let (app, record) = run(function, "done").await;
    assert_eq!(record.state, State::Completed);
    let logs = app.logs(record.id).await.unwrap();
    let told: Vec<(&str, Option<&str>)> =
        logs.iter().map(|entry| (entry.message.as_str(), entry.error.as_deref())).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    for (told, hook) in told.iter().zip(["start", "success", "complete"]) {
        assert_eq!(told.0, format!("the hook `on_{hook}` failed"));
        assert_eq!(told.1.and_then(|error| error.lines().next()), Some(hook));
    }
}

#[tokio::test]
async fn a_result_that_was_left_out_is_logged_in_the_stead_of_on_success() {
    const LARGE: TaskRef<(), String> = TaskRef::new("large");
    let function = task(LARGE, async |(), _: TaskContext| Ok("x".repeat(70_000))).on_success(async |_, _| Ok(()));
    let app = TestApp::new().with(function);
    app.run(LARGE, ()).await.unwrap();
    app.run_until_idle().await;
    let record = app.run_of(LARGE);
    assert_eq!((record.state, record.result), (State::Completed, None));
    let logs = app.logs(record.id).await.unwrap();
    assert_eq!(logs[0].message, "the hook `on_success` failed");
    assert!(logs[0].error.as_ref().unwrap().contains("70002 bytes"), "{logs:?}");
}

#[tokio::test]
async fn what_hooks_start_is_not_mistaken_for_what_the_handler_starts() {
    const CHILD: TaskRef<String> = TaskRef::new("child");
    async fn start<V>(cx: &HookContext<V>, who: &str) -> Result<(), TaskError> {
        cx.run(CHILD, who.to_owned()).await?;
        Ok(())
    }
    let function = task(WORK, async |_, cx: TaskContext| {
        cx.run(CHILD, "handler".to_owned()).await?;
        if cx.attempt() == 1 { Err("once more".into()) } else { Ok(7) }
    })
    .on_start(async |cx| start(&cx, "on_start").await)
    .on_success(async |_, cx| start(&cx, "on_success").await)
    .on_complete(async |_, cx| start(&cx, "on_complete").await);

    let app = TestApp::new().with(function).with(task(CHILD, async |_, _: TaskContext| Ok(())));
    app.run(WORK, String::new()).await.unwrap();
    app.run_until_idle().await;
    let mut who: Vec<String> =
        app.runs_of(CHILD).iter().map(|run| run.body.as_ref().unwrap().parse().unwrap()).collect();
    who.sort();
    assert_eq!(who, ["handler", "on_complete", "on_start", "on_success"]);
}

#[tokio::test]
async fn a_panic_in_handle_error_or_cleanup_is_that_hooks_own_failure_and_each_runs_once() {
    for (input, code, hooks) in [
        ("done", "CLEANUP_ERROR", "cleanup"),
        ("stop", "HANDLE_ERROR_ERROR", "handle_error cleanup"),
        ("panic", "HANDLE_ERROR_ERROR", "handle_error cleanup"),
    ] {
        let tape = Tape::default();
        let (handled, cleaned) = (tape.clone(), tape.clone());
        let function = taped(&Tape::default())
            .retry(Retry::never())
            .handle_error(move |_, _| {
                handled.note("handle_error");
                boom::<std::future::Ready<_>>("no idea") // Before there is a future.
            })
            .cleanup(move |_| {
                cleaned.note("cleanup");
                async { boom("no space") }
            });
        let (_, record) = run(function, input).await;
        assert_eq!((tape.text().as_str(), record.error_code.as_deref()), (hooks, Some(code)), "{input}: {record:?}");
        let said = format!("{}\n{}", record.error_message.unwrap(), record.error_stack.unwrap_or_default());
        assert!(said.contains("it panicked: no space"), "{input}: {said}");
        assert_eq!(said.contains("it panicked: no idea"), input != "done", "{input}: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_outlasts_its_attempt_is_stopped_once_and_told() {
    let tape = Tape::default();
    let (handled, cleaned) = (tape.clone(), tape.clone());
    let function = taped(&Tape::default())
        .retry(Retry::never())
        .timeout(seconds(2))
        .handle_error(move |_, _| {
            handled.note("handle_error");
            std::future::pending()
        })
        .cleanup(move |_| {
            cleaned.note("cleanup");
            std::future::ready(Ok(()))
        });
    // The hook took the attempt's own time; it is not called again for its own timeout.
    let (_, record) = run(function, "stop").await;
    assert_eq!((tape.text().as_str(), record.error_code.as_deref()), ("handle_error cleanup", Some("TIMEOUT")));

    // After a panic the hook has a limit of its own.
    let function = taped(&Tape::default()).retry(Retry::never()).handle_error(|_, _| std::future::pending());
    let (app, record) = run(function, "panic").await;
    assert_eq!(record.error_code.as_deref(), Some("PANIC"));
    let told = "then the hook `handle_error` or `cleanup` took longer than its timeout of 5 s";
    assert!(record.error_stack.as_ref().is_some_and(|stack| stack.contains(told)), "{record:?}");
    let logs = app.logs(record.id).await.unwrap();
    assert_eq!(logs[0].message, "the hooks after a failed attempt were stopped");
}

#[tokio::test]
async fn a_hook_with_a_limit_of_its_own_cant_set_the_attempts_timeout() {
    async fn set_timeout(cx: HookContext<Tape>, told: Tape) {
        let set = cx.set_timeout(minutes(5)).await;
        told.note(set.map_or_else(|error| error.to_string(), |()| "moved".to_owned()));
    }
    let told = Tape::default();
    let (after_panic, at_end) = (told.clone(), told.clone());
    let function = taped(&Tape::default())
        .retry(Retry::never())
        .handle_error(move |_, cx| set_timeout(cx, after_panic.clone()).map(|()| Ok(OnError::Default)))
        .on_complete(move |_, cx| set_timeout(cx, at_end.clone()).map(Ok));
    run(function, "panic").await;
    let refused =
        "failed to set a timeout in a hook that runs apart from its attempt (only an attempt's own can be moved)";
    assert_eq!(told.text(), format!("{refused} {refused}"));
}
