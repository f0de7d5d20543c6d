//! Each service of AWS's throttles for a minute in every seven: that slows, and loses nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use dacapo::{State, prelude::*};
use dacapo_domain::until;
use dacapo_test_kit::{Faults, START, Service, TestApp, Throttling};
use dacapo_tests::histories::all_are_right;
use jiff::Timestamp;

use super::runs::history;

/// No multiple of any time that the product waits for, so that nothing meets the same minute each time.
const EVERY: Duration = Duration::from_secs(437);
const SHARES: [f64; 3] = [0.01, 0.2, 1.0];
const COUNT: TaskRef<u32, u32> = TaskRef::new("count");

fn throttled(service: Service, share: f64) -> Faults {
    let throttling = Throttling { service, share, lasts: minutes(1), every: EVERY };
    Faults { throttling: Some(throttling), ..Faults::none() }
}

/// The share of the service's calls that is refused in a history.
fn share(seed: u64) -> f64 {
    SHARES[usize::try_from(seed % 3).unwrap()]
}

#[test]
fn guarantees_hold_where_the_table_throttles() {
    all_are_right(30, async |play| history(play, throttled(Service::DynamoDb, share(play.seed))).await);
}

#[test]
fn guarantees_hold_where_queues_throttle() {
    all_are_right(30, async |play| history(play, throttled(Service::Sqs, share(play.seed))).await);
}

#[test]
fn guarantees_hold_where_the_scheduler_throttles() {
    all_are_right(30, async |play| history(play, throttled(Service::Scheduler, share(play.seed))).await);
}

#[test]
fn guarantees_hold_where_wait_loops_throttle() {
    all_are_right(30, async |play| history(play, throttled(Service::StepFunctions, share(play.seed))).await);
}

#[test]
fn guarantees_hold_where_functions_throttle() {
    all_are_right(30, async |play| history(play, throttled(Service::Lambda, share(play.seed))).await);
}

/// Starts runs of several iterations all through the minute that throttles, and gives how long the last of them took.
async fn runs_take(faults: Faults) -> Duration {
    let count = async |n: u32, _: TaskContext| {
        Ok(match n {
            0 => Done(n),
            n if n % 2 == 0 => Continue::after(seconds(20), n - 1),
            n => Continue(n - 1),
        })
    };
    let app = TestApp::with_these_faults(1, faults.clone()).with(task(COUNT, count).retry(Retry::never()));
    app.advance(EVERY).await;
    for _ in 0..20 {
        app.run(COUNT, 4).await.unwrap();
        app.advance(seconds(3)).await;
    }
    let began = app.now();
    app.run_until_idle().await;
    let runs = app.runs_of(COUNT);
    let ends: Vec<_> = runs.iter().map(|run| (run.state, run.attempt, run.iteration)).collect();
    assert_eq!(ends, [(State::Completed, 1, 5); 20], "{faults:?}");
    let last = runs.into_iter().filter_map(|run| run.completed_at).max().unwrap();
    Duration::try_from(last.duration_since(began)).unwrap()
}

/// A call that is throttled was not made, so it counts as no attempt: not even of a task that makes one alone.
#[tokio::test(start_paused = true)]
async fn run_whose_calls_are_throttled_takes_no_less_time_and_no_attempt_more() {
    let calm = runs_take(Faults::none()).await;
    for service in [Service::DynamoDb, Service::Sqs, Service::Scheduler, Service::StepFunctions, Service::Lambda] {
        for share in [0.01, 0.2] {
            let took = runs_take(throttled(service, share)).await;
            assert!(took >= calm.saturating_sub(seconds(5)), "{service:?} at {share}: {took:?}, else {calm:?}");
        }
    }
    for service in [Service::Sqs, Service::Scheduler, Service::StepFunctions] {
        runs_take(throttled(service, 1.0)).await;
    }
    let took = runs_take(throttled(Service::Lambda, 1.0)).await;
    assert!(took > calm, "{took:?}, else {calm:?}");
}

/// A record that the conductor could not repair because a service throttled is repaired a minute after that answers again.
#[tokio::test(start_paused = true)]
async fn run_whose_queue_throttled_for_half_an_hour_goes_on_within_two_minutes() {
    let throttling = Throttling { service: Service::Sqs, share: 1.0, lasts: minutes(30), every: days(1) };
    let twice = async |n: u32, cx: TaskContext| {
        if cx.attempt() == 1 { Err(TaskError::retryable("not yet")) } else { Ok(Done(n)) }
    };
    let app = TestApp::with_these_faults(1, Faults { throttling: Some(throttling), ..Faults::none() });
    let app = app.with(task(COUNT, twice));
    app.run(COUNT, 4).await.unwrap();
    app.advance(minutes(29)).await;
    assert_eq!(app.run_of(COUNT).state, State::Submitted);
    app.advance(minutes(3)).await;
    assert_eq!(app.run_of(COUNT).state, State::Completed);
}

/// A process whose reads are throttled until the lease of the hooks is over leaves them to another.
#[tokio::test(start_paused = true)]
async fn hooks_of_an_end_run_though_the_first_process_comes_to_them_too_late() {
    const EVERY: Duration = minutes(10);
    let throttling = Throttling { service: Service::DynamoDb, share: 1.0, lasts: seconds(260), every: EVERY };
    let (slow, slowest) = (1.0, Duration::from_millis(1)); // Each call takes a millisecond.
    for seed in 0..10 {
        let faults = Faults { throttling: Some(throttling), slow, slowest, ..Faults::none() };
        let completed = Arc::new(AtomicU32::new(0));
        let counts = completed.clone();
        let lasts = async |n: u32, cx: TaskContext| {
            let begun: Timestamp = START.parse().unwrap();
            tokio::time::sleep(until(cx.time(), begun + EVERY - Duration::from_millis(2))).await;
            Ok(n)
        };
        let lasts = task(COUNT, lasts).timeout(seconds(20)).max_timeout(minutes(14)).on_complete(move |_, _| {
            counts.fetch_add(1, Relaxed);
            async { Ok(()) }
        });
        let app = TestApp::with_these_faults(seed, faults).with(lasts);
        app.advance(EVERY - seconds(10)).await;
        app.run(COUNT, 4).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(app.run_of(COUNT).attempt, 1, "seed {seed}");
        assert!(completed.load(Relaxed) > 0, "seed {seed}: the hook never ran");
    }
}
