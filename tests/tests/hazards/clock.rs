//! The machine's clock is put back or forward, while the engine runs and while it is down.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use dacapo::{Definition, Function, Id, Json, State, Trigger, prelude::*};
use dacapo_domain::{Message, NewRun, RunMessage, RunRecord, slot};
use dacapo_test_kit::TestApp;
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::{process, read};

const WORK: TaskRef<u32, u32> = TaskRef::new("work");
const SLOW: TaskRef<(), u32> = TaskRef::new("slow");
const TICK: TaskRef<()> = TaskRef::new("tick");
const NEWS: EventRef<u32> = EventRef::new("news");

/// The doings of the functions.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Done>>);

#[derive(Default)]
struct Done {
    /// Calls of the handler, by a run's iteration and attempt.
    calls: BTreeMap<(Id, u32, u32), u32>,
    ends: BTreeMap<Id, u32>,
    handled: BTreeMap<u32, u32>,
}

/// Fails once, waits ten minutes, then up to an hour for a token.
async fn work(n: u32, cx: TaskContext, seen: Seen) -> Result<Outcome<u32, u32>, TaskError> {
    *seen.0.lock().unwrap().calls.entry((cx.run_id(), cx.iteration(), cx.attempt())).or_default() += 1;
    Ok(match (cx.iteration(), cx.attempt()) {
        (1, 1) => return Err(TaskError::retryable("not yet")),
        (1, _) => Continue::after(minutes(10), n),
        (2, _) => Continue::when_told(cx.token("word").timeout(hours(1)).await?, n),
        _ => Done(n),
    })
}

fn functions(seen: &Seen) -> [Definition; 3] {
    let (working, ending, hearing) = (seen.clone(), seen.clone(), seen.clone());
    let work = task(WORK, move |n, cx| work(n, cx, working.clone())).on_complete(move |run, _| {
        *ending.0.lock().unwrap().ends.entry(run.id).or_default() += 1;
        async { Ok(()) }
    });
    let news = on(NEWS, move |n: u32, cx: EventContext| {
        let hearing = hearing.clone();
        async move {
            if cx.attempt() == 1 {
                return Err(TaskError::retryable("not now"));
            }
            *hearing.0.lock().unwrap().handled.entry(n).or_default() += 1;
            Ok(())
        }
    });
    let tick = task(TICK, async |(): (), _: TaskContext| Ok(())).schedule(cron("0 * * * ? *"), ());
    [Definition::of(work), Definition::of(news), Definition::of(tick)]
}

/// Lets runs and events come to all moments of their lives, puts the clock to another time, and lets all end.
async fn after_a_jump(jump: impl Fn(Timestamp) -> Timestamp, is_down: bool) -> TestApp {
    let seen = Seen::default();
    let mut app = TestApp::new().redeployed(functions(&seen));
    app.advance(hours(3) - minutes(40)).await;
    let mut runs = vec![app.run(WORK, 0).after(hours(2)).await.unwrap().id()];
    for n in 0..40 {
        runs.push(app.run(WORK, n).await.unwrap().id());
        app.publish(NEWS, n).after(seconds(1 + u64::from(n % 3) * 1_200)).await.unwrap();
        app.advance(if n == 39 { seconds(0) } else { minutes(2) }).await;
    }
    app.set_clock(jump(app.now()));
    if is_down {
        app = app.redeployed(functions(&seen));
    }
    app.run_until_idle().await;

    let done = std::mem::take(&mut *seen.0.lock().unwrap());
    for id in runs {
        let run = app.state(id).await.unwrap();
        assert_eq!(run.state, State::Completed, "{run:#?}");
        assert_eq!(done.ends.get(&id), Some(&1), "{run:#?}");
    }
    assert!(done.calls.values().all(|calls| *calls == 1), "{:?}", done.calls);
    assert_eq!((done.calls.len(), done.handled.len()), (41 * 4, 40));
    assert!(done.handled.values().all(|calls| *calls == 1), "{:?}", done.handled);
    app
}

/// The runs of the schedule, each of a fire of its own.
fn fires(app: &TestApp) -> usize {
    let ticks = app.runs_of(TICK);
    let fires: BTreeSet<_> = ticks.iter().map(|tick| tick.scheduled_at).collect();
    assert_eq!(fires.len(), ticks.len(), "{ticks:#?}");
    ticks.len()
}

fn hours_of(app: &TestApp) -> usize {
    usize::try_from((app.now().as_second() - 1_767_225_600) / 3_600).unwrap()
}

#[tokio::test]
async fn clock_that_goes_back_an_hour_loses_no_run_and_no_event_and_doubles_no_fire() {
    for is_down in [false, true] {
        let app = after_a_jump(|now| now - hours(1), is_down).await;
        assert_eq!(fires(&app), hours_of(&app));
    }
}

