//! Tokens, and what wakes the run that waits for one.

use std::sync::{Arc, OnceLock};

use dacapo::{Client, Error, ErrorKind, Id, Json, State, prelude::*};
use dacapo_domain::{
    DecisionContext, Input, Machine, Phase, RunRecord, Saved, Signal, Task as TaskOf, TokenInput, TokenRecord,
};
use dacapo_test_kit::TestApp;

use crate::read;

const PAY: TaskRef<u64, String> = TaskRef::new("pay");

/// An app whose task waits for its token for 300 days, and a run that waits.
async fn waiting() -> (TestApp, Id) {
    let pay = async |cents: u64, cx: TaskContext| {
        let token = cx.token("approve").timeout(days(300)).await?;
        Ok::<Outcome<u64, String>, TaskError>(match cx.told::<u32>("approve").await? {
            None => Continue::when_told(token, cents),
            Some(told) => Done(format!("{told:?}")),
        })
    };
    let app = TestApp::new().with(task(PAY, pay));
    let id = app.run(PAY, 500).await.unwrap().id();
    app.advance(seconds(1)).await;
    assert_eq!(app.run_of(PAY).state, State::Waiting);
    (app, id)
}

/// Writes what becomes of a record, by a process that dies right after it: nothing follows.
async fn write_and_die<M: Machine>(app: &TestApp, record: M, input: &M::Input, policy: M::Policy<'_>) {
    let ports = app.client().ports();
    let cx = DecisionContext { now: app.now(), random: ports.clock.random() };
    let mut write = record.decide(input, policy, &cx).write().unwrap();
    write.effects.clear();
    assert!(matches!(ports.records.save(&record.header(), &write).await.unwrap(), Saved::Done(_)));
}

/// The token is completed by a process that dies before it wakes the run.
async fn complete_and_die(app: &TestApp, run: Id) {
    let token: TokenRecord = read(app.client().ports(), TokenRecord::key_of(run, "approve")).await;
    write_and_die(app, token, &TokenInput::Completed(Json::of(&7).unwrap()), ()).await;
}

fn result(app: &TestApp) -> (State, Option<String>) {
    let run = app.run_of(PAY);
    (run.state, run.result.map(|result| result.parse().unwrap()))
}

fn completed() -> (State, Option<String>) {
    (State::Completed, Some("Value(7)".to_owned()))
}

/// Woken but unwatched.
#[tokio::test]
async fn run_that_is_woken_on_day_2_by_a_process_that_dies_before_the_send_goes_on_within_two_minutes() {
    let (app, id) = waiting().await;
    app.advance(days(2) + hours(1)).await;
    let ports = app.client().ports();
    let run: RunRecord = read(ports, RunRecord::key_of(id)).await;
    assert!(run.reconcile_at.unwrap() > app.now() + hours(12), "it is looked at once a day");

    complete_and_die(&app, id).await;
    let signal = Input::Signalled(Signal::Token { name: "approve".to_owned() });
    write_and_die(&app, run, &signal, TaskOf::Removed).await;
    assert_eq!(app.run_of(PAY).state, State::Submitted);
    app.advance(minutes(2)).await;
    assert_eq!(result(&app), completed());
}

/// Token first, and the process that completed it dies before it can say so.
#[tokio::test]
async fn token_that_is_completed_by_a_process_that_dies_before_it_wakes_the_run_is_found_by_the_conductor() {
    let (app, id) = waiting().await;
    complete_and_die(&app, id).await;
    app.advance(minutes(2)).await;
    assert_eq!(result(&app), completed(), "once the lease of its last attempt would have ended");

    let (app, id) = waiting().await;
    app.advance(days(2)).await;
    complete_and_die(&app, id).await;
    app.advance(days(1)).await;
    assert_eq!(result(&app), completed(), "within a day");
}

/// Token first, and the call is made again.
#[tokio::test]
async fn completion_that_is_tried_again_after_its_process_died_is_refused_and_wakes_the_run() {
    let (app, id) = waiting().await;
    app.advance(days(2)).await;
    complete_and_die(&app, id).await;
    let again = app.complete(app.token_of(id, "approve"), 8_u32).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Refused);
    app.advance(seconds(1)).await;
    assert_eq!(result(&app), completed());
}

/// Token first: the handler mails the token, it is completed at once, and then the run comes to wait.
#[tokio::test]
async fn token_that_is_completed_before_its_run_comes_to_wait_is_not_missed() {
    let client: Arc<OnceLock<Client>> = Arc::default();
    let outside = client.clone();
    let pay = move |cents: u64, cx: TaskContext| {
        let outside = outside.clone();
        async move {
            let token = cx.token("approve").await?;
            if let Some(told) = cx.told::<u32>("approve").await? {
                return Ok::<Outcome<u64, String>, TaskError>(Done(format!("{told:?}")));
            }
            outside.get().unwrap().complete(&token, 7_u32).await?;
            Ok(Continue::when_told(token, cents))
        }
    };
    let app = TestApp::new().with(task(PAY, pay));
    assert!(client.set(app.client().clone()).is_ok());
    app.run(PAY, 500).await.unwrap();
    app.advance(seconds(1)).await;
    assert_eq!(result(&app), completed());
}

/// Time-out and completion in the same second.
#[tokio::test]
async fn completion_in_the_second_of_the_time_out_wins_or_is_refused_and_the_run_is_told_the_same() {
    for (before, wins) in [(std::time::Duration::from_millis(1), true), (seconds(0), false)] {
        let (app, id) = waiting().await;
        let token = app.token_of(id, "approve");
        let until = read::<TokenRecord>(app.client().ports(), TokenRecord::key_of(id, "approve")).await.until.unwrap();
        app.advance(dacapo_domain::until(app.now(), until) - before - std::time::Duration::from_millis(1)).await;
        app.advance(std::time::Duration::from_millis(1)).await;
        let reply = app.complete(&token, 7_u32).await;
        assert_eq!(reply.is_ok(), wins, "{reply:?}");
        app.advance(minutes(3)).await;
        let told = if wins { "Value(7)" } else { "TimedOut" };
        assert_eq!(result(&app), (State::Completed, Some(told.to_owned())));
    }
}

/// A pause meets a wake-up.
#[tokio::test]
async fn run_that_is_paused_and_whose_token_is_completed_goes_on_once_it_is_resumed() -> Result<(), Error> {
    let (app, id) = waiting().await;
    assert_eq!(app.client().pause(id).await?.state, State::Paused);
    app.complete(app.token_of(id, "approve"), 7_u32).await?;
    app.advance(days(600)).await;
    let run: RunRecord = read(app.client().ports(), RunRecord::key_of(id)).await;
    assert_eq!((run.phase, app.run_of(PAY).state), (Phase::Queued, State::Paused));
    // The conductor comes by before its token would expire.
    let (expires_at_s, due) = (run.steps.expire_at_s, run.reconcile_at.unwrap().as_second());
    assert!(app.now().as_second() + 86_400 < due && due < expires_at_s, "{:?}", run.steps);
    assert_eq!(app.client().resume(id).await?.state, State::Submitted);
    app.advance(seconds(1)).await;
    assert_eq!(result(&app), completed());

    let (app, id) = waiting().await;
    app.client().pause(id).await?;
    complete_and_die(&app, id).await;
    app.advance(days(2)).await;
    assert_eq!(
        app.client().resume(id).await?.state,
        State::Submitted,
        "a signal that was lost meanwhile is looked for"
    );
    app.advance(minutes(2)).await;
    assert_eq!(result(&app), completed());
    Ok(())
}
