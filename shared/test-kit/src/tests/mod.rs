//! The engine under a virtual clock, with real functions.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use dacapo::{State, Trigger, prelude::*};
use dacapo_core::{commit::load, conductor::Conductor, port::Ports};
use dacapo_domain::{
    CONDUCTOR, CrashReport, DeferredMessage, DeliveryPhase, DeliveryRecord, Effect, ExecutionEnded, Id, Invocation,
    Json, Machine, Message, RecordKey, RunMessage, RunRecord, Start, WaitLoopAnswer, WaitLoopCall, hash128,
};
use dacapo_local::sqlite::Ending;
use jiff::Timestamp;

use super::*;

mod events;
mod executions;
mod faults;
mod outside;

type Tested = Result<(), Box<dyn std::error::Error>>;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
const GREET: TaskRef<String, String> = TaskRef::new("greet");
const REPORT: TaskRef<String> = TaskRef::new("report");
const JOINED: EventRef<String> = EventRef::new("user.joined");

/// A counter that a handler and its test share.
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

/// A handler that counts its calls and is content.
fn counting(calls: &Calls) -> impl Function + use<> {
    let calls = calls.clone();
    on(JOINED, move |_: String, _: EventContext| {
        calls.next();
        async { Ok(()) }
    })
}

fn ports(app: &TestApp) -> &Ports {
    app.client().ports()
}

fn at(time: &str) -> Timestamp {
    format!("2026-01-01T{time}Z").parse().unwrap()
}

async fn greet(name: String, _: TaskContext) -> Result<String, TaskError> {
    Ok(format!("Hello, {name}"))
}

#[tokio::test]
async fn run_is_done_once_the_clock_moves() -> Tested {
    let app = TestApp::new().with(task(GREET, greet));
    let started = app.run(GREET, "Ada".to_owned()).await?;
    assert_eq!(app.run_of(GREET).state, State::Submitted);

    app.run_until_idle().await;

    let run = app.run_of(GREET);
    assert_eq!((run.id, run.state), (started.id(), State::Completed));
    assert_eq!(run.result.map(|json| json.text().to_owned()), Some("\"Hello, Ada\"".to_owned()));
    assert_eq!(app.now(), START.parse()?, "nothing had to be waited for");
    Ok(())
}

#[tokio::test]
async fn delayed_run_starts_at_its_time_by_queue_and_by_timer() -> Tested {
    for (delay, due) in [(minutes(15), at("00:15:00")), (minutes(16), at("00:16:00"))] {
        let app = TestApp::new().with(task(GREET, greet));
        app.run(GREET, "Ada".to_owned()).after(delay).await?;

        app.advance(delay - seconds(1)).await;
        assert_eq!(app.run_of(GREET).state, State::Scheduled);

        app.advance(seconds(1)).await;
        let run = app.run_of(GREET);
        assert_eq!((run.state, run.started_at), (State::Completed, Some(due)));
    }
    Ok(())
}

#[tokio::test]
async fn message_that_comes_a_millisecond_early_waits_for_its_time() -> Tested {
    for delay_ms in [2, 999, 1_000, 1_001, 899_999, 900_000, 900_001, 5_000_000] {
        let (delay, millisecond) = (Duration::from_millis(delay_ms), Duration::from_millis(1));
        let app = TestApp::new().with(task(GREET, greet));
        app.advance(250 * millisecond).await;
        let due = app.now() + delay;
        let id = app.run(GREET, "Ada".to_owned()).after(delay).await?.id();
        let run = load::<RunRecord>(ports(&app), &RunRecord::key_of(id)).await?.ok_or("no run")?.record;

        app.advance(delay - millisecond).await;
        let message = Message::Run(RunMessage::about(&run));
        ports(&app).outbox.post(&Effect::send(GREET.name(), &message)).await?;
        app.advance(Duration::ZERO).await;
        assert_eq!((app.run_of(GREET).state, app.run_of(GREET).started_at), (State::Scheduled, None));

        app.run_until_idle().await;
        let started = app.run_of(GREET).started_at.ok_or("not started")?;
        // Queues and schedules count whole seconds, rounded up.
        assert!(due <= started && started < due + seconds(1), "{delay_ms} ms: due at {due}, started at {started}");
    }
    Ok(())
}

