//! The fires of the reports' schedules.

use app::{NIGHTLY_REPORT, Report};
use dacapo::{Json, Trigger, prelude::*};
use dacapo_test_kit::TestApp;

#[tokio::test]
async fn schedules_of_the_reports_fire_on_working_days_and_every_seven_days() -> Result<(), dacapo::Error> {
    let app = TestApp::new().with(nightly_report::function());
    let created = app.now();
    app.advance(days(14)).await;
    let runs = app.runs_of(NIGHTLY_REPORT);
    assert!(runs.iter().all(|run| run.trigger == Trigger::Schedule));
    let of = |report: Report| {
        let fires = runs.iter().filter(move |run| run.body.as_ref().unwrap().parse::<Report>().unwrap() == report);
        fires.map(|run| run.scheduled_at.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of(Report::Day).len(), 10, "two weeks have ten working days");
    for fire in of(Report::Day) {
        assert_eq!(fire.in_tz("Europe/Berlin").unwrap().hour(), 6);
    }
    assert_eq!(of(Report::Week).first(), Some(&created), "an interval fires first when it is created");
    assert!(of(Report::Week).windows(2).all(|pair| pair[1].duration_since(pair[0]).as_hours() == 168));
    Ok(())
}

#[tokio::test]
async fn private_task_started_by_name_is_refused() {
    let app = TestApp::new().with(nightly_report::function());
    let body = Json::of(&Report::Day).unwrap();
    assert!(app.run_by_name("nightly-report", body).await.is_err());
}
