//! The table of hooks, a test a line: when each runs, the app's before the task's own, and what becomes of one that
//! fails.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    future::ready,
    sync::{Arc, Mutex},
};

use dacapo::{State, prelude::*};
use dacapo_test_kit::TestApp;

const WORK: TaskRef<String, u32> = TaskRef::new("work");

type Own = Task<String, u32, u8, dacapo::WithInit<u8>>;

/// The calls, in order.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<String>>>);

impl Tape {
    fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    /// A hook that says so and succeeds.
    fn note(&self, what: impl Into<String>) -> std::future::Ready<Result<(), TaskError>> {
        self.say(what);
        ready(Ok(()))
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }

    /// Middleware that notes how it goes in and comes out.
    fn layer(&self, name: &'static str) -> impl Fn(Next, HookContext) -> Layered + Send + Sync + 'static + use<> {
        let tape = self.clone();
        move |next, _| {
            let tape = tape.clone();
            Box::pin(async move {
                tape.note(format!("{name}(")).await?;
                let handled = next.run().await;
                tape.note(format!("){name}")).await?;
                handled
            })
        }
    }
}

type Layered = std::pin::Pin<Box<dyn Future<Output = Result<Handled, TaskError>> + Send>>;

/// A task with all hooks that run around an attempt; two attempts.
fn own(tape: &Tape) -> Own {
    let [handler, init, start, error, cleanup] = [(); 5].map(|()| tape.clone());
    let work = move |input: String, cx: TaskContext<u8>| {
        handler.say("handler");
        async move {
            match &*input {
                "fail" => Err(TaskError::terminal("no").code("NO_WAY")),
                "again" if cx.attempt() == 1 => Err("not yet".into()),
                "panic" => panic!("boom"),
                "sleep" => {
                    tokio::time::sleep(hours(1)).await;
                    Ok(Done(0))
                }
                "continue" if cx.iteration() == 1 => Ok(Continue(input)),
                "for ever" => Ok(Continue(input)),
                "abort" => Ok(Aborted),
                _ => Ok(Done(7)),
            }
        }
    };
    task(WORK, work)
        .retry(Retry::attempts(2))
        .max_iterations(2)
        .init(move |_| {
            init.say("init");
            ready(Ok(1))
        })
        .on_start(move |_| start.note("on_start"))
        .handle_error(move |failed, _| {
            error.say(format!("handle_error({failed})"));
            ready(Ok(OnError::Default))
        })
        .cleanup(move |_| cleanup.note("cleanup"))
}

/// The same for the app.
fn of_app(tape: &Tape) -> Hooks {
    let [start, error, cleanup, success, failure, abort, max, complete] = [(); 8].map(|()| tape.clone());
    Hooks::new()
        .on_start(move |_| start.note("app:on_start"))
        .handle_error(move |failed, _| {
            error.say(format!("app:handle_error({failed})"));
            ready(Ok(OnError::Default))
        })
        .cleanup(move |_| cleanup.note("app:cleanup"))
        .on_success(move |result, _| success.note(format!("app:on_success({})", result.unwrap().text())))
        .on_failure(move |failed, _| failure.note(format!("app:on_failure({})", failed.code)))
        .on_abort(move |_, _| abort.note("app:on_abort"))
        .on_max_iterations(move |_| max.note("app:on_max_iterations"))
        .on_complete(move |run, _| complete.note(format!("app:on_complete({})", run.state)))
}

/// The task's own hooks of the end.
fn with_ends(task: Own, tape: &Tape) -> Own {
    let [success, failure, abort, max, complete] = [(); 5].map(|()| tape.clone());
    task.on_success(move |result, _| success.note(format!("on_success({result})")))
        .on_failure(move |failed, _| failure.note(format!("on_failure({})", failed.code)))
        .on_abort(move |_, _| abort.note("on_abort"))
        .on_max_iterations(move |_| max.note("on_max_iterations"))
        .on_complete(move |run, _| complete.note(format!("on_complete({})", run.state)))
}

async fn run(function: impl Function, input: &str) -> (TestApp, RunView) {
    let app = TestApp::new().with(function);
    app.run(WORK, input.to_owned()).await.unwrap();
    app.run_until_idle().await;
    let record = app.run_of(WORK);
    (app, record)
}

async fn logged(app: &TestApp, run: &RunView) -> Vec<String> {
    app.logs(run.id).await.unwrap().into_iter().map(|entry| entry.message).collect()
}

fn boom<T>() -> T {
    panic!("boom")
}

#[tokio::test]
async fn middleware_is_around_init_on_start_and_the_handler_of_each_attempt_the_apps_outside() {
    let tape = Tape::default();
    let function = own(&tape).middleware(tape.layer("own")).middleware(tape.layer("inner"));
    let hooks = Hooks::new().middleware(tape.layer("app"));
    let (_, record) = run(hooks.around(function), "again").await;
    assert_eq!(
        (record.state, tape.text().as_str()),
        (
            State::Completed,
            "app( own( inner( init on_start handler )inner )own )app handle_error(not yet) cleanup \
             app( own( inner( init handler )inner )own )app cleanup"
        )
    );
}

#[tokio::test]
async fn middleware_that_fails_fails_the_attempt_like_the_handler() {
    for late in [false, true] {
        let tape = Tape::default();
        let function = own(&tape).middleware(move |next, _| async move {
            if late {
                assert!(next.run().await?.is_done());
            }
            Err(TaskError::terminal("closed").code("CLOSED"))
        });
        let (_, record) = run(function, "done").await;
        assert_eq!((record.state, record.error_code.as_deref()), (State::Failed, Some("CLOSED")), "late: {late}");
        let before = if late { "init on_start handler " } else { "" };
        assert_eq!(tape.text(), format!("{before}handle_error(closed) cleanup"));
    }
    let tape = Tape::default();
    let function = own(&tape).retry(Retry::never()).middleware(|_, _| async { boom() });
    let (_, record) = run(function, "done").await;
    assert_eq!((record.error_code.as_deref(), tape.text().starts_with("handle_error(")), (Some("PANIC"), true));
}

#[tokio::test]
async fn middleware_may_put_another_error_in_the_place_of_a_handlers_and_sees_what_it_came_to() {
    let seen = Tape::default();
    let note = seen.clone();
    let function = || {
        let note = note.clone();
        own(&Tape::default()).middleware(move |next, _| {
            let note = note.clone();
            async move {
                let handled = next.run().await.map_err(|error| TaskError::terminal(error).code("WRAPPED"))?;
                let came_to = (handled.is_done(), handled.is_continue(), handled.is_aborted());
                note.note(format!("{came_to:?}")).await?;
                Ok(handled)
            }
        })
    };
    let (_, record) = run(function(), "again").await;
    assert_eq!((record.error_code.as_deref(), record.attempt), (Some("WRAPPED"), 1));
    run(function(), "continue").await;
    run(function(), "abort").await;
    assert_eq!(seen.text(), "(false, true, false) (true, false, false) (false, false, true)");
}

#[tokio::test]
async fn init_runs_before_each_attempt_and_fails_it_with_a_code_of_its_own() {
    let tape = Tape::default();
    let note = tape.clone();
    let function = task(WORK, async |_: String, _: TaskContext<u8>| Ok(Done(1)))
        .retry(Retry::attempts(2))
        .init(move |_| {
            note.say("init");
            ready(Err("no server".into()))
        })
        .handle_error(async |error, _| {
            assert_eq!(error.to_string(), "no server");
            Ok(OnError::Default)
        });
    let (_, record) = run(function, "done").await;
    assert_eq!((record.error_code.as_deref(), tape.text().as_str()), (Some("INIT_ERROR"), "init init"));
}

#[tokio::test]
async fn on_start_runs_in_the_first_attempt_of_a_run_and_is_ignored_where_it_fails() {
    for input in ["again", "continue"] {
        let tape = Tape::default();
        run(of_app(&tape).around(own(&tape)), input).await;
        assert_eq!(tape.text().matches("init app:on_start on_start handler").count(), 1, "{input}: {}", tape.text());
        assert_eq!(tape.text().matches("on_start").count(), 2, "{input}");
    }
    let tape = Tape::default();
    let hooks = Hooks::new().on_start(|_| async { boom() });
    let (app, record) = run(hooks.around(own(&tape)), "done").await;
    assert_eq!((record.state, tape.text().as_str()), (State::Completed, "init on_start handler cleanup"));
    assert_eq!(logged(&app, &record).await, ["the hook `on_start` of the app failed"]);
}

#[tokio::test(start_paused = true)]
async fn handle_error_runs_after_each_failed_attempt_also_after_a_panic_and_a_timeout() {
    for (input, error) in [
        ("fail", "no"),
        ("panic", "the handler panicked: boom"),
        ("sleep", "the handler took longer than its timeout of 30 s"),
    ] {
        let tape = Tape::default();
        run(of_app(&tape).around(own(&tape).retry(Retry::never())), input).await;
        let around = "init app:on_start on_start handler";
        let after = format!("app:handle_error({error}) handle_error({error}) app:cleanup cleanup");
        assert!(tape.text().starts_with(&format!("{around} {after}")), "{input}: {}", tape.text());
    }
}

#[tokio::test]
async fn handle_error_of_the_task_gets_the_error_as_the_apps_leaves_it_and_has_the_last_word() {
    let replaced = || Hooks::new().handle_error(async |_, _| Ok(OnError::Replace(TaskError::terminal("other"))));
    let tape = Tape::default();
    let (_, record) = run(replaced().around(own(&tape)), "again").await;
    assert!(tape.text().contains("handle_error(other)"), "{}", tape.text());
    assert_eq!((record.error_message.as_deref(), record.attempt), (Some("other"), 1));

    let again = own(&Tape::default()).handle_error(async |_, _| Ok(OnError::retry_at(minutes(1))));
    let (_, record) = run(replaced().around(again), "again").await;
    assert_eq!((record.state, record.attempt), (State::Completed, 2));
}

#[tokio::test]
async fn handle_error_that_fails_keeps_no_other_from_running_and_is_told_with_the_first_error() {
    let tape = Tape::default();
    let hooks = Hooks::new().handle_error(async |_, _| boom());
    let (_, record) = run(hooks.around(own(&tape)), "fail").await;
    assert!(tape.text().ends_with("handle_error(no) cleanup"), "{}", tape.text());
    assert_eq!(record.error_code.as_deref(), Some("HANDLE_ERROR_ERROR"));
    assert_eq!(record.error_message.as_deref(), Some("`handle_error` failed: it panicked: boom (after: no)"));
}

#[tokio::test]
async fn cleanup_runs_after_each_attempt_that_returned_and_fails_it() {
    let tape = Tape::default();
    run(of_app(&tape).around(own(&tape)), "again").await;
    assert_eq!(tape.text().matches("app:cleanup cleanup").count(), 2, "{}", tape.text());

    let tape = Tape::default();
    let hooks = Hooks::new().cleanup(async |_| Err("no space".into()));
    let (_, record) = run(hooks.around(own(&tape).retry(Retry::never())), "done").await;
    assert_eq!(
        (record.error_code.as_deref(), record.error_message.as_deref()),
        (Some("CLEANUP_ERROR"), Some("no space"))
    );
    assert!(tape.text().ends_with("handler cleanup"), "{}", tape.text());
}

#[tokio::test]
async fn hooks_of_the_end_follow_in_their_order_the_apps_first() {
    for (input, ends) in [
        ("done", "app:on_success(7) on_success(7) app:on_complete(completed) on_complete(completed)"),
        ("fail", "app:on_failure(NO_WAY) on_failure(NO_WAY) app:on_complete(failed) on_complete(failed)"),
        ("abort", "app:on_abort on_abort app:on_complete(aborted) on_complete(aborted)"),
        (
            "for ever",
            "app:on_max_iterations on_max_iterations app:on_failure(MAX_ITERATIONS) on_failure(MAX_ITERATIONS) \
             app:on_complete(failed) on_complete(failed)",
        ),
    ] {
        let tape = Tape::default();
        run(of_app(&tape).around(with_ends(own(&tape), &tape)), input).await;
        assert!(tape.text().ends_with(&format!("app:cleanup cleanup {ends}")), "{input}: {}", tape.text());
    }
}

#[tokio::test(start_paused = true)]
async fn hook_of_the_end_that_fails_panics_or_takes_too_long_is_logged_and_the_next_runs() {
    let tape = Tape::default();
    let hooks = Hooks::new().on_failure(async |_, _| boom()).on_complete(|_, _| std::future::pending());
    let function = with_ends(own(&tape).timeout(minutes(20)).max_timeout(minutes(20)), &tape)
        .on_failure(async |_, _| Err("no mail".into()));
    let begun = tokio::time::Instant::now();
    let (app, record) = run(hooks.around(function), "fail").await;
    assert!(tape.text().ends_with("cleanup on_complete(failed)"), "{}", tape.text());
    assert_eq!(begun.elapsed().as_secs(), 60, "a minute each, however long an attempt may take");
    assert_eq!(
        logged(&app, &record).await,
        [
            "the hook `on_failure` of the app failed",
            "the hook `on_failure` failed",
            "the hook `on_complete` of the app failed"
        ]
    );
}

#[tokio::test]
async fn hooks_of_an_app_alone_follow_the_end_of_a_task_without_any_also_where_a_client_aborts_it() {
    let tape = Tape::default();
    let app = TestApp::new().with(of_app(&tape).around(task(WORK, async |_: String, _: TaskContext| Ok(1))));
    let id = app.run(WORK, String::new()).after(hours(1)).await.unwrap().id();
    app.abort(id, "enough").await.unwrap();
    app.run_until_idle().await;
    assert_eq!(tape.text(), "app:on_abort app:on_complete(aborted)");
}

#[tokio::test]
async fn hooks_within_hooks_run_after_those_around_them() {
    let (tape, handler) = (Tape::default(), Tape::default());
    let hooks = |name: &'static str| {
        let note = tape.clone();
        Hooks::new().middleware(tape.layer(name)).on_complete(move |_, _| note.note(format!("{name}:on_complete")))
    };
    run(hooks("outer").around(hooks("inner").around(own(&handler))), "done").await;
    assert_eq!(tape.text(), "outer( inner( )inner )outer outer:on_complete inner:on_complete");
}