#[tokio::test]
async fn clock_that_goes_forward_a_day_loses_no_run_and_no_event_and_skips_the_fires_between() {
    for is_down in [false, true] {
        let app = after_a_jump(|now| now + days(1), is_down).await;
        let schedule = app.schedules().list().await.unwrap().remove(0);
        assert_eq!(fires(&app) + schedule.skipped.iter().count(), hours_of(&app), "{schedule:#?}");
        assert!((23..=24).contains(&schedule.skipped.iter().count()), "{schedule:#?}");
    }
}

/// A run that is stored by a process that dies before it is sent.
async fn lost(app: &TestApp) -> Id {
    let clock = &app.client().ports().clock;
    let new = NewRun::at(clock.new_id(), WORK.name(), app.now(), Trigger::Run);
    let decision = RunRecord::create(new, &clock.decision_context()).with(slot::BODY, Json::of(&1_u32).unwrap());
    let mut write = decision.write().unwrap();
    write.effects.clear();
    app.client().ports().records.create(&write, None).await.unwrap();
    decision.record.id
}

/// Those that were seen by the former clock hold up no sweep.
#[tokio::test]
async fn run_whose_message_is_lost_after_the_clock_went_back_is_sent_again_within_two_minutes() {
    let app = TestApp::new().redeployed(functions(&Seen::default()));
    app.advance(hours(2)).await;
    for back in [hours(0), hours(1), hours(1)] {
        app.set_clock(app.now() - back);
        let run = lost(&app).await;
        app.advance(minutes(2) + seconds(10)).await;
        let state = app.state(run).await.unwrap();
        assert_eq!((state.state, state.iteration), (State::Waiting, 2), "{back:?} back: {state:#?}");
    }
}

#[tokio::test]
async fn deploy_and_pause_after_the_clock_went_back_are_seen_by_other_processes_within_a_minute() {
    let seen = Seen::default();
    let app = TestApp::new().redeployed(functions(&seen));
    app.advance(hours(2)).await;
    let (other, quick) = (app.client().clone(), || task(SLOW, async |(): (), _: TaskContext| Ok(1)));
    let before = other.manifest().await.unwrap().functions.len();
    let app = app.redeployed(functions(&seen).into_iter().chain([Definition::of(quick())]));
    let process = process(&app, SLOW.name(), quick());
    let deliver = async || {
        let id = app.run(SLOW, ()).await.unwrap().id();
        let run: RunRecord = read(app.client().ports(), RunRecord::key_of(id)).await;
        let message = Message::Run(RunMessage::about(&run)).to_text();
        process.deliver(&message, 1, app.now() + minutes(1)).await.unwrap();
        app.state(id).await.unwrap().state
    };
    assert_eq!(deliver().await, State::Completed);

    app.set_clock(app.now() - hours(1));
    app.client().queues().pause(SLOW.name()).await.unwrap();
    app.advance(minutes(1)).await;
    assert_eq!(deliver().await, State::Created);
    assert_eq!(other.manifest().await.unwrap().functions.len(), before + 1);
}

/// A task whose first attempt goes on until it is told to end.
fn slow(called: &Arc<Notify>, ends: &Arc<Notify>, ended: &Seen) -> impl Function + use<> {
    let (called, ends, ended) = (called.clone(), ends.clone(), ended.clone());
    let slow = move |(): (), cx: TaskContext| {
        let (called, ends) = (called.clone(), ends.clone());
        async move {
            if cx.attempt() == 1 {
                called.notify_one();
                ends.notified().await;
            }
            Ok(cx.attempt())
        }
    };
    task(SLOW, slow).on_complete(move |run, _| {
        *ended.0.lock().unwrap().ends.entry(run.id).or_default() += 1;
        async { Ok(()) }
    })
}

/// The lease of an attempt is judged by the clock, its limit by the time that passes.
#[tokio::test(start_paused = true)]
async fn attempt_that_executes_while_the_clock_jumps_is_recorded_once_and_made_again_where_its_lease_has_ended() {
    for (jump, attempt) in [(-3_600, 1), (86_400, 2)] {
        let (called, ends, seen) = (Arc::default(), Arc::default(), Seen::default());
        let app = TestApp::new().with(slow(&called, &ends, &seen));
        app.advance(hours(2)).await;
        let id = app.run(SLOW, ()).await.unwrap().id();
        let process = process(&app, SLOW.name(), slow(&called, &ends, &seen));
        let run: RunRecord = read(app.client().ports(), RunRecord::key_of(id)).await;
        let message = Message::Run(RunMessage::about(&run)).to_text();
        let executes = process.deliver(&message, 1, app.now() + minutes(1));
        let meanwhile = async {
            called.notified().await;
            app.set_clock(app.now() + jiff::SignedDuration::from_secs(jump));
            app.advance(minutes(5)).await;
            ends.notify_one();
        };
        let (done, ()) = tokio::join!(executes, meanwhile);
        done.unwrap();
        app.run_until_idle().await;
        let run = app.run_of(SLOW);
        assert_eq!((run.state, run.attempt), (State::Completed, attempt), "{run:#?}");
        assert_eq!(run.result.unwrap().parse::<u32>().unwrap(), attempt);
        assert_eq!(seen.0.lock().unwrap().ends.get(&id), Some(&1));
    }
}
