//! Tokens that a handler asks for, or about, in vain.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::sync::{Arc, Mutex};

use dacapo::{Error, State, Token, prelude::*};
use dacapo_test_kit::TestApp;

const PAY: TaskRef<u64, String> = TaskRef::new("pay");

/// The error of a run whose handler does this, after its token "approve" was completed with `true`.
async fn failure<W>(handler: impl Fn(u64, TaskContext) -> W + Send + Sync + 'static) -> String
where
    W: Future<Output = Result<Outcome<u64, String>, TaskError>> + Send + 'static,
{
    let app = TestApp::new().with(task(PAY, handler));
    let id = app.run(PAY, 1).await.unwrap().id();
    app.advance(seconds(10)).await;
    if app.run_of(PAY).state == State::Waiting {
        app.complete(app.token_of(id, "approve"), true).await.unwrap();
        app.run_until_idle().await;
    }
    let run = app.run_of(PAY);
    assert_eq!((run.state, run.attempt), (State::Failed, 1), "not tried again");
    run.error_message.unwrap().replace(&id.to_string(), "ID")
}

#[tokio::test]
async fn handler_that_asks_for_what_can_t_be_is_told_so() {
    let made = failure(async |_, cx| {
        cx.told::<bool>("approve").await?;
        Ok(Aborted)
    });
    let hint = "it has made none of this name (make it first: `cx.token(\"approve\").await?`)";
    assert_eq!(made.await, format!("failed to find token \"approve\" of run ID: {hint}"));

    let read = failure(async |_, cx| {
        let token = cx.token("approve").await?;
        match cx.told::<u32>("approve").await? {
            None => Ok(Continue::when_told(token, 1)),
            told => Ok(Done(format!("{told:?}"))),
        }
    });
    let cause = "invalid type: boolean `true`, expected u32 at line 1 column 4";
    assert_eq!(read.await, format!("the value of token \"approve\" is no u32: at .: {cause}"));

    let named = failure(async |_, cx| {
        cx.token("é".repeat(257)).await?;
        Ok(Aborted)
    });
    let name = named.await;
    assert!(
        name.starts_with("failed to make a token: token name")
            && name.ends_with("has 257 characters (allowed: 1 to 256)"),
        "{name}"
    );

    let timed = failure(async |_, cx| {
        cx.token("approve").timeout(days(367)).await?;
        Ok(Aborted)
    });
    let time = timed.await;
    assert!(time.contains("allowed is at most one year"), "{time}");
}

#[tokio::test]
async fn token_of_another_run_is_not_waited_for() -> Result<(), Error> {
    let first: Arc<Mutex<Option<Token>>> = Arc::default();
    let kept = first.clone();
    let swap = move |cents: u64, cx: TaskContext| {
        let kept = kept.clone();
        async move {
            let mine = cx.token("approve").await?;
            let theirs = kept.lock().unwrap().get_or_insert(mine).clone();
            Ok::<Outcome<u64, String>, TaskError>(Continue::when_told(theirs, cents))
        }
    };
    let app = TestApp::new().with(task(PAY, swap));
    let id = app.run(PAY, 1).await?.id();
    app.advance(seconds(1)).await;
    let other = app.run(PAY, 2).await?.id();
    app.advance(seconds(1)).await;
    let run = app.state(other).await?;
    let expected = format!("can't wait for token \"approve\" of run {id}: a run waits for its own (`cx.token`)");
    assert_eq!((run.state, run.error_message), (State::Failed, Some(expected)));
    Ok(())
}
