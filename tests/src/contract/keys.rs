//! Idempotency keys, per task: one run holds a key, until it may be taken over.

use std::time::Duration;

use dacapo_core::commit::{self, Creation, Seen, commit, create_run};
use dacapo_domain::{
    AttemptEnd, AttemptError, AttemptOutcome, Decision, Input, Json, NewRun, Policy, RunRecord, Task, days, minutes,
    run::Key, seconds, slot,
};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{deadline, new_run, now},
    meddled::{Mishap, lossy},
};

/// A new run of a task that wants a key for so long.
fn keyed(bench: &impl Bench, task: &str, key: &str, held: Duration) -> Decision<RunRecord> {
    let key = Some(Key { text: key.to_owned(), until: now(bench) + held, debounce: None });
    let new = NewRun { key, ..new_run(bench, task) };
    RunRecord::create(new, &bench.ports().clock.decision_context()).with(slot::BODY, Json::default())
}

/// A first run with a key, and a second that wants it.
fn two(bench: &impl Bench, held: Duration) -> (Decision<RunRecord>, Decision<RunRecord>) {
    let task = bench.unique("task");
    (keyed(bench, &task, "key", held), keyed(bench, &task, "key", days(30)))
}

/// Creates a run and gives the one that holds its key, if that is another.
async fn create(bench: &impl Bench, run: &Decision<RunRecord>) -> Option<RunRecord> {
    match create_run(&bench.ports(), run, deadline(bench)).await.expect("runs can be created") {
        Creation::New => None,
        Creation::Exists(holder) => Some(holder),
    }
}

async fn is_stored(bench: &impl Bench, run: &Decision<RunRecord>) -> bool {
    let found = commit::load::<RunRecord>(&bench.ports(), &RunRecord::key_of(run.record.id)).await;
    found.expect("runs can be read").is_some()
}

/// Runs an attempt to its end.
async fn end(bench: &impl Bench, run: &RunRecord, outcome: AttemptOutcome, kept: Duration) -> RunRecord {
    let policy = Policy { history: kept, ..Policy::default() };
    let mut run = run.clone();
    for step in 0..2 {
        let token = run.version;
        let (outcome, spent) = (outcome.clone(), seconds(0));
        let input = match step {
            0 => Input::Delivered(run.purpose()),
            _ => Input::AttemptEnded(AttemptEnd::new(token, outcome, spent)),
        };
        let task = Task::Known(&policy);
        let committed = commit(&bench.ports(), Seen::Stored(run), &input, task, deadline(bench)).await;
        run = committed.expect("runs can end").expect("the run is there").record;
    }
    run
}

fn done() -> AttemptOutcome {
    AttemptOutcome::Done { result: Ok(Json::default()), message: None }
}

fn failed() -> AttemptOutcome {
    AttemptOutcome::Failed(AttemptError::terminal("ODD", "failed"))
}

/// The second run with a key is not stored; the first is given.
pub async fn key_that_is_held_gives_the_run_that_holds_it(bench: &impl Bench) {
    let (first, second) = two(bench, days(30));
    assert_eq!(create(bench, &first).await, None);
    bench.reopen().await;
    assert_eq!(create(bench, &second).await, Some(first.record));
    assert!(!is_stored(bench, &second).await, "key and run are stored together or not at all");
}

/// A reply was lost and the call is made again: the key is its own.
pub async fn create_with_a_key_whose_reply_is_lost_is_new(bench: &impl Bench) {
    let (first, second) = two(bench, days(30));
    let ports = lossy(bench.ports(), [Mishap::ReplyLost]);
    assert!(matches!(create_run(&ports, &first, deadline(bench)).await.unwrap(), Creation::New));
    assert_eq!(create(bench, &first).await, None, "the whole call again");
    assert_eq!(create(bench, &second).await, Some(first.record));
}

