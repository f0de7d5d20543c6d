//! Promises of the guide about rates, places and times that stand for themselves.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use dacapo::{RunView, State, Timestamp, prelude::*};
use dacapo_domain::{DeliveryPhase, DeliveryRecord, EventMessage, Id, Index, Json, Machine};
use dacapo_test_kit::TestApp;

const PRINT: TaskRef<u32, String> = TaskRef::new("print");

fn starts(app: &TestApp) -> Vec<Timestamp> {
    let mut starts: Vec<Timestamp> = app.runs_of(PRINT).iter().filter_map(|run| run.started_at).collect();
    starts.sort();
    starts
}

#[tokio::test]
async fn rate_of_each_key_holds_for_it_alone() {
    const OF_CUSTOMER: TaskRef<(String, u32), String> = TaskRef::new("print");
    let print = task(OF_CUSTOMER, async |(customer, _): (String, u32), _: TaskContext| Ok(customer));
    let app =
        TestApp::new().with(print.rate_limit_per_key(1, per(minutes(1)), |(customer, _): &(String, u32)| customer));
    for n in 0..4 {
        app.run(OF_CUSTOMER, (["ada", "bob"][n % 2].to_owned(), 1)).await.unwrap();
    }
    for (passed, started) in [(1, 2), (57, 2), (5, 4)] {
        app.advance(seconds(passed)).await;
        assert_eq!(starts(&app).len(), started, "{passed} s later");
    }
}

#[tokio::test]
async fn limit_that_a_deploy_raises_or_takes_away_holds_for_those_that_wait_already() {
    let waits = async |n: u32, cx: TaskContext| {
        tokio::time::sleep(std::time::Duration::ZERO).await;
        Ok::<Outcome<u32, String>, TaskError>(if cx.iteration() < 3 {
            Continue::after(minutes(1), n)
        } else {
            Done(n.to_string())
        })
    };
    let limited = |starts: u32| task(PRINT, waits).rate_limit(starts, per(hours(1)));
    let app = TestApp::new().with(limited(1));
    for n in 0..4 {
        app.run(PRINT, n).await.unwrap();
    }
    app.advance(minutes(2)).await;
    assert_eq!(starts(&app).len(), 1);
    let app = app.redeployed([dacapo::Definition::of(limited(100))]);
    app.advance(hours(2)).await;
    assert_eq!(starts(&app).len(), 4);
    assert!(app.runs_of(PRINT).iter().all(|run| run.state == State::Completed));
}

#[tokio::test(start_paused = true)]
async fn retry_in_place_gives_up_where_the_next_try_would_come_after_the_limit_of_the_attempt() {
    let tries = async |_: u32, cx: TaskContext| {
        let mut tries = 0;
        let patient = Retry::attempts(9).min(seconds(4)).factor(1.0).jitter(false);
        let failed = cx
            .retry(patient, || {
                tries += 1;
                async { Err::<(), TaskError>("not yet".into()) }
            })
            .await;
        assert!(failed.is_err() && cx.remaining() > seconds(0));
        Ok(tries.to_string())
    };
    let app = TestApp::new().with(task(PRINT, tries).timeout(seconds(10)));
    app.run(PRINT, 0).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(PRINT).result, Some(Json::of(&"3").unwrap()), "at 0, 4 and 8 s");
}

async fn continued_at(seconds: i64) -> RunView {
    let work = move |n: u32, cx: TaskContext| async move {
        let time = cx.time() + jiff::SignedDuration::from_secs(seconds);
        Ok::<Outcome<u32, String>, TaskError>(if n == 0 { Continue::at(time, 1) } else { Done(n.to_string()) })
    };
    let app = TestApp::new().with(task(PRINT, work));
    app.run(PRINT, 0).await.unwrap();
    app.run_until_idle().await;
    app.run_of(PRINT)
}

#[tokio::test]
async fn continue_at_a_time_waits_for_it_and_goes_on_at_once_where_it_has_passed() {
    for (at, waits) in [(90, 90), (-90, 0)] {
        let run = continued_at(at).await;
        assert_eq!((run.state, run.iteration), (State::Completed, 2));
        let took = run.completed_at.unwrap().duration_since(run.started_at.unwrap());
        assert_eq!(took.as_secs(), waits, "{at}");
    }
}

#[test]
fn delivery_that_failed_has_three_places_and_others_once_it_is_over() {
    let event = EventMessage::at(Id::new(Timestamp::UNIX_EPOCH, 1), "paid", Json::default(), Timestamp::UNIX_EPOCH);
    let mut delivery = DeliveryRecord::fresh(&event);
    let places = |delivery: &DeliveryRecord| {
        let all = delivery.index().into_iter().filter(|entry| entry.index != Index::Reconcile);
        all.map(|entry| entry.partition).collect::<Vec<_>>()
    };
    assert!(places(&delivery).is_empty(), "a success at the first try");
    delivery.attempt = 2;
    let retrying = places(&delivery);
    delivery.phase = DeliveryPhase::Dropped;
    let dropped = places(&delivery);
    assert_eq!((retrying.len(), dropped.len()), (3, 3));
    assert!(retrying.iter().all(|place| !dropped.contains(place)), "each is taken off and written anew");
}
