//! Promises of the guide that stand for themselves: fires of a schedule that is paused or overlaps, an attempt that asks
//! for more time, and an event at several handlers, at none, and given up.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::sync::{Arc, Mutex};

use dacapo::{DeliveryFilter, DeliveryState, EventHandler, ListFilter, State, prelude::*};
use dacapo_domain::SkipReason;
use dacapo_test_kit::TestApp;

const REPORT: TaskRef<u32> = TaskRef::new("report");
const PAID: EventRef<String> = EventRef::new("order.paid");

/// Notes of handlers, in order.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, note: impl Into<String>) {
        self.0.lock().unwrap().push(note.into());
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A handler that notes its name, the event's time and delay, and fails so often.
fn noting(name: &'static str, fails: u32, notes: &Notes) -> EventHandler {
    let notes = notes.clone();
    on(PAID, move |_: String, cx: EventContext| {
        notes.add(format!("{name} {} {:?}", cx.time(), cx.delay()));
        async move { if cx.attempt() <= fails { Err(TaskError::retryable("no")) } else { Ok(()) } }
    })
}

async fn reasons(app: &TestApp) -> Vec<SkipReason> {
    let [schedule] = &app.schedules().list().await.unwrap()[..] else { panic!("one schedule") };
    schedule.skipped.iter().map(|skipped| skipped.reason).collect()
}

#[tokio::test]
async fn fire_of_a_paused_schedule_makes_no_run_and_is_kept_and_after_a_resume_none_is_made_up_for() {
    let app = TestApp::new().with(task(REPORT, async |_: u32, _: TaskContext| Ok(())).schedule(cron("0 6 * * ? *"), 1));
    app.advance(days(1)).await;
    let name = app.schedules().list().await.unwrap()[0].name.clone();
    app.schedules().pause(&name).await.unwrap();
    app.advance(days(2)).await;
    assert_eq!((app.runs_of(REPORT).len(), reasons(&app).await), (1, vec![SkipReason::Paused; 2]));
    app.schedules().resume(&name).await.unwrap();
    app.advance(days(1)).await;
    assert_eq!((app.runs_of(REPORT).len(), reasons(&app).await.len()), (2, 2));
}

#[tokio::test]
async fn fire_while_a_run_of_its_schedule_is_unfinished_makes_none_where_the_schedule_skips_and_is_kept() {
    for (schedule, runs, skipped) in
        [(every("1 hour"), 4, vec![]), (every("1 hour").skip_while_running(), 2, vec![SkipReason::Overlap; 2])]
    {
        let waits = async |n: u32, _: TaskContext| {
            Ok::<Outcome<u32, ()>, TaskError>(if n == 0 { Continue::after(minutes(150), 1) } else { Done(()) })
        };
        let app = TestApp::new().with(task(REPORT, waits).schedule(schedule, 0));
        app.advance(minutes(185)).await;
        assert_eq!((app.runs_of(REPORT).len(), reasons(&app).await), (runs, skipped));
    }
}

#[tokio::test(start_paused = true)]
async fn attempt_that_asks_for_more_time_has_it_from_its_start_and_beyond_max_timeout_is_refused() {
    let works = async |_: u32, cx: TaskContext| {
        let refused = cx.set_timeout(seconds(61)).await.unwrap_err().to_string();
        tokio::time::sleep(seconds(5)).await;
        cx.set_timeout(seconds(60)).await?;
        assert!(cx.remaining() <= seconds(55) && cx.remaining() > seconds(54));
        tokio::time::sleep(seconds(50)).await;
        Err::<(), _>(TaskError::terminal(refused))
    };
    let app = TestApp::new().with(task(REPORT, works).timeout(seconds(10)).max_timeout(seconds(60)));
    app.run(REPORT, 1).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(REPORT);
    assert_eq!((run.state, run.error_code.as_deref()), (State::Failed, Some("ERROR")), "{:?}", run.error_message);
    let message = run.error_message.unwrap();
    assert!(message.contains("61s") && message.contains("60s"), "{message}");
}

