//! Lists of runs: filtered by task and state, page by page, newest first.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::collections::BTreeMap;

use dacapo::{ErrorKind, Id, Json, ListFilter, State, Trigger, prelude::*};
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
    ListFilter { task: task.map(|task| task.name().to_owned()), state, limit, ..ListFilter::default() }
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

/// The ids of the pages that a filter gives, a page after the other.
async fn ids(app: &TestApp, mut filter: ListFilter) -> Vec<Id> {
    let mut ids = vec![];
    for _ in 0..100 {
        let page = app.list(filter.clone()).await.unwrap();
        assert!(page.runs.len() <= filter.limit);
        ids.extend(page.runs.iter().map(|run| run.id));
        filter.cursor = page.cursor;
        if filter.cursor.is_none() {
            return ids;
        }
    }
    panic!("pages of a few runs come to an end");
}

const TAGGED: TaskRef<Vec<String>> = TaskRef::new("tagged");

/// Takes its input for its tags.
async fn tagged(tags: Vec<String>, cx: TaskContext) -> Result<(), TaskError> {
    if !tags.is_empty() {
        cx.update_task(BTreeMap::from([("tags", tags)])).await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn run_is_listed_under_each_of_its_tags_and_under_new_ones_once_it_has_them() {
    let app = TestApp::new().with(task(TAGGED, tagged)).with(task(EVEN, third_fails));
    let all: Vec<String> = (0..10).map(|n| format!("tag {n}")).collect();
    let first = app.run(TAGGED, vec![]).tags(all.clone()).await.unwrap().id();
    app.advance(seconds(1)).await;
    let moved =
        app.run(TAGGED, vec!["tag 1".to_owned(), "new".to_owned()]).tags(["tag 0", "tag 3"]).await.unwrap().id();
    app.advance(seconds(1)).await;
    let failed = app.run(EVEN, 3).tags(["tag 0", "tag 0"]).await.unwrap().id();
    app.run_until_idle().await;
    let by = |tag: &str| ListFilter { tag: Some(tag.to_owned()), limit: 1, ..ListFilter::default() };
    assert_eq!(ids(&app, by("tag 0")).await, [failed, first]);
    assert_eq!(ids(&app, by("tag 1")).await, [moved, first]);
    assert_eq!(ids(&app, by("tag 3")).await, [first]);
    assert_eq!(ids(&app, by("tag 9")).await, [first]);
    assert_eq!(ids(&app, by("new")).await, [moved]);
    assert_eq!(ids(&app, by("none")).await, []);
    assert_eq!(ids(&app, ListFilter { task: Some("even".to_owned()), ..by("tag 0") }).await, [failed]);
    assert_eq!(ids(&app, ListFilter { state: Some(State::Completed), ..by("tag 0") }).await, [first]);
}

const PARENT: TaskRef<u32> = TaskRef::new("parent");

#[tokio::test(start_paused = true)]
async fn runs_are_listed_by_the_run_or_the_schedule_that_started_them() {
    let start = async |n: u32, cx: TaskContext| {
        for child in 0..n {
            cx.run(ODD, child * 2 + 1).await?;
        }
        Ok::<(), TaskError>(())
    };
    let app = TestApp::new().with(task(PARENT, start).schedule(every("1 hour"), 0)).with(task(ODD, third_fails));
    let parent = app.run(PARENT, 3).await.unwrap().id();
    app.run(PARENT, 2).await.unwrap();
    app.run_until_idle().await;
    let replay = app.replay(parent, Some(Json::of(&0).unwrap())).await.unwrap().id();
    app.advance(hours(3)).await;

    let of = ListFilter { parent: Some(parent), ..ListFilter::default() };
    let children = app.list(of.clone()).await.unwrap().runs;
    assert_eq!(children.len(), 4);
    assert!(children.iter().all(|run| run.parent_id == Some(parent)));
    assert!(children.iter().any(|run| run.id == replay));
    let odd = ListFilter { task: Some("odd".to_owned()), state: Some(State::Failed), limit: 1, ..of };
    assert_eq!(ids(&app, odd).await.len(), 1, "3 is a third");

    let schedule = app.schedules().list().await.unwrap()[0].name.clone();
    let fired = app.list(ListFilter { schedule: Some(schedule), ..ListFilter::default() }).await.unwrap().runs;
    assert!((3..=4).contains(&fired.len()), "{}", fired.len());
    assert!(
        fired.is_sorted_by_key(|run| std::cmp::Reverse(run.id))
            && fired.iter().all(|run| run.trigger == Trigger::Schedule)
    );
}

#[tokio::test(start_paused = true)]
async fn window_of_time_has_its_first_instant_and_not_its_last() {
    let app = twelve().await;
    let start = app.now() - seconds(12);
    let since = |n: u64| Some(start + seconds(n));
    for limit in [1, 3, 100] {
        let of = |since, until, task| ListFilter { since, until, ..filter(task, None, limit) };
        assert_eq!(pages(&app, of(since(9), None, None)).await.concat(), [11, 10, 9]);
        assert_eq!(pages(&app, of(None, since(2), None)).await.concat(), [1, 0]);
        assert_eq!(pages(&app, of(since(3), since(6), None)).await.concat(), [5, 4, 3]);
        assert_eq!(pages(&app, of(since(3), since(6), Some(ODD))).await.concat(), [5, 3]);
        let failed = ListFilter { state: Some(State::Failed), ..of(since(1), since(7), None) };
        assert_eq!(pages(&app, failed).await.concat(), [6, 3]);
    }
    for until in [since(3), since(1)] {
        let none = ListFilter { since: since(3), until, ..ListFilter::default() };
        let error = app.list(none).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().ends_with("(since is the earlier one)"), "{error}");
    }
}

const WAITS: TaskRef<u32> = TaskRef::new("waits");

#[tokio::test(start_paused = true)]
async fn unfinished_runs_are_listed_by_when_they_are_due() {
    let wait = async |n: u32, _: TaskContext| match n {
        0 => Err(TaskError::from("again").retry_at(minutes(20))),
        1 => Ok(Done(())),
        n => Ok(Continue::after(minutes(u64::from(n)), 1_u32)),
    };
    let app = TestApp::new().with(task(WAITS, wait)).with(task(EVEN, third_fails));
    let start = async |n, after: Option<u64>| {
        let run = app.run(WAITS, n);
        match after {
            Some(after) => run.after(minutes(after)).await.unwrap().id(),
            None => run.await.unwrap().id(),
        }
    };
    let in_a_day = start(24 * 60, None).await;
    let in_two_days = start(1, Some(48 * 60)).await;
    let soon = start(1, Some(10)).await;
    let is_tried_again = start(0, None).await;
    let in_an_hour = start(60, None).await;
    let is_over = start(1, None).await;
    let of_another = app.run(EVEN, 1).after(minutes(30)).await.unwrap().id();
    app.advance(minutes(1)).await;
    let paused = start(1, Some(90)).await;
    app.client().pause(paused).await.unwrap();

    let all = [soon, is_tried_again, of_another, in_an_hour, paused, in_a_day, in_two_days];
    for limit in [1, 3, 100] {
        let unfinished = ListFilter { unfinished: true, limit, ..ListFilter::default() };
        assert_eq!(ids(&app, unfinished.clone()).await, all, "{limit} a page");
        let of_task = ListFilter { task: Some("even".to_owned()), ..unfinished.clone() };
        assert_eq!(ids(&app, of_task).await, [of_another]);
        let in_state = ListFilter { state: Some(State::Paused), ..unfinished };
        assert_eq!(ids(&app, in_state).await, [paused]);
    }
    assert!(app.state(is_over).await.unwrap().state.is_final());
    let final_ones = ListFilter { unfinished: true, state: Some(State::Failed), ..ListFilter::default() };
    assert_eq!(app.list(final_ones).await.unwrap_err().kind(), ErrorKind::Usage);
}

#[tokio::test(start_paused = true)]
async fn unfinished_runs_that_are_due_at_one_time_are_each_on_one_page() {
    let app = TestApp::new().with(task(EVEN, third_fails));
    let mut all = vec![];
    for n in 0..7 {
        all.push(app.run(EVEN, n).await.unwrap().id());
        all.push(app.run(EVEN, n).after(minutes(1)).await.unwrap().id());
    }
    all.sort_unstable();
    for limit in [1, 2, 3, 14] {
        let mut found = ids(&app, ListFilter { unfinished: true, limit, ..ListFilter::default() }).await;
        found.sort_unstable();
        assert_eq!(found, all, "{limit} a page");
    }
}

#[tokio::test(start_paused = true)]
async fn page_of_what_is_due_is_full_where_the_conductor_looks_at_hundreds_of_others_before() {
    let app = TestApp::new().with(task(EVEN, third_fails));
    for n in 0..300 {
        let run = app.run(EVEN, n).after(seconds(1)).await.unwrap().id();
        app.reschedule(run, "1 hour").await.unwrap();
    }
    app.advance(seconds(5)).await;
    let mut due = vec![];
    for n in 0..30 {
        due.push(app.run(EVEN, n).await.unwrap().id());
    }
    let filter = ListFilter { unfinished: true, limit: 20, ..ListFilter::default() };
    let page = app.list(filter.clone()).await.unwrap();
    assert_eq!(page.runs.iter().filter(|run| due.contains(&run.id)).count(), 20);
    let next = app.list(ListFilter { cursor: page.cursor, ..filter }).await.unwrap();
    assert_eq!((next.runs.len(), next.runs.iter().filter(|run| due.contains(&run.id)).count()), (20, 10));
}

#[tokio::test(start_paused = true)]
async fn cursor_of_a_list_is_refused_by_each_other() {
    let app = twelve().await;
    let cursor = app.list(ListFilter { limit: 2, ..ListFilter::default() }).await.unwrap().cursor;
    let of = |filter: ListFilter| ListFilter { cursor: cursor.clone(), ..filter };
    let (all, at) = (ListFilter::default, Some(app.now()));
    for other in [
        ListFilter { task: Some("odd".to_owned()), ..all() },
        ListFilter { tag: Some("a".to_owned()), ..all() },
        ListFilter { parent: Some(Id::new(app.now(), 1)), ..all() },
        ListFilter { schedule: Some("a".to_owned()), ..all() },
        ListFilter { since: at, ..all() },
        ListFilter { until: at, ..all() },
        ListFilter { unfinished: true, ..all() },
    ] {
        let error = app.list(of(other.clone())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{other:?}");
        assert!(error.to_string().contains("it is of another list"), "{error}");
    }
    assert_eq!(app.list(of(ListFilter { limit: 7, ..all() })).await.unwrap().runs.len(), 7);
    let error = app.list(ListFilter { cursor: Some("next".to_owned()), ..all() }).await.unwrap_err();
    assert!(error.to_string().ends_with("it is no cursor (take it from the page before, unchanged)"), "{error}");
}
