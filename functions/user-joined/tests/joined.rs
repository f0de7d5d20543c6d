//! The consequences of a new user's arrival.

use app::{SEND_WELCOME, USER_JOINED, UserJoined};
use dacapo::{State, prelude::*};
use dacapo_test_kit::TestApp;

fn ada() -> UserJoined {
    UserJoined { email: "ada@example.org".into() }
}

#[tokio::test]
async fn event_of_a_new_user_is_followed_by_a_welcome_after_five_minutes() -> Result<(), dacapo::Error> {
    let app = TestApp::new().with(user_joined::function()).with(send_welcome::function());

    app.publish(USER_JOINED, ada()).await?;
    app.advance(minutes(4)).await;
    assert_eq!(app.run_of(SEND_WELCOME).state, State::Scheduled);

    app.run_until_idle().await;
    assert_eq!(app.run_of(SEND_WELCOME).state, State::Completed);
    Ok(())
}

#[tokio::test]
async fn event_published_twice_is_followed_by_one_welcome() -> Result<(), dacapo::Error> {
    let app = TestApp::new().with(user_joined::function()).with(send_welcome::function());
    app.publish(USER_JOINED, ada()).await?;
    app.publish(USER_JOINED, ada()).await?;
    app.run_until_idle().await;
    assert_eq!(app.runs_of(SEND_WELCOME).len(), 1);
    Ok(())
}
