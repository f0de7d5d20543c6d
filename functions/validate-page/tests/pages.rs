//! Pages, good and bad.

use app::{Page, Place, VALIDATE_PAGE};
use dacapo::State;
use dacapo_test_kit::TestApp;

fn page(latitudes: &[f64]) -> Page {
    let place = |latitude: &f64| Place { iata: "YLT".to_owned(), name: "Alert".to_owned(), latitude: *latitude };
    Page { first_row: 100, airports: latitudes.iter().map(place).collect() }
}

#[tokio::test]
async fn page_without_a_fault_gives_its_number_of_rows() {
    let app = TestApp::new().with(validate_page::function());
    app.run(VALIDATE_PAGE, page(&[82.5, -90.0])).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(VALIDATE_PAGE).result.unwrap().text(), "2");
}

#[tokio::test]
async fn page_with_a_row_that_is_no_airport_fails_and_names_it() {
    let app = TestApp::new().with(validate_page::function());
    app.run(VALIDATE_PAGE, page(&[82.5, 90.5])).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(VALIDATE_PAGE);
    assert_eq!((run.state, run.attempt, run.error_code.as_deref()), (State::Failed, 1, Some("BAD_AIRPORT")));
    assert_eq!(run.error_message.unwrap(), "row 101 is no airport: \"YLT\" at 90.5 degrees north");
}
