//! The import as an app runs it: pages, pauses, progress, abort.

use app::{IMPORT_AIRPORTS, Import, Imported, VALIDATE_PAGE, Validation};
use dacapo::{Json, State, prelude::*};
use dacapo_test_kit::TestApp;

#[tokio::test]
async fn import_with_an_empty_body_reads_all_airports_page_by_page() {
    let app = TestApp::new().with(import_airports::function());
    app.run_by_name("import-airports", Json::default()).await.unwrap();

    app.advance(seconds(5)).await;
    let run = app.run_of(IMPORT_AIRPORTS);
    assert_eq!((run.state, run.iteration), (State::Waiting, 4));
    assert_eq!(run.progress_message.as_deref(), Some("3000 of 7884 airports"));

    app.run_until_idle().await;
    let run = app.run_of(IMPORT_AIRPORTS);
    assert_eq!((run.state, run.iteration, run.progress_percent), (State::Completed, 8, Some(1.0)));
    let imported: Imported = run.result.unwrap().parse().unwrap();
    assert_eq!((imported.rows, imported.countries), (7_884, 233));
    assert_eq!(imported.northernmost.unwrap().iata, "YLT");
}

#[tokio::test]
async fn import_without_a_pause_completes_in_one_iteration() {
    let app = TestApp::new().with(import_airports::function());
    app.run(IMPORT_AIRPORTS, Import { pause_s: 0, ..Import::default() }).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(IMPORT_AIRPORTS);
    assert_eq!((run.state, run.iteration), (State::Completed, 1));
}

#[tokio::test]
async fn import_that_waits_is_aborted_at_once() {
    let app = TestApp::new().with(import_airports::function());
    let id = app.run(IMPORT_AIRPORTS, Import::default()).await.unwrap().id();
    app.advance(seconds(1)).await;
    app.abort(id, "not today").await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(IMPORT_AIRPORTS);
    assert_eq!((run.state, run.message.as_deref()), (State::Aborted, Some("not today")));
}

#[tokio::test]
async fn import_with_no_rows_a_page_fails_without_another_try() {
    let app = TestApp::new().with(import_airports::function());
    app.run(IMPORT_AIRPORTS, Import { rows_per_page: 0, ..Import::default() }).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(IMPORT_AIRPORTS);
    assert_eq!((run.state, run.attempt, run.error_code.as_deref()), (State::Failed, 1, Some("BAD_PAGE")));
}

#[tokio::test]
async fn import_that_is_asked_to_validate_waits_for_a_run_of_each_page_first() {
    let app = TestApp::new().with(import_airports::function()).with(validate_page::function());
    let import = Import { validation: Validation::Asked, pause_s: 0, ..Import::default() };
    let id = app.run(IMPORT_AIRPORTS, import).await.unwrap().id();
    app.run_until_idle().await;
    let run = app.run_of(IMPORT_AIRPORTS);
    assert_eq!((run.state, run.iteration), (State::Completed, 2));
    assert_eq!(run.result.unwrap().parse::<Imported>().unwrap().rows, 7_884);
    let pages = app.runs_of(VALIDATE_PAGE);
    assert_eq!(pages.len(), 8);
    assert!(pages.iter().all(|page| page.state == State::Completed && page.parent_id == Some(id)));
}

#[tokio::test]
async fn import_with_a_page_that_is_not_valid_fails_as_that_does() {
    let refuse = task(VALIDATE_PAGE, async |page: app::Page, _: TaskContext| match page.first_row {
        3_000 => Err(TaskError::terminal("row 3000 is no airport").code("BAD_AIRPORT")),
        _ => Ok(page.airports.len()),
    });
    let app = TestApp::new().with(import_airports::function()).with(refuse);
    app.run(IMPORT_AIRPORTS, Import { validation: Validation::Asked, ..Import::default() }).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(IMPORT_AIRPORTS);
    assert_eq!((run.state, run.error_code.as_deref()), (State::Failed, Some("BAD_AIRPORT")));
    assert_eq!(run.error_message.as_deref(), Some("row 3000 is no airport"));
}

#[tokio::test]
async fn import_that_needs_an_approval_waits_for_it_and_reads_all_airports_or_none() {
    for (word, state, rows) in
        [(Some(true), State::Completed, Some(7_884)), (Some(false), State::Aborted, None), (None, State::Aborted, None)]
    {
        let app = TestApp::new().with(import_airports::function());
        let job = Import { needs_approval: true, pause_s: 0, ..Import::default() };
        let id = app.run(IMPORT_AIRPORTS, job).await.unwrap().id();
        app.advance(days(2)).await;
        assert_eq!((app.run_of(IMPORT_AIRPORTS).state, app.logs(id).await.unwrap().len()), (State::Waiting, 1));
        if let Some(granted) = word {
            app.complete(app.token_of(id, "approve"), granted).await.unwrap();
        }
        app.run_until_idle().await;
        let run = app.run_of(IMPORT_AIRPORTS);
        let imported = run.result.map(|result| result.parse::<Imported>().unwrap().rows);
        assert_eq!((run.state, imported), (state, rows));
    }
}
