//! The event's deliveries, in virtual time.

use app::my_name::{MY_NAME, MyNameBody};
use dacapo::{DeliveryFilter, DeliveryState};
use dacapo_test_kit::TestApp;

/// The states of the deliveries that have failed, once the event has been published.
async fn failed(who: &str) -> Result<Vec<DeliveryState>, dacapo::Error> {
    let app = TestApp::new().with(app::hooks().around(my_name::function()));
    let body = MyNameBody { who: who.to_owned() };
    app.publish(MY_NAME, body).await?;
    app.run_until_idle().await;
    let deliveries = app.client().deliveries();
    let failed = deliveries.list(DeliveryFilter::default()).await?.deliveries;
    Ok(failed.iter().map(|delivery| delivery.state).collect())
}

#[tokio::test]
async fn event_that_can_be_handled_leaves_no_failed_delivery() -> Result<(), dacapo::Error> {
    assert!(failed("Ada").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn event_that_can_not_be_handled_is_kept_as_dropped() -> Result<(), dacapo::Error> {
    let who = "Ada".repeat(50);
    assert_eq!(failed(&who).await?, [DeliveryState::Dropped]);
    Ok(())
}
