//! Executions of the wait loop: their ends, and who calls a run.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use dacapo::{Id, State, prelude::*};
use dacapo_core::{conductor::Conductor, runner::Runner};
use dacapo_domain::{
    CrashReport, Effect, ExecutionEnded, Invocation, Json, Message, RunMessage, RunRecord, Start, WaitLoopAnswer,
    WaitLoopCall, run::Invoker, until,
};
use dacapo_test_kit::TestApp;
use tokio::sync::Notify;

use crate::{process, read};

const HOURLY: TaskRef<u32, u32> = TaskRef::new("hourly");

/// An execution that was started by hand.
const BY_HAND: &str = "6b1a3a5e-0000-4000-8000-000000000000";

/// The handler's calls, by iteration and attempt.
#[derive(Clone, Default)]
struct Calls {
    made: Arc<Mutex<Vec<(u32, u32)>>>,
    dying: Arc<Notify>,
}

impl Calls {
    fn made(&self) -> Vec<(u32, u32)> {
        self.made.lock().unwrap().clone()
    }
}

/// A task that goes on four times; its process dies at the second, where it is called by hand. An execution waits for
/// whole seconds, so that each iteration is due before its execution calls.
fn hourly(calls: &Calls, dies: bool) -> impl Function + use<> {
    let calls = calls.clone();
    task(HOURLY, move |n: u32, cx: TaskContext| {
        let calls = calls.clone();
        async move {
            let call = (cx.iteration(), cx.attempt());
            calls.made.lock().unwrap().push(call);
            if dies && call == (2, 1) {
                calls.dying.notify_one();
                std::future::pending::<()>().await;
            }
            Ok(if n < 4 { Continue::after(hours(1) + Duration::from_millis(250), n + 1) } else { Done(n) })
        }
    })
}

fn conductor(app: &TestApp) -> Conductor {
    Conductor::new(app.client().ports().clone(), None)
}

async fn run_of(app: &TestApp, id: Id) -> RunRecord {
    read(app.client().ports(), RunRecord::key_of(id)).await
}

/// The conductor is told that an execution has ended, as EventBridge tells it.
async fn tell_end(app: &TestApp, execution: &str, status: &str, error: Option<&str>) {
    let ended = ExecutionEnded {
        execution: execution.to_owned(),
        status: status.to_owned(),
        error: error.map(str::to_owned),
        cause: None,
        started: Some(dacapo_test_kit::START.parse().unwrap()),
    };
    conductor(app).deliver(&Message::ExecutionEnded(ended).to_text()).await.unwrap();
}

