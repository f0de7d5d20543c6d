//! Idempotency keys, per task: one run holds a key, until it may be taken over.

use dacapo::port::Created;
use dacapo_domain::{Json, Run, State, days, seconds};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{ended, ended_run, keyed_run, load, now, save},
};

/// Stores a run with its key for a month.
async fn create(bench: &impl Bench, run: &Run) -> Created {
    bench.ports().store.create(run, &Json::default(), Some(now(bench) + days(30))).await.expect("runs can be created")
}

/// A first run with a key, and a second that wants it.
fn two_runs(bench: &impl Bench) -> (Run, Run) {
    let task = bench.unique("task");
    (keyed_run(bench, &task, "key"), keyed_run(bench, &task, "key"))
}

/// Two runs of one key; the first ended like this. What becomes of the second's create?
async fn after_one_that(bench: &impl Bench, state: State) -> (Run, Run, Created) {
    let (first, second) = two_runs(bench);
    assert_eq!(create(bench, &first).await, Created::New);
    let first = ended_run(bench, first, state, days(60)).await;
    let created = create(bench, &second).await;
    (first, second, created)
}

/// The second run with a key is not stored; the first is given.
pub async fn a_key_gives_the_run_that_holds_it(bench: &impl Bench) {
    let (first, second) = two_runs(bench);
    assert_eq!(create(bench, &first).await, Created::New);
    bench.reopen().await;

    assert_eq!(create(bench, &second).await, Created::Exists(first));

    assert_eq!(load(bench, second.id).await, None, "key and run are stored together or not at all");
}

/// A reply was lost and the call is made again: the key is its own.
pub async fn a_create_with_a_key_tried_again_finds_that_it_has_won(bench: &impl Bench) {
    let (run, _) = two_runs(bench);
    create(bench, &run).await;
    assert_eq!(create(bench, &run).await, Created::New);
}

/// Tasks have their keys for themselves, also where task and key read the same when put together.
pub async fn a_key_belongs_to_its_task(bench: &impl Bench) {
    let task = bench.unique("a");
    let (one, other) = (keyed_run(bench, &task, "b/c"), keyed_run(bench, &format!("{task}/b"), "c"));
    assert_eq!(create(bench, &one).await, Created::New);
    assert_eq!(create(bench, &other).await, Created::New);
}

/// Ten at once: one run is stored, nine callers get it.
pub async fn of_many_who_take_a_key_one_wins(bench: &impl Bench) {
    let task = bench.unique("task");
    let runs: Vec<Run> = (0..10).map(|_| keyed_run(bench, &task, "key")).collect();

    let created = join_all(runs.iter().map(|run| create(bench, run))).await;

    let winner = created.iter().position(|created| *created == Created::New).expect("one of them wins");
    for (place, created) in created.into_iter().enumerate().filter(|(place, _)| *place != winner) {
        assert_eq!(created, Created::Exists(runs[winner].clone()), "taker {place}");
        assert_eq!(load(bench, runs[place].id).await, None, "taker {place}");
    }
}

/// What failed may be started again with its key.
pub async fn a_failed_runs_key_may_be_taken_over(bench: &impl Bench) {
    let (_, second, created) = after_one_that(bench, State::Failed).await;
    assert_eq!(created, Created::New);
    let third = keyed_run(bench, &second.name, "key");
    assert_eq!(create(bench, &third).await, Created::Exists(second), "the key is the second's now");
}

/// What never started may be started again with its key.
pub async fn an_expired_runs_key_may_be_taken_over(bench: &impl Bench) {
    let (.., created) = after_one_that(bench, State::Expired).await;
    assert_eq!(created, Created::New);
}

/// What was done is not done again.
pub async fn a_completed_runs_key_stays(bench: &impl Bench) {
    let (first, _, created) = after_one_that(bench, State::Completed).await;
    assert_eq!(created, Created::Exists(first));
}

/// What somebody ended on purpose is not done again.
pub async fn an_aborted_runs_key_stays(bench: &impl Bench) {
    let (first, _, created) = after_one_that(bench, State::Aborted).await;
    assert_eq!(created, Created::Exists(first));
}

/// Ten want the key of a run that failed: one gets it.
pub async fn of_many_who_take_a_key_over_one_wins(bench: &impl Bench) {
    let (first, second) = two_runs(bench);
    create(bench, &first).await;
    ended_run(bench, first, State::Failed, days(60)).await;
    let runs: Vec<Run> = (0..10).map(|_| keyed_run(bench, &second.name, "key")).collect();

    let created = join_all(runs.iter().map(|run| create(bench, run))).await;

    let winner = created.iter().position(|created| *created == Created::New).expect("one of them wins");
    for (place, created) in created.into_iter().enumerate().filter(|(place, _)| *place != winner) {
        assert_eq!(created, Created::Exists(runs[winner].clone()), "taker {place}");
    }
}

/// A key is held for a time; after it a run that has ended holds nothing.
pub async fn a_key_past_its_time_may_be_taken_over(bench: &impl Bench) {
    let (first, second) = two_runs(bench);
    let until = now(bench) + seconds(2);
    bench.ports().store.create(&first, &Json::default(), Some(until)).await.unwrap();
    ended_run(bench, first, State::Completed, days(1)).await;

    bench.pass(seconds(4)).await;

    assert_eq!(create(bench, &second).await, Created::New);
}

/// However short the time: a run that has not ended holds its key.
pub async fn a_key_is_held_at_least_until_its_run_ends(bench: &impl Bench) {
    let (first, second) = two_runs(bench);
    let until = now(bench) + seconds(1);
    bench.ports().store.create(&first, &Json::default(), Some(until)).await.unwrap();

    bench.pass(seconds(3)).await;

    assert_eq!(create(bench, &second).await, Created::Exists(first));
}

/// A key can be judged by its run's record alone, so the record lives as long as the key.
pub async fn a_record_is_kept_as_long_as_its_key(bench: &impl Bench) {
    let (first, second) = two_runs(bench);
    create(bench, &first).await;
    let completed = ended(bench, &first, State::Completed, seconds(1));
    save(bench, &first, &completed).await;

    bench.pass(seconds(3)).await;

    assert_eq!(load(bench, first.id).await.expect("the run is there").run.state, State::Completed);
    let Created::Exists(holder) = create(bench, &second).await else { panic!("the key is held") };
    assert_eq!(holder.id, first.id);
}
