//! Lists of runs: filtered by task and state, page by page, newest first.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use dacapo::{ErrorKind, ListFilter, State, prelude::*};
use dacapo_test_kit::TestApp;

const EVEN: TaskRef<u32> = TaskRef::new("even");
const ODD: TaskRef<u32> = TaskRef::new("odd");

/// Fails every third run.
async fn third_fails(n: u32, _: TaskContext) -> Result<(), TaskError> {
    if n.is_multiple_of(3) { Err(TaskError::terminal("a third")) } else { Ok(()) }
}

/// Twelve runs, one a second: those of 3 and 9 are odd and failed, those of 0 and 6 even and failed.
async fn twelve() -> TestApp {
    let app = TestApp::new().with(task(EVEN, third_fails)).with(task(ODD, third_fails));
    for n in 0..12 {
        app.run(if n % 2 == 0 { EVEN } else { ODD }, n).await.unwrap();
        app.advance(seconds(1)).await;
    }
    app.run_until_idle().await;
    app
}

fn filter(task: Option<TaskRef<u32>>, state: Option<State>, limit: usize) -> ListFilter {
    ListFilter { task: task.map(|task| task.name().to_owned()), state, limit, cursor: None }
}

/// The bodies of the pages that a filter gives.
async fn pages(app: &TestApp, mut filter: ListFilter) -> Vec<Vec<u32>> {
    let mut pages = vec![];
    loop {
        let page = app.list(filter.clone()).await.unwrap();
        let body = |run: &dacapo::RunView| run.body.as_ref().unwrap().parse().unwrap();
        pages.push(page.runs.iter().map(body).collect());
        filter.cursor = page.cursor;
        if filter.cursor.is_none() {
            return pages;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn list_gives_each_run_once_newest_first_whatever_the_size_of_its_pages() {
    let app = twelve().await;
    let newest_first: Vec<u32> = (0..12).rev().collect();
    for limit in [1, 5, 12, 1_000] {
        let pages = pages(&app, filter(None, None, limit)).await;
        assert!(pages.iter().all(|page| page.len() <= limit), "{pages:?}");
        assert_eq!(pages.concat(), newest_first, "{limit} a page");
    }
}

#[tokio::test(start_paused = true)]
async fn list_of_a_task_or_a_state_or_both_leaves_out_all_others() {
    let app = twelve().await;
    for (task, state, expected) in [
        (Some(ODD), None, vec![11, 9, 7, 5, 3, 1]),
        (None, Some(State::Failed), vec![9, 6, 3, 0]),
        (None, Some(State::Completed), vec![11, 10, 8, 7, 5, 4, 2, 1]),
        (Some(EVEN), Some(State::Failed), vec![6, 0]),
        (Some(EVEN), Some(State::Running), vec![]),
    ] {
        for limit in [1, 2, 100] {
            let pages = pages(&app, filter(task, state, limit)).await;
            assert_eq!(pages.concat(), expected, "{task:?} {state:?}, {limit} a page");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cursor_of_another_filter_is_refused_and_so_is_a_page_of_none_or_too_many() {
    let app = twelve().await;
    let cursor = app.list(filter(None, None, 2)).await.unwrap().cursor;
    let of_failed = ListFilter { cursor, ..filter(None, Some(State::Failed), 2) };
    assert_eq!(app.list(of_failed).await.unwrap_err().kind(), ErrorKind::Refused);
    for limit in [0, 1_001] {
        assert_eq!(app.list(filter(None, None, limit)).await.unwrap_err().kind(), ErrorKind::Usage, "{limit}");
    }
}
