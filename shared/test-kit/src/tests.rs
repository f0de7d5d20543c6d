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
    CONDUCTOR, DeferredMessage, DeliveryPhase, DeliveryRecord, Effect, ExecutionEnded, Id, Invocation, Json, Machine,
    Message, RecordKey, RunMessage, RunRecord, Start, WaitLoopCall, hash128,
};
use dacapo_local::sqlite::Ending;
use jiff::Timestamp;

use super::*;

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

/// A run of a task that an execution of a foreign name calls, as `start-execution` makes one, and that execution's end
/// as the service tells it.
async fn started_by_hand(app: &TestApp, execution: &str) -> (Id, ExecutionEnded) {
    let start = Start {
        task: COUNT.name().to_owned(),
        body: Json::of(&0).unwrap(),
        execution: execution.to_owned(),
        started: app.now(),
    };
    let ended = ExecutionEnded {
        execution: execution.to_owned(),
        status: "ABORTED".to_owned(),
        error: None,
        cause: None,
        started: Some(start.started),
    };
    let conductor = Conductor::new(ports(app).clone(), None);
    conductor.invoke(Json::of(&Invocation::Start(start)).unwrap()).await.unwrap();
    (app.run_of(COUNT).id, ended)
}

/// A task that counts and goes on an hour later, ten times.
fn hourly(calls: &Calls) -> impl Function + use<> {
    let calls = calls.clone();
    task(COUNT, move |n: u32, _: TaskContext| {
        calls.next();
        async move { Ok(if n < 10 { Continue::after(hours(1), n + 1) } else { Done(n) }) }
    })
}

