//! Schedules that are refused, where they are put and where they are declared.

use dacapo::{Definition, ErrorKind, Schedule, prelude::*};
use dacapo_domain::limits;
use dacapo_test_kit::TestApp;

const REPORT: TaskRef<String> = TaskRef::new("report");
const OTHER: TaskRef<String> = TaskRef::new("other");

async fn report(_: String, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

/// A task with a schedule.
fn declared(schedule: Schedule) -> impl Function {
    task(REPORT, report).schedule(schedule, "a".to_owned())
}

#[tokio::test(start_paused = true)]
async fn put_of_a_task_that_isnt_deployed_is_refused() {
    let app = TestApp::new().with(task(REPORT, report));
    let error = app.schedules().put("s", OTHER, every("1 hour"), String::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(app.schedules().list().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn body_of_a_schedule_is_refused_where_its_run_would_be() {
    let app = TestApp::new().with(task(REPORT, report));
    for (bytes, fits) in [(limits::MESSAGE_BYTES - 1_000, true), (limits::MESSAGE_BYTES - 20, false)] {
        let body = || "x".repeat(bytes);
        assert_eq!(app.run(REPORT, body()).await.is_ok(), fits);
        let put = app.schedules().put("big", REPORT, every("1 day"), body()).await;
        assert_eq!(put.map_err(|error| error.kind()).err(), (!fits).then_some(ErrorKind::Usage));
        let declared = Definition::of(task(REPORT, report).schedule(every("1 day"), body())).describe("report");
        let problems = declared.err().unwrap_or_default();
        assert_eq!(problems.is_empty(), fits, "{problems:?}");
    }
}

#[tokio::test]
async fn schedule_that_never_fires_again_is_refused_where_it_is_put_and_the_former_one_stays() {
    let app = TestApp::new().with(task(REPORT, report));
    app.schedules().put("s", REPORT, every("1 hour"), "a".to_owned()).await.unwrap();
    for (schedule, why) in [
        (cron("0 0 1 1 ? 2025"), "it never fires after 2026-01-01T00:00:00Z (check day, month and year)"),
        (cron("0 0 30 2 ? *"), "it never fires (check day, month and year)"),
    ] {
        let error = app.schedules().put("s", REPORT, schedule, "b".to_owned()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().ends_with(why), "{error}");
        assert_eq!(app.schedules().get("s").await.unwrap().body.text(), "\"a\"");
    }
    let described = Definition::of(declared(cron("0 0 30 2 ? *"))).describe("report").unwrap_err();
    assert!(described[0].ends_with("it never fires (check day, month and year)"), "{described:?}");
}

#[test]
#[should_panic(
    expected = "the functions can't be deployed: task \"report\": schedule \"0 0 1 1 ? 2025\" in UTC: it never \
                           fires after 2026-01-01T00:00:00Z (check day, month and year)"
)]
fn app_with_a_declared_schedule_that_never_fires_again_is_refused_by_the_kit() {
    let _ = TestApp::new().with(declared(cron("0 0 1 1 ? 2025")));
}
