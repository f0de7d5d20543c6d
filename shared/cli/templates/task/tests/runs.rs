//! The task's runs, in virtual time.

use app::my_name::{MY_NAME, MyNameInput};
use dacapo::{State, prelude::*};
use dacapo_test_kit::TestApp;

#[tokio::test]
async fn run_that_is_due_later_starts_then_and_greets() -> Result<(), dacapo::Error> {
    let app = TestApp::new().with(app::hooks().around(my_name::function()));
    let input = MyNameInput { who: "Ada".to_owned() };
    app.run(MY_NAME, input).after(minutes(5)).await?;

    app.advance(minutes(4)).await;
    assert_eq!(app.run_of(MY_NAME).state, State::Scheduled);

    app.run_until_idle().await;
    let run = app.run_of(MY_NAME);
    assert_eq!(run.state, State::Completed);
    let result = run.result.map(|result| result.text().to_owned());
    assert_eq!(result.as_deref(), Some("\"Hello, Ada\""));
    Ok(())
}
