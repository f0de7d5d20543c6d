//! Attempts that end badly: each is recorded for what it was, counted, and tried again.

use Mischief::{Block, Exit, Fail, Panic, Sleep};
use broken::BROKEN;
use chaos::{CHAOS, Chaos, Mischief, Told};
use dacapo::{RunView, State, code};
use futures::future::join;

use crate::app::{App, result};

#[tokio::test]
async fn a_panic_is_recorded_and_tried_again() {
    let (ended, retried) = last_and_first(Panic).await;
    assert_failed(&ended, code::PANIC, "told to panic");
    assert_eq!(result::<Told>(&retried).attempt, 2);
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_recorded_and_tried_again() {
    let (ended, retried) = last_and_first(Sleep).await;
    assert_failed(&ended, code::TIMEOUT, "2 s");
    assert_eq!(result::<Told>(&retried).attempt, 2);
}

#[tokio::test]
async fn a_handler_that_holds_its_thread_too_long_is_recorded_and_tried_again() {
    let (ended, retried) = last_and_first(Block).await;
    assert_failed(&ended, code::TIMEOUT, "2 s");
    assert_eq!(result::<Told>(&retried).attempt, 2);
}

#[tokio::test]
async fn a_process_that_ends_without_an_answer_is_noticed_recorded_and_tried_again() {
    let (ended, retried) = last_and_first(Exit).await;
    assert_failed(&ended, code::CRASHED, "");
    assert_eq!(result::<Told>(&retried).attempt, 2);
}

#[tokio::test]
async fn a_process_that_ends_in_the_loop_is_noticed_and_tried_again_by_the_loop() {
    let app = App::deployed().await;
    let chaos = Chaos { continues: 1, pause_s: 1, attempts: vec![Exit] };
    let id = app.client.run(CHAOS, chaos).await.unwrap().id();
    let record = app.ended(id).await;
    assert_eq!(result::<Told>(&record), Told { iteration: 2, attempt: 2 });
}

#[tokio::test]
async fn function_that_cannot_start_fails_its_runs() {
    let app = App::deployed().await;
    let id = app.client.run(BROKEN, ()).await.unwrap().id();
    let record = app.ended(id).await;
    assert_eq!((record.state, record.attempt), (State::Failed, 2), "{record:#?}");
    assert_eq!(record.error_code.as_deref(), Some(code::CRASHED), "{record:#?}");
    assert!(record.error_message.as_ref().is_some_and(|said| said.contains("Runtime.ExitError")), "{record:#?}");
    assert_eq!(record.started_at, None, "{record:#?}");
}

/// A run whose last attempt ends like this, and one whose first does.
async fn last_and_first(mischief: Mischief) -> (RunView, RunView) {
    let app = App::deployed().await;
    let run = async |attempts| {
        let id = app.client.run(CHAOS, Chaos { attempts, ..Chaos::default() }).await.unwrap().id();
        app.ended(id).await
    };
    join(run(vec![Fail, Fail, mischief]), run(vec![mischief])).await
}

fn assert_failed(record: &RunView, code: &str, message: &str) {
    assert_eq!((record.state, record.attempt), (State::Failed, 3), "{record:#?}");
    assert_eq!(record.error_code.as_deref(), Some(code), "{record:#?}");
    assert!(record.error_message.as_ref().is_some_and(|said| said.contains(message)), "{record:#?}");
}
