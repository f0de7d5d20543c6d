//! The consequences of a new user's arrival.

use app::{SEND_WELCOME, USER_JOINED, UserJoined};
use dacapo::{State, prelude::*};
use dacapo_test_kit::TestApp;

fn ada() -> UserJoined {
    UserJoined { email: "ada@example.org".into() }
}

#[tokio::test]
async fn who_joins_is_welcomed_five_minutes_later() -> Result<(), dacapo::Error> {
    let app = TestApp::new().with(user_joined::function()).with(send_welcome::function());

    app.publish(USER_JOINED, ada()).await?;
    app.advance(minutes(4)).await;
    assert_eq!(app.run_of(SEND_WELCOME).state, State::Scheduled);

    app.run_until_idle().await;
    assert_eq!(app.run_of(SEND_WELCOME).state, State::Completed);
    Ok(())
}

#[tokio::test]
async fn who_joins_twice_is_welcomed_once() -> Result<(), dacapo::Error> {
    let app = TestApp::new().with(user_joined::function()).with(send_welcome::function());
    app.publish(USER_JOINED, ada()).await?;
    app.publish(USER_JOINED, ada()).await?;
    app.run_until_idle().await;
    assert_eq!(app.runs_of(SEND_WELCOME).len(), 1);
    Ok(())
}