/// Stopped is not aborted: another execution calls the run by now.
#[tokio::test]
async fn stop_of_an_execution_that_another_has_followed_aborts_nothing() {
    let calls = Calls::default();
    let app = TestApp::new().with(hourly(&calls, false));
    let id = app.run(HOURLY, 0).await.unwrap().id();
    app.advance(minutes(30)).await;
    tell_end(&app, &format!("{id}-1"), "FAILED", Some("States.Runtime")).await;
    assert_eq!(run_of(&app, id).await.invoker.generation(), 2);

    let before = run_of(&app, id).await;
    for _ in 0..2 {
        tell_end(&app, &format!("{id}-1"), "ABORTED", None).await;
    }
    assert_eq!(run_of(&app, id).await, before);
    app.advance(hours(2)).await;
    tell_end(&app, &format!("{id}-1"), "ABORTED", None).await;
    app.advance(days(1)).await;
    assert_eq!(app.run_of(HOURLY).state, State::Completed);
    assert_eq!(calls.made(), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
}

/// Stopped is not aborted: the run's queue calls it by now, since it was paused where its wait ended.
#[tokio::test]
async fn stop_of_the_execution_of_a_run_that_was_paused_and_resumed_aborts_nothing() {
    let calls = Calls::default();
    let app = TestApp::new().with(hourly(&calls, false));
    let id = app.run(HOURLY, 0).await.unwrap().id();
    app.advance(minutes(30)).await;
    app.client().pause(id).await.unwrap();
    app.advance(hours(2)).await;
    app.client().resume(id).await.unwrap();
    tell_end(&app, &format!("{id}-1"), "ABORTED", None).await;
    assert_eq!(app.run_of(HOURLY).state, State::Submitted);
    app.advance(days(1)).await;
    assert_eq!(app.run_of(HOURLY).state, State::Completed);
    assert_eq!(calls.made(), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
}

/// Stopped is not aborted: the execution of a run that has ended is stopped by whatever ended the run.
#[tokio::test]
async fn stop_of_the_execution_of_an_ended_run_changes_nothing_of_its_end() {
    let app = TestApp::new().with(hourly(&Calls::default(), false));
    let id = app.run(HOURLY, 0).await.unwrap().id();
    app.advance(minutes(30)).await;
    app.abort(id, "enough").await.unwrap();
    app.advance(days(1)).await; // The service has told of it by then.
    let before = run_of(&app, id).await;
    tell_end(&app, &format!("{id}-1"), "ABORTED", None).await;
    assert_eq!(run_of(&app, id).await, before);
    assert_eq!(app.run_of(HOURLY).message.as_deref(), Some("enough"));
}

/// A run that an execution of a foreign name calls, and that execution's first call. The execution is there, but the test
/// makes its calls in place of the engine, which waits for a year.
async fn start_by_hand(app: &TestApp) -> (Id, WaitLoopCall) {
    let (task, execution) = (HOURLY.name().to_owned(), BY_HAND.to_owned());
    let start = Start { task, body: Json::of(&0).unwrap(), execution, started: app.now() };
    let answer = conductor(app).invoke(Json::of(&Invocation::Start(start)).unwrap()).await.unwrap();
    let (execution, call, until) = (BY_HAND.to_owned(), to_wait(&answer), app.now() + days(360));
    let execution = Effect::StartWaitLoop { execution, call: call.clone(), until };
    app.client().ports().outbox.post(&execution).await.unwrap();
    (app.run_of(HOURLY).id, call)
}

/// The call that an execution makes next, where it is told to wait.
fn to_wait(answer: &Json) -> WaitLoopCall {
    match answer.parse().unwrap() {
        WaitLoopAnswer::Wait { call, .. } => call,
        other => panic!("{other:?}"),
    }
}

async fn call(app: &TestApp, process: &Runner, call: &WaitLoopCall) -> Json {
    let payload = Json::of(&Invocation::Loop(call.clone())).unwrap();
    process.invoke(payload, app.now() + minutes(5)).await.unwrap()
}

/// The answer of the state machine's catch to a call that came to nothing.
async fn tell_crash(app: &TestApp, call: &WaitLoopCall) -> Json {
    let crash = CrashReport { call: call.clone(), cause: "Runtime.ExitError".to_owned(), retries: 0 };
    conductor(app).invoke(Json::of(&Invocation::Crash(crash)).unwrap()).await.unwrap()
}

/// Two drivers: a loop's attempt dies, the conductor lets another execution take over, and then the first is heard of
/// again, in every way in which it can be.
#[tokio::test]
async fn execution_that_was_late_calls_nothing_once_another_has_taken_over_after_its_attempt_died() {
    let calls = Calls::default();
    let app = TestApp::new().with(hourly(&calls, false));
    let process = process(&app, HOURLY.name(), hourly(&calls, true));
    let (id, first) = start_by_hand(&app).await;
    let second = to_wait(&call(&app, &process, &first).await);
    app.advance(hours(1) + seconds(1)).await;
    tokio::select! {
        answer = call(&app, &process, &second) => panic!("{answer:?}"),
        () = calls.dying.notified() => {} // The process dies.
    }

    // The catch reports at once: as long as the lease is held that is no news, and the loop is told to wait.
    let before = run_of(&app, id).await;
    assert_eq!(to_wait(&tell_crash(&app, &second).await).generation, second.generation);
    assert_eq!(run_of(&app, id).await, before);
    // The loop has first claim, but is not heard of: the conductor finds the attempt dead, and leaves the next to the loop
    // as long as that executes.
    app.advance(hours(1)).await;
    assert_eq!((run_of(&app, id).await.attempt, calls.made().len()), (2, 2));
    tell_end(&app, BY_HAND, "FAILED", Some("States.Runtime")).await;
    app.advance(minutes(30)).await;
    assert_eq!(calls.made(), [(1, 1), (2, 1), (2, 2)]);
    let taken_over = run_of(&app, id).await;
    assert_eq!(taken_over.invoker.generation(), 2);

    // The third iteration is due, and its execution about to call.
    app.advance(until(app.now(), taken_over.due_at)).await;
    let due = run_of(&app, id).await;
    assert_eq!((due.iteration, app.now(), calls.made().len()), (3, due.due_at, 3));
    for answer in [tell_crash(&app, &second).await, call(&app, &process, &second).await] {
        let answer: WaitLoopAnswer = answer.parse().unwrap();
        let is_over = match &answer {
            WaitLoopAnswer::Handover { name, .. } => *name == due.execution_name(), // Which is there already.
            WaitLoopAnswer::Stop { .. } => true,
            WaitLoopAnswer::Wait { .. } => false,
        };
        assert!(is_over, "two loops live on: {answer:?}");
    }
    let message = Message::Run(RunMessage::about(&due)).to_text();
    process.deliver(&message, 1, app.now() + minutes(5)).await.unwrap();
    assert_eq!((run_of(&app, id).await, calls.made().len()), (due, 3));

    app.advance(days(1)).await;
    let run = run_of(&app, id).await;
    assert_eq!(app.run_of(HOURLY).state, State::Completed);
    assert!(matches!(run.invoker, Invoker::WaitLoop { generation: 2, .. }), "{run:#?}");
    assert_eq!(calls.made(), [(1, 1), (2, 1), (2, 2), (3, 1), (4, 1), (5, 1)]);
}
