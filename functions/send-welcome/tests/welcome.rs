//! People whom the task welcomes, and those whom it doesn't.

use app::{SEND_WELCOME, Welcome};
use dacapo::{Json, State};
use dacapo_test_kit::TestApp;
use send_welcome::Mailer;

#[tokio::test]
async fn run_with_an_empty_body_sends_one_mail() -> Result<(), dacapo::Error> {
    let mailer = Mailer::default();
    let app = TestApp::new().with(send_welcome::with(mailer.clone()));
    app.run_by_name("send-welcome", Json::default()).await?;
    app.run_until_idle().await;
    assert_eq!(app.run_of(SEND_WELCOME).state, State::Completed);
    assert_eq!(mailer.sent(), ["ada@example.org: Welcome, ada@example.org"]);
    let steps = app.steps(app.run_of(SEND_WELCOME).id).await?;
    // In virtual time both are done at one instant.
    assert_eq!(steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["send", "write"]);
    Ok(())
}

#[tokio::test]
async fn run_with_an_invalid_address_fails_without_another_try() -> Result<(), dacapo::Error> {
    let app = TestApp::new().with(send_welcome::function());
    app.run(SEND_WELCOME, Welcome { email: "ada".into() }).await?;
    app.run_until_idle().await;
    let run = app.run_of(SEND_WELCOME);
    assert_eq!((run.state, run.attempt, run.error_code.as_deref()), (State::Failed, 1, Some("BAD_EMAIL")));
    assert_eq!(app.logs(run.id).await?[0].message, "nobody was welcomed");
    Ok(())
}
