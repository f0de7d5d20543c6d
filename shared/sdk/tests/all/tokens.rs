//! Runs that wait for a word from outside.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock},
};

use dacapo::{Client, Error, ErrorKind, Id, Json, RunView, State, prelude::*};
use dacapo_core::webhook::webhook;
use dacapo_domain::{RunRecord, TokenRecord, TokenText};
use dacapo_test_kit::TestApp;

const PAY: TaskRef<u64, String> = TaskRef::new("pay");

/// The texts of the tokens that handlers have mailed.
type Mails = Arc<Mutex<Vec<String>>>;

async fn pay(cents: u64, cx: TaskContext, mails: Mails) -> Result<Outcome<u64, String>, TaskError> {
    let token = cx.token("approve").timeout(days(3)).await?;
    match cx.told::<bool>("approve").await? {
        None => {
            mails.lock().unwrap().push(token.to_string());
            Ok(Continue::when_told(token, cents))
        }
        Some(Told::Value(true)) => Ok(Done(format!("{cents} are paid"))),
        Some(Told::Value(false)) => Ok(Aborted),
        Some(Told::TimedOut) => Ok(Done("nothing is paid".to_owned())),
    }
}

fn app() -> (TestApp, Mails) {
    let mails = Mails::default();
    let sent = mails.clone();
    (TestApp::new().with(task(PAY, move |cents, cx| pay(cents, cx, sent.clone()))), mails)
}

/// The state and the result of a run, read.
fn end(run: &RunView) -> (State, Option<&str>) {
    (run.state, run.result.as_ref().map(Json::text))
}