/// Tasks have their keys for themselves, also where task and key read the same when put together.
pub async fn key_belongs_to_its_task(bench: &impl Bench) {
    let task = bench.unique("a");
    let (one, other) = (keyed(bench, &task, "b/c", days(1)), keyed(bench, &format!("{task}/b"), "c", days(1)));
    assert_eq!(create(bench, &one).await, None);
    assert_eq!(create(bench, &other).await, None);
}

/// The longest key of the longest characters fits.
pub async fn longest_key_fits(bench: &impl Bench) {
    let task = bench.unique("task");
    let key = "\u{1F600}".repeat(dacapo_domain::limits::KEY_CHARS);
    let (first, second) = (keyed(bench, &task, &key, days(1)), keyed(bench, &task, &key, days(1)));
    assert_eq!(create(bench, &first).await, None);
    assert_eq!(create(bench, &second).await, Some(first.record));
}

/// One run is stored, and nine callers get it.
pub async fn ten_takers_of_a_key_at_once_store_one_run(bench: &impl Bench) {
    let task = bench.unique("task");
    race(bench, (0..10).map(|_| keyed(bench, &task, "key", days(30))).collect()).await;
}

/// Ten want the key of a run that failed: one gets it.
pub async fn ten_takers_of_a_failed_runs_key_store_one_run(bench: &impl Bench) {
    let (first, second) = two(bench, days(30));
    create(bench, &first).await;
    end(bench, &first.record, failed(), days(60)).await;
    race(bench, (0..10).map(|_| keyed(bench, &second.record.name, "key", days(30))).collect()).await;
}

async fn race(bench: &impl Bench, runs: Vec<Decision<RunRecord>>) {
    let holders = join_all(runs.iter().map(|run| create(bench, run))).await;
    let winner = holders.iter().position(Option::is_none).expect("one of them wins");
    for (place, holder) in holders.iter().enumerate().filter(|(place, _)| *place != winner) {
        assert_eq!(holder.as_ref(), Some(&runs[winner].record), "taker {place}");
        assert!(!is_stored(bench, &runs[place]).await, "taker {place}");
    }
    assert!(is_stored(bench, &runs[winner]).await);
}

/// A failed run may be started again with its key, which is the second run's then.
pub async fn key_of_a_failed_run_may_be_taken_over(bench: &impl Bench) {
    let (first, second) = two(bench, days(30));
    create(bench, &first).await;
    end(bench, &first.record, failed(), days(60)).await;
    assert_eq!(create(bench, &second).await, None);
    let third = keyed(bench, &second.record.name, "key", days(30));
    assert_eq!(create(bench, &third).await, Some(second.record));
}

/// A run that was done, or ended on purpose, is not done again.
pub async fn key_of_a_completed_or_aborted_run_stays(bench: &impl Bench) {
    for outcome in [done(), AttemptOutcome::Aborted] {
        let (first, second) = two(bench, days(30));
        create(bench, &first).await;
        let ended = end(bench, &first.record, outcome, days(60)).await;
        assert_eq!(create(bench, &second).await, Some(ended));
    }
}

/// A key is held for a time; after it a run that has ended holds nothing.
pub async fn key_past_its_time_may_be_taken_over(bench: &impl Bench) {
    let (first, second) = two(bench, minutes(30));
    create(bench, &first).await;
    end(bench, &first.record, done(), days(1)).await;
    bench.skip(minutes(31)).await;
    assert_eq!(create(bench, &second).await, None);
}

/// However short the time: a run that has not ended holds its key.
pub async fn key_of_an_unfinished_run_is_held_beyond_its_time(bench: &impl Bench) {
    let (first, second) = two(bench, seconds(1));
    create(bench, &first).await;
    bench.skip(seconds(3)).await;
    assert_eq!(create(bench, &second).await, Some(first.record));
}

/// A key can be judged by its run's record alone, so the record lives as long as the key.
pub async fn record_is_kept_as_long_as_its_key(bench: &impl Bench) {
    let (first, second) = two(bench, days(30));
    create(bench, &first).await;
    let completed = end(bench, &first.record, done(), seconds(1)).await;
    bench.skip(seconds(3)).await;
    assert_eq!(create(bench, &second).await, Some(completed));
}
