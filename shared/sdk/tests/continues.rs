//! Iterations, one after another.

use std::time::Duration;

use dacapo::{State, prelude::*};
use dacapo_test_kit::TestApp;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");

#[tokio::test]
async fn run_that_continues_at_once_waits_for_nothing() -> Result<(), dacapo::Error> {
    let count = async |n: u32, _: TaskContext| {
        Ok::<Outcome<u32, u32>, TaskError>(if n < 20 { Continue(n + 1) } else { Done(n) })
    };
    let app = TestApp::new().with(task(COUNT, count));
    app.advance(Duration::from_millis(1_250)).await; // At no whole second.
    app.run(COUNT, 0).await?;

    app.advance(Duration::ZERO).await;

    let run = app.run_of(COUNT);
    assert_eq!((run.state, run.iteration), (State::Completed, 21));
    Ok(())
}
