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

/// A task with a limit or without, of which each run takes a minute in three iterations.
fn slowly(limited: impl Fn(Task<u32, String>) -> Task<u32, String>) -> [dacapo::Definition; 1] {
    let waits = async |n: u32, cx: TaskContext| {
        Ok::<Outcome<u32, String>, TaskError>(if cx.iteration() < 3 {
            Continue::after(seconds(30), n)
        } else {
            Done(n.to_string())
        })
    };
    [dacapo::Definition::of(limited(task(PRINT, waits)))]
}

#[tokio::test]
async fn limit_that_a_deploy_raises_lowers_or_takes_away_holds_from_each_attempt_after_it() {
    let hourly = |starts: u32| move |task: Task<u32, String>| task.rate_limit(starts, per(hours(1)));
    let started = async |after: [dacapo::Definition; 1], before: u32| {
        let app = TestApp::new().redeployed(slowly(hourly(before)));
        for n in 0..4 {
            app.run(PRINT, n).await.unwrap();
        }
        app.advance(minutes(2)).await;
        let app = app.redeployed(after);
        for n in 4..8 {
            app.run(PRINT, n).await.unwrap();
        }
        app.advance(minutes(118)).await;
        starts(&app).len()
    };
    assert_eq!(started(slowly(hourly(1)), 1).await, 3, "at 0, 1 and 2 hours");
    assert_eq!(started(slowly(hourly(100)), 1).await, 8, "raised");
    assert_eq!(started(slowly(|task| task), 1).await, 8, "taken away");
    assert_eq!(started(slowly(hourly(1)), 100).await, 4 + 1, "lowered: an hour after the last iteration of the others");
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

#[tokio::test]
async fn run_with_a_ttl_starts_when_it_is_due_and_expires_where_nothing_takes_it_so_long_after() {
    let app = TestApp::new().with(task(PRINT, async |n: u32, _: TaskContext| Ok(n.to_string())));
    let start = async || app.run(PRINT, 1).after(hours(1)).ttl(seconds(30)).await.unwrap().id();
    let in_time = start().await;
    app.advance(hours(1)).await;
    let too_late = start().await;
    app.set_clock(app.now() + hours(1) + seconds(31)); // Nothing takes it meanwhile.
    app.run_until_idle().await;
    let state = async |id| app.client().state(id).await.unwrap().state;
    assert_eq!((state(in_time).await, state(too_late).await), (State::Completed, State::Expired));
}

#[tokio::test]
async fn chain_of_runs_ends_at_100_hops_and_one_that_waits_in_between_is_counted_anew() {
    for (pause, runs, state) in [(seconds(1), 101, State::Failed), (minutes(16), 150, State::Completed)] {
        let next = move |n: u32, cx: TaskContext| async move {
            if n < 150 {
                cx.run(PRINT, n + 1).after(pause).await?;
            }
            Ok(n.to_string())
        };
        let app = TestApp::new().with(task(PRINT, next).history(days(100)));
        app.run(PRINT, 1).await.unwrap();
        app.run_until_idle().await;
        let all = app.runs_of(PRINT);
        let last = all.iter().max_by_key(|run| run.created_at).unwrap();
        assert_eq!((all.len(), last.state), (runs, state), "{:?}", last.error_message);
    }
}

#[tokio::test]
async fn run_that_is_moved_starts_at_its_new_time_and_not_at_its_old_one() {
    for (before, moved) in [(minutes(5), hours(2)), (hours(2), minutes(5)), (hours(2), hours(3))] {
        let app = TestApp::new().with(task(PRINT, async |n: u32, _: TaskContext| Ok(n.to_string())));
        let (begun, id) = (app.now(), app.run(PRINT, 1).after(before).await.unwrap().id());
        assert_eq!(app.client().reschedule(id, moved).await.unwrap().due_at, begun + moved);
        app.run_until_idle().await;
        assert_eq!(starts(&app), [begun + moved]);
    }
}

#[tokio::test]
async fn run_is_waited_for_by_its_id_its_log_is_read_on_and_its_replay_has_it_as_parent() {
    let app = TestApp::new().with(task(PRINT, async |n: u32, cx: TaskContext| {
        for line in ["first", "second"] {
            cx.log_info(line, ()).await?;
        }
        Ok(n.to_string())
    }));
    let id = app.run(PRINT, 1).await.unwrap().id();
    app.run_until_idle().await;
    let client = app.client();
    assert_eq!(client.wait_for(id).await.unwrap().state, State::Completed);
    let logs = client.logs(id).await.unwrap();
    let later = client.logs_after(id, Some(&logs[0].sort())).await.unwrap();
    assert_eq!((logs.len(), later.len(), later[0].message.as_str()), (2, 1, "second"));
    for (body, expected) in [(None, "1"), (Some(Json::of(&2).unwrap()), "2")] {
        let replay = client.replay(id, body).await.unwrap().id();
        app.run_until_idle().await;
        let replay = client.state(replay).await.unwrap();
        assert_eq!((replay.parent_id, replay.body.unwrap().text()), (Some(id), expected));
    }
}

#[tokio::test]
async fn result_of_65_536_bytes_is_kept_and_who_waits_for_a_larger_one_is_told_its_code() {
    let app = TestApp::new().with(task(PRINT, async |bytes: u32, _: TaskContext| Ok("x".repeat(bytes as usize - 2))));
    for (bytes, code) in [(65_536, None), (65_537, Some("RESULT_TOO_LARGE"))] {
        let started = app.run(PRINT, bytes).await.unwrap();
        app.run_until_idle().await;
        let run = app.state(started.id()).await.unwrap();
        assert_eq!((run.state, run.result.is_some()), (State::Completed, code.is_none()));
        let waited = app.wait(PRINT, &started).await.map_err(|error| format!("{error:?}"));
        assert!(waited.as_ref().err().is_some_and(|error| error.contains(code.unwrap_or("none"))) == code.is_some());
    }
}
