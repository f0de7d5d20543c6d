//! Runs that wait for a place.

use app::{Page, Place, VALIDATE_PAGE};
use dacapo::State;

use crate::app::{App, eventually};

#[tokio::test]
async fn no_more_than_four_pages_are_validated_at_once_and_those_that_wait_make_one_attempt() {
    let app = App::deployed().await;
    let place = Place { iata: "BER".to_owned(), name: "Berlin".to_owned(), latitude: 52.4 };
    let page = |number| Page { first_row: number, airports: vec![place.clone(); 3] };
    let started = app.client.batch(VALIDATE_PAGE, (1..=20).map(page)).await.unwrap();

    let mut executed = vec![];
    for run in started {
        let record = app.ended(run.unwrap().id()).await;
        assert_eq!((record.state, record.attempt, record.iteration), (State::Completed, 1, 1), "{record:#?}");
        executed.push((record.started_at.unwrap(), record.completed_at.unwrap()));
    }
    for (begin, _) in &executed {
        let at_once = executed.iter().filter(|(from, to)| from <= begin && begin < to).count();
        assert!(at_once <= 4, "{at_once} at once, of {executed:#?}");
    }

    eventually("every place is given back", || async {
        let queues = app.client.queues().list().await.unwrap();
        let queue = queues.into_iter().find(|queue| queue.name == "validate-page").unwrap();
        if (queue.executing, queue.has_waiting) == (Some(0), false) { Ok(()) } else { Err(format!("{queue:?}")) }
    })
    .await;
}

#[tokio::test]
async fn queue_that_is_paused_holds_what_is_due_until_it_is_resumed() {
    let app = App::deployed().await;
    let queues = app.client.queues();
    queues.pause("validate-page").await.unwrap();
    let run = app.client.run(VALIDATE_PAGE, Page { first_row: 0, airports: vec![] }).await.unwrap().id();
    let held = app.is(run, State::Created).await;
    assert_eq!((held.started_at, held.attempt), (None, 1));
    queues.resume("validate-page").await.unwrap();
    assert_eq!(app.ended(run).await.state, State::Completed);
}