#[tokio::test]
async fn failed_attempt_is_retried_by_the_policy() -> Tested {
    let calls = Calls::default();
    let counted = calls.clone();
    let handler = move |_: u32, _: TaskContext| {
        let call = counted.next();
        async move { if call < 3 { Err(TaskError::retryable("not yet")) } else { Ok(call) } }
    };
    let app = TestApp::new().with(task(COUNT, handler).retry(Retry::attempts(3).min(seconds(10)).jitter(false)));
    app.run(COUNT, 0).await?;

    app.advance(seconds(9)).await;
    assert_eq!((app.run_of(COUNT).state, app.run_of(COUNT).attempt, calls.so_far()), (State::Submitted, 2, 1));

    app.run_until_idle().await;
    let run = app.run_of(COUNT);
    assert_eq!((run.state, run.attempt, calls.so_far()), (State::Completed, 3, 3));
    assert_eq!(app.now(), at("00:00:30"), "10 s and then twice as many");
    Ok(())
}

#[tokio::test]
async fn run_continues_three_times_and_waits_in_between() -> Tested {
    let app = TestApp::new().with(task(COUNT, async |n: u32, _: TaskContext| {
        Ok(if n < 3 { Continue::after(hours(1), n + 1) } else { Done(n) })
    }));
    app.run(COUNT, 0).await?;

    app.advance(minutes(59)).await;
    assert_eq!((app.run_of(COUNT).state, app.run_of(COUNT).iteration), (State::Waiting, 2));

    app.run_until_idle().await;
    let run = app.run_of(COUNT);
    assert_eq!((run.state, run.iteration), (State::Completed, 4));
    assert_eq!(run.completed_at, Some(at("03:00:00")));
    Ok(())
}

#[tokio::test]
async fn run_that_waits_is_aborted_at_once() -> Tested {
    let calls = Calls::default();
    let counted = calls.clone();
    let app = TestApp::new().with(task(COUNT, move |n: u32, _: TaskContext| {
        counted.next();
        async move { Ok(if n < 1 { Continue::after(hours(1), n + 1) } else { Done(n) }) }
    }));
    let started = app.run(COUNT, 0).await?;
    app.advance(minutes(1)).await;

    app.abort(started.id(), "not wanted any more").await?;

    let run = app.run_of(COUNT);
    assert_eq!((run.state, run.message.as_deref()), (State::Aborted, Some("not wanted any more")));
    app.run_until_idle().await;
    assert_eq!((app.run_of(COUNT).state, calls.so_far()), (State::Aborted, 1));
    Ok(())
}

#[tokio::test]
async fn schedules_of_a_task_fire_each_at_its_own_times() {
    let app = TestApp::new().with(
        task(REPORT, async |_: String, _: TaskContext| Ok(()))
            .schedule(every("1 hour"), "every".to_owned())
            .schedule(cron("30 6 * * ? *"), "cron".to_owned()),
    );
    app.advance(hours(7)).await;

    let runs = app.runs_of(REPORT);
    let started: Vec<_> =
        runs.iter().filter(|run| run.body.as_ref().is_some_and(|body| body.text() == "\"every\"")).collect();
    assert_eq!(started.len(), 8, "first when it is created, then each hour");
    let cron: Vec<_> =
        runs.iter().filter(|run| run.body.as_ref().is_some_and(|body| body.text() == "\"cron\"")).collect();
    assert_eq!(cron.iter().map(|run| run.started_at).collect::<Vec<_>>(), [Some(at("06:30:00"))]);
    assert!(runs.iter().all(|run| run.state == State::Completed && run.trigger == Trigger::Schedule));
}

#[tokio::test]
async fn app_with_schedules_is_idle_between_their_fires() -> Tested {
    let app = TestApp::new()
        .with(task(GREET, greet))
        .with(task(REPORT, async |_: String, _: TaskContext| Ok(())).schedule(every("1 minute"), "now".to_owned()));
    app.run(GREET, "Ada".to_owned()).after(minutes(3)).await?;
    app.run_until_idle().await;
    assert_eq!(app.now(), at("00:03:00"));
    assert_eq!(app.runs_of(REPORT).len(), 4, "at 0, 1, 2 and 3 minutes");
    Ok(())
}

#[test]
#[should_panic(expected = "the function can't be used:\n- ")]
fn problems_of_a_function_are_said_together() {
    let _ = TestApp::new().with(task(GREET, greet).timeout(hours(1)).schedule(cron("0 6 * * *"), "Ada".to_owned()));
}

#[test]
#[should_panic(expected = "have one name on AWS")]
fn tasks_of_one_name_are_refused() {
    let _ = TestApp::new().with(task(GREET, greet)).with(task(GREET, greet));
}