fn told(error: &Error) -> (ErrorKind, String) {
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn run_that_waits_for_a_token_goes_on_when_it_is_completed() -> Result<(), Error> {
    let (app, mails) = app();
    let id = app.run(PAY, 500).await?.id();
    app.advance(hours(30)).await;
    let run = app.run_of(PAY);
    assert_eq!((run.state, run.iteration, run.due_at), (State::Waiting, 2, app.now() + hours(42)));

    let token = mails.lock().unwrap()[0].clone();
    let completed = app.complete(token, true).await?;
    assert_eq!((completed.run, completed.token.as_str()), (id, "approve"));
    assert_eq!(app.run_of(PAY).state, State::Submitted);
    app.advance(seconds(0)).await;

    let run = app.run_of(PAY);
    assert_eq!((end(&run), run.iteration), ((State::Completed, Some("\"500 are paid\"")), 2));
    assert_eq!(mails.lock().unwrap().len(), 1);
    app.run_until_idle().await;
    assert_eq!(app.run_of(PAY).iteration, 2, "the end of the wait comes in vain");
    Ok(())
}

#[tokio::test]
async fn run_whose_token_times_out_goes_on_then_and_is_told_so() -> Result<(), Error> {
    let (app, mails) = app();
    app.run(PAY, 500).await?;
    app.run_until_idle().await;
    assert_eq!(end(&app.run_of(PAY)), (State::Completed, Some("\"nothing is paid\"")));

    let token = mails.lock().unwrap()[0].clone();
    let id = app.run_of(PAY).id;
    let expected = format!("failed to complete token \"approve\" of run {id}: its time passed at 2026-01-04T00:00:00Z");
    assert_eq!(told(&app.complete(token, true).await.unwrap_err()), (ErrorKind::Refused, expected));
    Ok(())
}

#[tokio::test]
async fn token_is_completed_once_and_a_second_completion_is_told_so() -> Result<(), Error> {
    let (app, mails) = app();
    let id = app.run(PAY, 500).await?.id();
    app.advance(seconds(10)).await;
    let token = mails.lock().unwrap()[0].clone();
    app.complete(&token, true).await?;
    let expected =
        format!("failed to complete token \"approve\" of run {id}: it was completed at 2026-01-01T00:00:10Z");
    assert_eq!(told(&app.complete(&token, false).await.unwrap_err()), (ErrorKind::Refused, expected.clone()));
    app.run_until_idle().await;
    assert_eq!(end(&app.run_of(PAY)), (State::Completed, Some("\"500 are paid\"")));
    assert_eq!(told(&app.complete(&token, false).await.unwrap_err()), (ErrorKind::Refused, expected));
    Ok(())
}

/// A handler that waits for a token which the outside completes while it still runs.
fn early(client: Arc<OnceLock<Client>>) -> impl Function {
    task(PAY, move |cents: u64, cx: TaskContext| {
        let client = client.clone();
        async move {
            let token = cx.token("approve").await?;
            if let Some(Told::Value(word)) = cx.told::<String>("approve").await? {
                return Ok::<Outcome<u64, String>, TaskError>(Done(format!("{cents}: {word}")));
            }
            client.get().unwrap().complete(&token, "yes".to_owned()).await?;
            Ok(Continue::when_told(token, cents + 1))
        }
    })
}

#[tokio::test]
async fn token_that_is_completed_before_its_run_waits_is_not_lost() -> Result<(), Error> {
    let client = Arc::new(OnceLock::new());
    let app = TestApp::new().with(early(client.clone()));
    assert!(client.set(app.client().clone()).is_ok());
    app.run(PAY, 1).await?;
    app.advance(seconds(0)).await;
    assert_eq!(end(&app.run_of(PAY)), (State::Completed, Some("\"2: yes\"")));
    Ok(())
}

#[tokio::test]
async fn token_is_the_same_on_every_attempt_and_iteration_and_another_for_each_name_and_run() -> Result<(), Error> {
    let tokens: Arc<Mutex<Vec<String>>> = Arc::default();
    let made = tokens.clone();
    let make = move |round: u64, cx: TaskContext| {
        let made = made.clone();
        async move {
            for name in ["one", "two"] {
                let token = cx.token(name).await?;
                assert_eq!((token.name(), token.until()), (name, None));
                made.lock().unwrap().push(token.to_string());
            }
            match (round, cx.attempt()) {
                (0, 1) => Err(TaskError::retryable("again")),
                (0, _) => Ok(Continue(1)),
                _ => Ok::<Outcome<u64, String>, TaskError>(Done(String::new())),
            }
        }
    };
    let app = TestApp::new().with(task(PAY, make));
    app.run(PAY, 0).await?;
    app.run(PAY, 1).await?;
    app.run_until_idle().await;
    let made = tokens.lock().unwrap().clone();
    let different: BTreeSet<&String> = made.iter().collect();
    assert_eq!((made.len(), different.len()), (8, 4), "{made:?}");
    Ok(())
}

#[tokio::test]
async fn token_without_an_end_is_waited_for_as_long_as_it_takes_and_the_app_is_idle_meanwhile() -> Result<(), Error> {
    let forever = async |cents: u64, cx: TaskContext| {
        let token = cx.token("approve").await?;
        Ok::<Outcome<u64, String>, TaskError>(match cx.told::<u64>("approve").await? {
            None => Continue::when_told(token, cents),
            told => Done(format!("{told:?}")),
        })
    };
    let app = TestApp::new().with(task(PAY, forever));
    let id = app.run(PAY, 1).await?.id();
    app.run_until_idle().await;
    app.advance(days(500)).await;
    assert_eq!(app.run_of(PAY).state, State::Waiting);
    app.complete(app.token_of(id, "approve"), 7_u64).await?;
    app.run_until_idle().await;
    assert_eq!(end(&app.run_of(PAY)), (State::Completed, Some("\"Some(Value(7))\"")));
    Ok(())
}

/// The states of a run and of its token "approve", as far as they are kept.
async fn kept(app: &TestApp, id: Id) -> (bool, bool) {
    let records = &app.client().ports().records;
    let there = async |key| records.load(&key).await.unwrap().is_some();
    (there(RunRecord::key_of(id)).await, there(TokenRecord::key_of(id, "approve")).await)
}

#[tokio::test]
async fn token_is_kept_as_long_as_its_run() -> Result<(), Error> {
    let wait = async |cents: u64, cx: TaskContext| {
        let token = cx.token("approve").await?;
        let told = cx.told::<bool>("approve").await?;
        Ok::<_, TaskError>(if told.is_some() { Done(String::new()) } else { Continue::when_told(token, cents) })
    };
    for waits in [0, 1, 4, 500] {
        let app = TestApp::new().with(task(PAY, wait).history(days(30)));
        let id = app.run(PAY, 1).await?.id();
        app.advance(seconds(10)).await;
        app.advance(days(waits)).await;
        app.complete(app.token_of(id, "approve"), true).await?;
        app.advance(seconds(10)).await;
        assert_eq!(app.run_of(PAY).state, State::Completed);
        app.advance(days(30) - minutes(1)).await;
        assert_eq!(kept(&app, id).await, (true, true), "after {waits} days");
        app.advance(days(3)).await;
        assert_eq!(kept(&app, id).await, (false, false), "after {waits} days");
    }
    Ok(())
}

#[tokio::test]
async fn value_of_a_token_is_there_for_as_long_as_its_run_goes_on() -> Result<(), Error> {
    let years = async |round: u64, cx: TaskContext| {
        let token = cx.token("approve").await?;
        let told = cx.told::<u64>("approve").await?;
        Ok::<_, TaskError>(match round {
            0 => Continue::when_told(token, 1),
            1..=4 => Continue::after(days(355), round + 1),
            _ => Done(format!("{told:?}")),
        })
    };
    let app = TestApp::new().with(task(PAY, years).history(hours(1)));
    let id = app.run(PAY, 0).await?.id();
    app.advance(days(400)).await;
    app.complete(app.token_of(id, "approve"), 7_u64).await?;
    for _ in 0..4 {
        app.advance(days(355)).await;
    }
    app.advance(minutes(10)).await;
    assert_eq!(end(&app.run_of(PAY)), (State::Completed, Some("\"Some(Value(7))\"")));
    Ok(())
}

#[tokio::test]
async fn run_that_waits_for_a_token_can_be_aborted_and_its_token_completed_no_more() -> Result<(), Error> {
    let (app, _) = app();
    let id = app.run(PAY, 500).await?.id();
    app.advance(seconds(10)).await;
    assert_eq!(app.abort(id, "enough").await?.state, State::Aborted);
    let expected = format!("failed to complete token \"approve\" of run {id}: the run is aborted");
    let error = app.complete(app.token_of(id, "approve"), true).await.unwrap_err();
    assert_eq!(told(&error), (ErrorKind::Refused, expected));
    app.run_until_idle().await;
    assert_eq!(app.run_of(PAY).state, State::Aborted);
    Ok(())
}

#[tokio::test]
async fn run_that_waits_for_a_token_and_for_time_by_turns_loses_neither() -> Result<(), Error> {
    let turns = async |round: u64, cx: TaskContext| {
        let token = cx.token(format!("round {round}")).timeout(minutes(round + 1)).await?;
        Ok::<Outcome<u64, String>, TaskError>(match round {
            0 | 2 | 5 => Continue::when_told(token, round + 1),
            1 | 3 | 4 => Continue::after(hours(1), round + 1),
            _ => Done(String::new()),
        })
    };
    let app = TestApp::new().with(task(PAY, turns));
    let begun = app.now();
    app.run(PAY, 0).await?;
    app.run_until_idle().await;
    let run = app.run_of(PAY);
    assert_eq!((run.state, run.iteration), (State::Completed, 7));
    assert_eq!(run.completed_at, Some(begun + hours(3) + minutes(1 + 3 + 6)));
    Ok(())
}

#[tokio::test]
async fn text_that_is_no_token_and_one_with_another_secret_or_run_are_refused() -> Result<(), Error> {
    let (app, _) = app();
    let first = app.run(PAY, 500).await?.id();
    let second = app.run(PAY, 500).await?.id();
    app.advance(seconds(10)).await;
    let texts = [app.token_of(first, "approve"), app.token_of(second, "approve")];
    let error = app.complete("approve", true).await.unwrap_err();
    let expected =
        "failed to read the token of 7 bytes (take its whole text as `cx.token` gave it: A-Z, a-z, 0-9, - and _)";
    assert_eq!(told(&error), (ErrorKind::Usage, expected.to_owned()));

    let [of_first, of_second] = texts.map(|text| text.parse::<TokenText>().unwrap());
    let theirs = TokenText { run: first, ..of_second.clone() };
    let unnamed = TokenText { name: "refuse".to_owned(), ..of_first };
    let nowhere = TokenText { run: Id::new(app.now(), 1), ..of_second };
    for text in [theirs, unnamed, nowhere] {
        let expected = "failed to find the token (it is of another app or stage, its text is not its own, or its run's history is over)";
        let error = app.complete(text.to_string(), true).await.unwrap_err();
        assert_eq!(told(&error), (ErrorKind::NotFound, expected.to_owned()));
    }
    assert!(app.runs_of(PAY).iter().all(|run| run.state == State::Waiting));
    Ok(())
}

#[tokio::test]
async fn value_of_a_token_may_have_1_048_576_bytes_and_no_more() -> Result<(), Error> {
    let large = async |_: u64, cx: TaskContext| {
        let token = cx.token("page").await?;
        Ok::<Outcome<u64, String>, TaskError>(match cx.told::<String>("page").await? {
            Some(Told::Value(text)) => Done(format!("{} bytes", text.len())),
            _ => Continue::when_told(token, 1),
        })
    };
    let app = TestApp::new().with(task(PAY, large));
    let id = app.run(PAY, 1).await?.id();
    app.advance(seconds(10)).await;
    let token = app.token_of(id, "page");
    let error = app.complete(&token, "x".repeat(1_048_575)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().starts_with("failed to store a token's value of 1048577 bytes"), "{error}");
    let error = app.complete(&token, f64::NAN).await.unwrap_err();
    let expected =
        "failed to serialize the value as JSON: NaN is no JSON number (allowed: finite ones, or an Option or a text)";
    assert_eq!(told(&error), (ErrorKind::Usage, expected.to_owned()));
    app.complete(&token, "x".repeat(1_048_574)).await?;
    app.run_until_idle().await;
    assert_eq!(end(&app.run_of(PAY)), (State::Completed, Some("\"1048574 bytes\"")));
    Ok(())
}

#[tokio::test]
async fn webhook_completes_a_token_once_and_says_no_more_than_its_status_means() -> Result<(), Error> {
    let (app, _) = app();
    let id = app.run(PAY, 500).await?.id();
    app.advance(seconds(10)).await;
    let token = app.token_of(id, "approve");
    let path = format!("/token/{token}");
    let ports = app.client().ports();
    let asked = async |method: &str, path: &str, body: &[u8]| {
        let answer = webhook(ports, method, path, body).await.unwrap();
        (answer.status, answer.body.text().to_owned())
    };
    let refused = |status, error: &str| (status, format!("{{\"error\":{}}}", Json::of(&error).unwrap().text()));

    let wrong = "use your head, it's no JSON";
    assert_eq!(asked("POST", &path, wrong.as_bytes()).await.0, 400);
    assert_eq!(asked("POST", &path, b"1e400").await.0, 400);
    let get = "GET completes no token (allowed: POST, with the value as the body)";
    assert_eq!(asked("GET", &path, b"").await, refused(405, get));
    let large = vec![b' '; 1_048_577];
    assert_eq!(asked("POST", &path, &large).await, refused(413, "the value has 1048577 bytes (allowed: 1048576)"));
    let text: TokenText = token.parse().unwrap();
    let secret = TokenText { secret: dacapo_domain::Secret::new(0), ..text.clone() };
    let name = TokenText { name: "refuse".to_owned(), ..text.clone() };
    let run = TokenText { run: Id::new(app.now(), 1), ..text };
    for other in
        [format!("/token/{secret}"), format!("/token/{name}"), format!("/token/{run}"), "/token/".into(), "/".into()]
    {
        assert_eq!(asked("POST", &other, b"true").await, refused(404, "there is no such token"), "{other}");
    }
    assert_eq!(app.run_of(PAY).state, State::Waiting, "nothing came of it");

    assert_eq!(asked("POST", &path, b"true").await, (200, format!("{{\"run\":\"{id}\",\"token\":\"approve\"}}")));
    let again = format!("failed to complete token \"approve\" of run {id}: it was completed at 2026-01-01T00:00:10Z");
    assert_eq!(asked("POST", &path, b"").await, refused(409, &again));
    app.run_until_idle().await;
    assert_eq!(end(&app.run_of(PAY)), (State::Completed, Some("\"500 are paid\"")));
    Ok(())
}