#[tokio::test]
async fn execution_that_was_started_by_hand_and_ends_from_outside_ends_its_run() -> Tested {
    for (status, error, state, calls_made) in [
        ("ABORTED", None, State::Aborted, 0),
        ("FAILED", Some("States.DataLimitExceeded"), State::Failed, 0),
        ("FAILED", Some("States.Runtime"), State::Completed, 11),
    ] {
        let calls = Calls::default();
        let app = TestApp::new().with(hourly(&calls));
        let (id, ended) = started_by_hand(&app, "6b1a3a5e-0000-4000-8000-000000000000").await;
        let ended = ExecutionEnded { status: status.to_owned(), error: error.map(str::to_owned), ..ended };
        Conductor::new(ports(&app).clone(), None).deliver(&Message::ExecutionEnded(ended).to_text()).await?;
        let at_once = app.client().state(id).await?.state;
        assert!(at_once == state || state == State::Completed, "{status} {error:?}: {at_once}");
        app.advance(days(3)).await;
        assert_eq!((app.client().state(id).await?.state, calls.so_far()), (state, calls_made), "{status} {error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn run_whose_execution_was_stopped_is_aborted_though_the_event_was_lost() -> Tested {
    let calls = Calls::default();
    let app = TestApp::new().with(hourly(&calls));
    let name = "6b1a3a5e-0000-4000-8000-000000000000";
    let (by_hand, _) = started_by_hand(&app, name).await;
    let record = load::<RunRecord>(ports(&app), &RunRecord::key_of(by_hand)).await?.ok_or("no run")?.record;
    let (call, until) = (WaitLoopCall::first(&record, app.now()), app.now() + minutes(1));
    ports(&app).outbox.post(&Effect::StartWaitLoop { execution: name.to_owned(), call, until }).await?;
    let waiting = app.run(COUNT, 0).await?.id();
    app.advance(minutes(90)).await;
    assert_eq!((app.client().state(waiting).await?.state, calls.so_far()), (State::Waiting, 4));

    for execution in [name.to_owned(), format!("{waiting}-1")] {
        app.database.end_execution(&execution, Ending::Aborted { cause: "by hand".to_owned() }).await?;
        let [event] = &app.database.receive(CONDUCTOR, 10).await?[..] else { panic!("an event") };
        app.database.acknowledge(event.receipt).await?;
    }
    app.advance(days(3)).await;
    for id in [by_hand, waiting] {
        assert_eq!(app.client().state(id).await?.state, State::Aborted);
    }
    assert_eq!(calls.so_far(), 4);
    Ok(())
}

#[tokio::test]
async fn event_that_fails_is_delivered_again_six_minutes_later() -> Tested {
    let calls = Calls::default();
    let counted = calls.clone();
    let app = TestApp::new().with(on(JOINED, move |_: String, _: EventContext| {
        let call = counted.next();
        async move { if call < 3 { Err(TaskError::retryable("not yet")) } else { Ok(()) } }
    }));
    app.publish(JOINED, "ada".to_owned()).await?;

    app.advance(minutes(5)).await;
    assert_eq!(calls.so_far(), 1);
    app.advance(minutes(2)).await;
    assert_eq!(calls.so_far(), 2);
    app.run_until_idle().await;
    assert_eq!(calls.so_far(), 3);
    Ok(())
}

#[tokio::test]
async fn event_starts_a_run_five_minutes_later() -> Tested {
    let app = TestApp::new()
        .with(on(JOINED, async |name: String, cx: EventContext| {
            cx.run(GREET, name).after(minutes(5)).await?;
            Ok(())
        }))
        .with(task(GREET, greet));
    app.publish(JOINED, "Ada".to_owned()).await?;

    app.advance(minutes(4)).await;
    assert_eq!(app.run_of(GREET).state, State::Scheduled);
    app.run_until_idle().await;
    let run = app.run_of(GREET);
    assert_eq!((run.state, run.trigger), (State::Completed, Trigger::Event));
    Ok(())
}

#[tokio::test]
async fn event_due_in_a_day_is_deferred_until_then() -> Tested {
    let calls = Calls::default();
    let app = TestApp::new().with(counting(&calls));
    app.publish(JOINED, "ada".to_owned()).after(days(1)).await?;
    app.advance(hours(23)).await;
    assert_eq!(calls.so_far(), 0);
    app.advance(hours(1)).await;
    assert_eq!(calls.so_far(), 1);
    Ok(())
}

#[tokio::test]
async fn deferred_event_is_handled_although_its_schedule_could_not_send() -> Tested {
    let calls = Calls::default();
    let app = TestApp::new().with(counting(&calls));
    let id = app.publish(JOINED, "ada".to_owned()).after(days(1)).await?.id;
    let event = format!("{id}/{}", JOINED.name());
    let timer = format!("event-{:032x}", hash128(&event));
    ports(&app).outbox.post(&Effect::CancelTimer { timer }).await?;
    app.advance(days(1)).await;
    assert_eq!(calls.so_far(), 0);

    let (function, text) = (CONDUCTOR.to_owned(), Message::Deferred(DeferredMessage { event }).to_text());
    ports(&app).outbox.post(&Effect::DeadLetter { function, text }).await?;
    app.advance(Duration::ZERO).await;

    assert_eq!(calls.so_far(), 1);
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

/// A run of each kind, with everything going wrong; what it ends as, and when.
async fn storm(seed: u64, faults: Faults) -> Vec<String> {
    const RUNS: u32 = 20;
    let handled = Calls::default();
    let counted = handled.clone();
    let app = TestApp::with_these_faults(seed, faults)
        .with(task(COUNT, async |n: u32, _: TaskContext| {
            Ok(if n % 4 < 3 { Continue::after(minutes(u64::from(n)), n + 1) } else { Done(n) })
        }))
        .with(on(JOINED, move |_: String, cx: EventContext| {
            counted.next();
            async move {
                cx.run(GREET, "Ada".to_owned()).after(minutes(20)).await?;
                Ok(())
            }
        }))
        .with(task(GREET, greet).retry(Retry::attempts(100)));
    for n in 0..RUNS {
        app.run(COUNT, n).after(seconds(u64::from(n + 1))).await.unwrap();
    }
    app.publish(JOINED, "ada".to_owned()).await.unwrap();
    app.run_until_idle().await;

    let counts = app.runs_of(COUNT);
    assert_eq!(counts.len(), RUNS as usize);
    assert!(counts.iter().all(|run| run.state.is_final()), "seed {seed}: a run is stuck");
    assert!(handled.so_far() >= 1, "seed {seed}: an event is lost");
    let greetings = app.runs_of(GREET);
    assert_eq!(greetings.iter().map(|run| run.state).collect::<Vec<_>>(), [State::Completed], "seed {seed}");
    counts.iter().chain(&greetings).map(|run| format!("{} {} {:?}", run.id, run.state, run.completed_at)).collect()
}

#[tokio::test(start_paused = true)]
async fn runs_end_and_no_event_is_lost_whatever_goes_wrong() {
    for seed in 0..20 {
        for effects_apart in [true, false] {
            storm(seed, Faults { effects_apart, ..Faults::default() }).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn seed_gives_the_same_result_each_time() {
    assert_eq!(storm(7, Faults::default()).await, storm(7, Faults::default()).await);
    assert_ne!(storm(7, Faults::default()).await, storm(8, Faults::default()).await);
}

#[tokio::test(start_paused = true)]
async fn fire_is_not_late_because_the_store_is_throttled() {
    let throttled = Faults { throttle: 0.6, ..Faults::none() };
    let greet = task(GREET, async |name: String, _: TaskContext| Ok(name)).schedule(cron("0 * * * ? *"), "Ada".into());
    let app = TestApp::with_these_faults(7, throttled).with(greet);
    app.advance(hours(5)).await;
    let runs = app.runs_of(GREET);
    assert_eq!(runs.len(), 5);
    for run in runs {
        assert_eq!(run.scheduled_at, Some(run.created_at), "{run:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn delivery_keeps_its_authors_error_while_the_store_is_throttled() {
    for seed in 0..5 {
        let throttled = Faults { throttle: 0.6, ..Faults::none() };
        let refuse = on(JOINED, async |_: String, _: EventContext| -> Result<(), TaskError> {
            Err(TaskError::from("no such user").code("NO_USER"))
        });
        let app = TestApp::with_these_faults(seed, throttled).with(refuse.retry(Retry::attempts(3)));
        let event = app.publish(JOINED, "ada".to_owned()).await.unwrap();
        app.run_until_idle().await;
        let key = RecordKey::new(DeliveryRecord::KIND, format!("{}/events-1/{}", event.id, JOINED.name()));
        let delivery = load::<DeliveryRecord>(ports(&app), &key).await.unwrap().unwrap().record;
        assert_eq!(delivery.phase, DeliveryPhase::Dropped, "seed {seed}");
        assert_eq!(delivery.attempt, 3, "seed {seed}");
        assert_eq!(delivery.last_error().unwrap().code, "NO_USER", "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn app_is_idle_once_its_runs_have_ended_though_a_crash_left_an_idempotency_key_behind() {
    for seed in 0..20 {
        let faults = Faults { crash: 0.1, ..Faults::none() };
        let app = TestApp::with_these_faults(seed, faults).with(task(GREET, greet).retry(Retry::attempts(100)));
        app.run(GREET, "Ada".to_owned()).key("ada").key_for(days(500)).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(app.run_of(GREET).state, State::Completed, "seed {seed}");
        assert!(app.now() < at("00:00:00") + days(1), "seed {seed}: {}", app.now());
    }
}