#[tokio::test]
async fn handlers_of_events_have_no_hooks_of_the_app() {
    const JOINED: EventRef<u32> = EventRef::new("joined");
    let tape = Tape::default();
    let note = tape.clone();
    let handlers = on(JOINED, move |_: u32, _: EventContext| note.note("heard"));
    let app = TestApp::new().with(of_app(&tape).around(handlers));
    app.publish(JOINED, 1).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(tape.text(), "heard");
}

#[tokio::test]
async fn what_hooks_of_the_app_start_is_not_mistaken_for_what_the_tasks_own_start() {
    const CHILD: TaskRef<String> = TaskRef::new("child");
    async fn start(cx: HookContext, what: &str) -> Result<(), TaskError> {
        cx.run(CHILD, what.to_owned()).await?;
        Ok(())
    }
    let layer = |next: Next, cx: HookContext| async move {
        start(cx, "same").await?;
        next.run().await
    };
    let hooks = Hooks::new().middleware(layer).middleware(layer).on_complete(|_, cx| start(cx, "same"));
    let function =
        task(WORK, async |_: String, _: TaskContext| Ok(1)).middleware(layer).on_complete(|_, cx| start(cx, "same"));
    let app = TestApp::new().with(hooks.around(function)).with(task(CHILD, async |_, _: TaskContext| Ok(())));
    app.run(WORK, String::new()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.runs_of(CHILD).len(), 5);
}
