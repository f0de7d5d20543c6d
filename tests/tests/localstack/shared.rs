//! Runs whose messages share an invocation: each has its own attempt, limit and outcome.

use crowd::{
    CROWD,
    Part::{self, Block, Exit, Linger, Stay},
    Told,
};
use dacapo::RunView;
use futures::future::join_all;

use crate::app::{App, result};

/// Batches that are started until their messages came together: a queue gives what it has.
const TRIES: usize = 20;

/// The ends of runs that were started at once, and how often each was called.
async fn together(app: &App, parts: &[Part]) -> Vec<(RunView, usize)> {
    let started = app.client.batch(CROWD, parts.to_vec()).await.unwrap();
    let ended = started.into_iter().map(|run| async move {
        let id = run.unwrap().id();
        (app.ended(id).await, app.calls(id).await)
    });
    join_all(ended).await
}

#[tokio::test]
async fn runs_of_a_batch_execute_side_by_side_and_one_that_holds_its_thread_costs_no_other_an_attempt() {
    let app = App::deployed().await;
    let _crowd = app.localstack.lock("crowd").unwrap();
    for _ in 0..TRIES {
        let runs = together(&app, &[Block, Stay, Stay, Stay, Stay]).await;
        let told: Vec<Told> = runs.iter().map(|(run, _)| result(run)).collect();
        let (blocked, others) = told.split_first().unwrap();
        assert_eq!((blocked.attempt, runs[0].1), (2, 2), "{runs:#?}");
        assert!(others.iter().all(|told| told.attempt == 1), "{runs:#?}");
        if others.iter().filter(|told| told.at_once > 1).count() > 1 {
            return;
        }
    }
    panic!("none of {TRIES} batches came together");
}

#[tokio::test]
async fn process_that_dies_costs_those_that_shared_it_no_attempt_and_is_the_next_ones_own() {
    let app = App::deployed().await;
    let _crowd = app.localstack.lock("crowd").unwrap();
    for _ in 0..TRIES {
        let runs = together(&app, &[Exit, Linger, Linger, Linger, Linger]).await;
        let (dead, others) = runs.split_first().unwrap();
        assert_eq!((result::<Told>(&dead.0).attempt, dead.1), (2, 3), "the first cost nothing: {dead:#?}");
        let free = |(run, calls): &(RunView, usize)| *calls - result::<Told>(run).attempt as usize;
        assert!(others.iter().all(|other| free(other) <= 1), "{others:#?}");
        if others.iter().any(|other| free(other) == 1) {
            return;
        }
    }
    panic!("none of {TRIES} batches came together");
}
