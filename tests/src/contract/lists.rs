//! Lists of runs: newest first, by task, and those that failed.

use std::time::Duration;

use dacapo_core::commit::{Seen, commit};
use dacapo_domain::{Index, Input, NewRun, Policy, Query, RecordKey, RunRecord, Task, code, seconds};

use super::{
    Bench,
    fixture::{all_of, deadline, let_expire, listed, new_run, now, stored_run},
};

/// Runs of these tasks, newest first.
fn newest(index: Index, tasks: &[&str]) -> Query {
    let partitions = tasks.iter().map(|task| RunRecord::partition(task)).collect();
    Query { partitions, descending: true, ..all_of(index, "") }
}

/// Stores runs one after the other and gives their ids, newest first.
async fn stored_runs(bench: &impl Bench, tasks: &[&str]) -> Vec<String> {
    let mut ids = vec![];
    for task in tasks {
        ids.insert(0, stored_run(bench, new_run(bench, task)).await.id.to_string());
        bench.pass(Duration::from_millis(2)).await; // Ids of one millisecond have no order.
    }
    ids
}

/// Ends a run that has not started: aborted, or failed since no function has its task.
async fn end(bench: &impl Bench, run: RunRecord, task: Task<'_>) -> RunRecord {
    let abort = Input::AbortRequested("not needed".to_owned());
    let ended = commit(&bench.ports(), Seen::Stored(run), &abort, task, deadline(bench)).await;
    ended.expect("runs can end").expect("the run is there").record
}

/// The newest comes first.
pub async fn runs_are_listed_newest_first(bench: &impl Bench) {
    let task = bench.unique("task");
    let ids = stored_runs(bench, &[&*task; 5]).await;
    assert_eq!(listed(bench, &newest(Index::List, &[&task]), 5).await, ids);
}

/// A task whose name begins like another's has runs of its own.
pub async fn list_is_of_one_task(bench: &impl Bench) {
    let task = bench.unique("task");
    let (more, part) = (format!("{task} 2"), format!("{task}/2"));
    for task in [&*task, &more, &part] {
        let ids = stored_runs(bench, &[task]).await;
        assert_eq!(listed(bench, &newest(Index::List, &[task]), 1).await, ids);
    }
}

/// The runs of several tasks are in one order.
pub async fn list_of_several_tasks_is_newest_first(bench: &impl Bench) {
    let [one, two, three] = ["task"; 3].map(|name| bench.unique(name));
    let tasks = [&*one, &two, &three];
    let ids = stored_runs(bench, &[&one, &two, &one, &three, &two]).await;
    assert_eq!(listed(bench, &newest(Index::List, &tasks), 5).await, ids);
    let first = Query { limit: 3, ..newest(Index::List, &tasks) };
    assert_eq!(listed(bench, &first, 3).await, ids[..3]);
}

/// A run is among those that failed once it has, and no other is.
pub async fn failed_runs_are_listed_by_themselves(bench: &impl Bench) {
    let task = bench.unique("task");
    let failed = newest(Index::Failed, &[&task]);
    let mut runs = vec![];
    for _ in 0..3 {
        runs.push(stored_run(bench, new_run(bench, &task)).await);
        bench.pass(Duration::from_millis(2)).await;
    }
    assert!(listed(bench, &failed, 0).await.is_empty());

    let mut ids: Vec<String> = runs.iter().map(|run| run.id.to_string()).collect();
    ids.reverse();
    let [oldest, middle, newest_run] = <[RunRecord; 3]>::try_from(runs).expect("there are three");
    let ended = end(bench, oldest, Task::Removed).await;
    assert_eq!(ended.error.map(|error| error.code).as_deref(), Some(code::UNKNOWN_TASK));
    end(bench, middle, Task::Known(&Policy::default())).await;
    end(bench, newest_run, Task::Removed).await;

    assert_eq!(listed(bench, &failed, 2).await, [ids[0].clone(), ids[2].clone()]);
    assert_eq!(listed(bench, &newest(Index::List, &[&task]), 3).await, ids);
}

/// A run is on the list of each of its tags, and on those of the run and of the schedule that started it.
pub async fn run_is_listed_by_its_tags_its_parent_and_its_schedule(bench: &impl Bench) {
    let (task, schedule) = (bench.unique("task"), bench.unique("schedule"));
    let tags = ["one", "two", "three"].map(|tag| bench.unique(tag));
    let parent = stored_run(bench, new_run(bench, &task)).await;
    let first = stored_run(bench, NewRun { tags: tags.to_vec(), ..new_run(bench, &task) }).await.id.to_string();
    bench.pass(Duration::from_millis(2)).await;
    let new = NewRun { tags: vec![tags[1].clone()], parent_id: Some(parent.id), ..new_run(bench, &task) };
    let child = stored_run(bench, new).await.id.to_string();
    let new = NewRun { schedule: Some(schedule.clone()), ..new_run(bench, &task) };
    let fired = stored_run(bench, new).await.id.to_string();

    let of = |index, partition| Query { partitions: vec![partition], descending: true, ..all_of(index, "") };
    let tagged = |tag: &str| of(Index::Tag, RunRecord::partition_of_tag(tag));
    assert_eq!(listed(bench, &tagged(&tags[0]), 1).await, [&*first]);
    assert_eq!(listed(bench, &tagged(&tags[1]), 2).await, [&*child, &first]);
    assert_eq!(listed(bench, &tagged(&tags[2]), 1).await, [&*first]);
    assert_eq!(listed(bench, &of(Index::Parent, RunRecord::partition_of_children(parent.id)), 1).await, [&*child]);
    assert_eq!(listed(bench, &of(Index::Parent, RunRecord::partition_of_schedule(&schedule)), 1).await, [&*fired]);
}

/// A run that is due later is listed by when, until it is taken.
pub async fn run_that_is_put_off_is_listed_by_when_it_is_due(bench: &impl Bench) {
    let task = bench.function("task").await;
    let due = Query { partitions: vec![RunRecord::partition(&task)], ..all_of(Index::Due, "") };
    stored_run(bench, new_run(bench, &task)).await;
    let at = |wait: u64| NewRun { due_at: now(bench) + seconds(wait), ..new_run(bench, &task) };
    let later = stored_run(bench, at(600)).await;
    let soon = stored_run(bench, at(30)).await;
    let expected = [&soon, &later].map(|run| run.id.to_string());
    assert_eq!(listed(bench, &due, 2).await, expected);
    bench.skip(seconds(31)).await;
    let taken = Input::Delivered(soon.purpose());
    commit(&bench.ports(), Seen::Stored(soon), &taken, Task::Known(&Policy::default()), deadline(bench)).await.unwrap();
    assert_eq!(listed(bench, &due, 1).await, expected[1..]);
}

/// A run whose time is up is on no list.
pub async fn expired_run_is_not_listed(bench: &impl Bench) {
    let task = bench.unique("task");
    let run = stored_run(bench, new_run(bench, &task)).await;
    let brief = Policy { history: seconds(1), ..Policy::default() };
    let ended = end(bench, run, Task::Known(&brief)).await;
    assert!(ended.expires_at_s.is_some_and(|at_s| at_s <= now(bench).as_second() + 3));
    let kept = stored_run(bench, new_run(bench, &task)).await;
    let_expire(bench).await;
    assert_eq!(listed(bench, &newest(Index::List, &[&task]), 1).await, [kept.id.to_string()]);
    let gone: RecordKey = RunRecord::key_of(ended.id);
    assert_eq!(bench.ports().records.load(&gone).await.unwrap(), None);
}
