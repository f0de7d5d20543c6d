//! Lists of runs: newest first, by task and state, page by page.

use std::time::Duration;

use dacapo::port::{ListFilter, PortErrorKind};
use dacapo_domain::{Id, State, days, seconds};

use super::{
    Bench,
    fixture::{changed, create, due_run, ended_run, listed, load, now, of_task, save, stored_run},
};

/// Stores runs one after the other and gives their ids, newest first.
async fn stored_runs(bench: &impl Bench, task: &str, count: usize) -> Vec<Id> {
    let mut ids = vec![];
    for _ in 0..count {
        ids.insert(0, stored_run(bench, task).await.id);
        // Ids of one millisecond have no order.
        bench.pass(Duration::from_millis(2)).await;
    }
    ids
}

/// The newest comes first, with its record as it is.
pub async fn runs_are_listed_newest_first(bench: &impl Bench) {
    let task = bench.unique("task");
    let ids = stored_runs(bench, &task, 5).await;

    assert_eq!(listed(bench, &of_task(&task), 5).await, ids);

    let page = bench.ports().store.list(&of_task(&task)).await.unwrap();
    assert_eq!(page.runs[0].run, load(bench, ids[0]).await.unwrap().run);
    assert_eq!(page.cursor, None);
}

/// A task whose name begins like another's has runs of its own.
pub async fn a_list_is_of_one_task(bench: &impl Bench) {
    let task = bench.unique("task");
    let other = format!("{task} 2");
    let (ids, others) = (stored_runs(bench, &task, 2).await, stored_runs(bench, &other, 1).await);
    assert_eq!(listed(bench, &of_task(&task), 2).await, ids);
    assert_eq!(listed(bench, &of_task(&other), 1).await, others);
}

/// A task without runs has an empty list.
pub async fn a_list_of_nothing_is_empty(bench: &impl Bench) {
    assert!(listed(bench, &of_task(&bench.unique("task")), 0).await.is_empty());
}

/// Runs are listed by the state they are in now.
pub async fn a_list_is_of_one_state(bench: &impl Bench) {
    let task = bench.unique("task");
    let submitted = stored_run(bench, &task).await.id;
    let run = stored_run(bench, &task).await;
    let running = changed(bench, &run, |run| run.state = State::Running);
    save(bench, &run, &running).await;
    let mut expected = vec![(State::Submitted, submitted), (State::Running, running.id)];
    for state in [State::Completed, State::Failed, State::Aborted, State::Expired] {
        let run = stored_run(bench, &task).await;
        expected.push((state, ended_run(bench, run, state, days(1)).await.id));
    }

    for (state, id) in expected {
        let filter = ListFilter { state: Some(state), ..of_task(&task) };
        assert_eq!(listed(bench, &filter, 1).await, [id], "{state}");
    }
}

/// Becoming due writes nothing, and is seen all the same.
pub async fn a_scheduled_run_that_is_due_is_listed_as_submitted(bench: &impl Bench) {
    let task = bench.unique("task");
    let run = due_run(bench, &task, now(bench) + seconds(2));
    create(bench, &run).await;
    let in_state = |state| ListFilter { state: Some(state), ..of_task(&task) };
    assert_eq!(listed(bench, &in_state(State::Scheduled), 1).await, [run.id]);

    bench.pass(seconds(3)).await;

    assert_eq!(listed(bench, &in_state(State::Submitted), 1).await, [run.id]);
    assert!(listed(bench, &in_state(State::Scheduled), 0).await.is_empty());
}

/// Reads all pages from a cursor on.
async fn pages(bench: &impl Bench, filter: &ListFilter) -> Vec<Id> {
    let mut filter = filter.clone();
    let mut ids = vec![];
    loop {
        let page = bench.ports().store.list(&filter).await.unwrap();
        assert!(page.runs.len() <= filter.limit);
        assert!(ids.len() < 100, "the pages of a few runs come to an end");
        ids.extend(page.runs.iter().map(|stored| stored.run.id));
        filter.cursor = page.cursor;
        if filter.cursor.is_none() {
            return ids;
        }
    }
}

/// Each run is on one page, whether or not the last page is full.
pub async fn pages_follow_each_other_without_gap_or_repetition(bench: &impl Bench) {
    let task = bench.unique("task");
    let ids = stored_runs(bench, &task, 6).await;
    assert_eq!(listed(bench, &of_task(&task), 6).await, ids);
    for limit in [1, 2, 3, 4, 6, 7] {
        assert_eq!(pages(bench, &ListFilter { limit, ..of_task(&task) }).await, ids, "pages of {limit}");
    }
}

/// The same with a filter that leaves runs out between those that fit.
pub async fn pages_of_one_state_have_all_of_it(bench: &impl Bench) {
    let task = bench.unique("task");
    let mut completed = vec![];
    for state in [State::Completed, State::Aborted, State::Completed, State::Failed, State::Completed] {
        let run = stored_run(bench, &task).await;
        let run = ended_run(bench, run, state, days(1)).await;
        if state == State::Completed {
            completed.insert(0, run.id);
        }
        bench.pass(Duration::from_millis(2)).await;
    }
    let filter = ListFilter { state: Some(State::Completed), ..of_task(&task) };
    assert_eq!(listed(bench, &filter, 3).await, completed);
    for limit in [1, 2, 3] {
        assert_eq!(pages(bench, &ListFilter { limit, ..filter.clone() }).await, completed, "pages of {limit}");
    }
}

/// Runs that are added while somebody reads are newer, and push nothing off the next page.
pub async fn a_cursor_stays_valid_while_runs_are_added(bench: &impl Bench) {
    let task = bench.unique("task");
    let ids = stored_runs(bench, &task, 4).await;
    assert_eq!(listed(bench, &of_task(&task), 4).await, ids);
    let first = bench.ports().store.list(&ListFilter { limit: 2, ..of_task(&task) }).await.unwrap();

    let added = stored_runs(bench, &task, 3).await;
    listed(bench, &of_task(&task), ids.len() + added.len()).await;
    bench.reopen().await;

    assert!(first.cursor.is_some());
    let rest = pages(bench, &ListFilter { cursor: first.cursor, ..of_task(&task) }).await;
    assert_eq!(rest, ids[2..]);
}

/// A cursor is taken from a page, not made up.
pub async fn what_is_no_cursor_is_refused(bench: &impl Bench) {
    for cursor in ["", "next", "01JD0000000000000000000000"] {
        let filter = ListFilter { cursor: Some(cursor.to_owned()), ..of_task(&bench.unique("task")) };
        let error = bench.ports().store.list(&filter).await.unwrap_err();
        assert_eq!(error.kind(), PortErrorKind::Refused, "{cursor:?}: {error}");
    }
}

/// A run whose time is up is on no page.
pub async fn an_expired_run_is_not_listed(bench: &impl Bench) {
    let task = bench.unique("task");
    let run = stored_run(bench, &task).await;
    ended_run(bench, run, State::Completed, seconds(1)).await;
    let kept = stored_run(bench, &task).await.id;

    bench.pass(seconds(3)).await;

    assert_eq!(listed(bench, &of_task(&task), 1).await, [kept]);
    let completed = ListFilter { state: Some(State::Completed), ..of_task(&task) };
    assert!(listed(bench, &completed, 0).await.is_empty());
}