#[tokio::test]
async fn handlers_of_one_event_run_in_their_order_with_the_same_time_and_delay_whatever_becomes_of_those_before() {
    let notes = Notes::default();
    let app = TestApp::new().with([noting("c", 9, &notes), noting("a", 0, &notes), noting("b", 9, &notes)]);
    app.publish(PAID, "x".into()).after(minutes(5)).await.unwrap();
    app.advance(minutes(6)).await;
    let noted = notes.taken();
    let told: Vec<&str> = noted.iter().map(|note| note.split_once(' ').unwrap().1).collect();
    assert_eq!(noted.iter().map(|note| &note[..1]).collect::<Vec<_>>(), ["c", "a", "b"]);
    assert!(told.iter().all(|note| *note == told[0]) && told[0].ends_with("300s"), "{noted:?}");
}

#[tokio::test]
async fn event_reaches_each_function_and_one_that_fails_repeats_no_other() {
    let (first, second) = (Notes::default(), Notes::default());
    let app = TestApp::new().with(noting("a", 2, &first)).with(noting("b", 0, &second));
    assert_eq!(app.publish(PAID, "x".into()).await.unwrap().subscribers, 2);
    app.run_until_idle().await;
    assert_eq!((first.taken().len(), second.taken().len()), (3, 1));
}

#[tokio::test]
async fn event_without_a_subscriber_is_no_error_and_leaves_nothing() {
    let app = TestApp::new();
    assert_eq!(app.publish(PAID, "x".into()).await.unwrap().subscribers, 0);
    app.publish(PAID, "x".into()).after(days(1)).await.unwrap();
    app.advance(days(2)).await;
    let deliveries = app.client().deliveries().list(DeliveryFilter::default()).await.unwrap();
    let runs = app.list(ListFilter::default()).await.unwrap();
    assert!(deliveries.deliveries.is_empty() && runs.runs.is_empty());
}

#[tokio::test(start_paused = true)]
async fn handler_of_an_event_that_takes_too_long_is_stopped_and_tried_again_after_six_minutes() {
    let notes = Notes::default();
    let noted = notes.clone();
    let app = TestApp::new().with(on(PAID, move |_: String, cx: EventContext| {
        noted.add(cx.attempt().to_string());
        async move {
            if cx.attempt() == 1 {
                tokio::time::sleep(seconds(6)).await;
            }
            Ok(())
        }
    }));
    app.publish(PAID, "x".into()).await.unwrap();
    app.advance(minutes(5)).await;
    let listed = app.client().deliveries().list(DeliveryFilter::default()).await.unwrap().deliveries;
    assert_eq!((notes.taken(), listed[0].error_code.as_deref()), (vec!["1".to_owned()], Some("TIMEOUT")));
    app.advance(minutes(2)).await;
    assert_eq!(notes.taken(), ["2"]);
}

#[tokio::test]
async fn delivery_that_always_fails_is_tried_every_six_minutes_for_14_days_then_kept_as_dropped_for_14() {
    let notes = Notes::default();
    let app = TestApp::new().with(noting("a", u32::MAX, &notes));
    app.publish(PAID, "x".into()).await.unwrap();
    let dropped = || DeliveryFilter { state: Some(DeliveryState::Dropped), ..DeliveryFilter::default() };
    let list = async || app.client().deliveries().list(dropped()).await.unwrap().deliveries.len();
    app.advance(days(14) - minutes(1)).await;
    assert_eq!((notes.taken().len(), list().await), (14 * 240, 0));
    app.advance(minutes(2)).await;
    assert_eq!((notes.taken().len(), list().await), (1, 1));
    app.advance(days(14) - minutes(5)).await;
    assert_eq!((notes.taken().len(), list().await), (0, 1));
    app.advance(minutes(10)).await;
    assert_eq!(list().await, 0);
}
