//! The schedule's fires, in virtual time.

use app::my_name::MY_NAME;
use dacapo::{State, Trigger, prelude::*};
use dacapo_test_kit::TestApp;

#[tokio::test]
async fn schedule_fires_once_a_day() {
    let app = TestApp::new().with(app::hooks().around(my_name::function()));
    app.advance(days(7)).await;
    let runs = app.runs_of(MY_NAME);
    assert_eq!(runs.len(), 7);
    for run in runs {
        let found = (run.trigger, run.state);
        assert_eq!(found, (Trigger::Schedule, State::Completed));
    }
}
