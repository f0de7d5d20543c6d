//! The page of queues, and its buttons.

use axum::http::StatusCode;
use dacapo::QueueState;
use dacapo_test_kit::TestApp;

use crate::browser::{Browser, form};
use crate::sample::{self, MAIL};

async fn outbox(app: &TestApp) -> QueueState {
    app.client().queues().list().await.unwrap().into_iter().find(|queue| queue.name == "outbox").unwrap()
}

#[tokio::test]
async fn page_of_queues_shows_tasks_limits_and_what_waits() {
    let app = sample::shop();
    let browser = Browser::of(app.client());
    let page = browser.get("/queues").await;
    page.shows("<b>outbox</b>").shows("href=\"/?task=mail\"").shows("concurrency(2)").shows("0 of 2");
    page.shows("<b>charge &lt;card&gt;</b>").shows("no limit").shows("not counted").shows("nothing waits");
    app.client().queues().pause("outbox").await.unwrap();
    app.run(MAIL, 7).await.unwrap();
    app.advance(dacapo_domain::minutes(3)).await;
    browser.get("/queues").await.shows("state paused").shows("3 min ago").shows("Resume outbox");
}

#[tokio::test]
async fn form_of_a_queue_pauses_and_resumes_it_and_twice_is_as_once() {
    let app = sample::shop();
    let browser = Browser::of(app.client());
    for paused in [true, false] {
        for _ in 0..2 {
            let fields = [("name", "outbox"), ("paused", if paused { "true" } else { "false" })];
            assert_eq!(browser.press("/queues", &fields).await.next(), "/queues");
            assert_eq!(outbox(&app).await.paused_at.is_some(), paused);
        }
    }
}

#[tokio::test]
async fn form_of_a_queue_that_is_stale_comes_back_and_one_of_no_queue_is_refused_with_those_there_are() {
    let app = sample::shop();
    let browser = Browser::of(app.client());
    let back = browser.send(form("/queues", &[("token", "old"), ("name", "outbox"), ("paused", "true")])).await;
    assert_eq!(back.status, StatusCode::FORBIDDEN);
    back.shows("Nothing was done yet");
    assert_eq!(outbox(&app).await.paused_at, None);
    assert_eq!(browser.send(form("/queues", &back.filled("/queues", &[]))).await.next(), "/queues");
    assert!(outbox(&app).await.paused_at.is_some());

    let page = browser.press("/queues", &[("name", "<b>outbx"), ("paused", "true")]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    page.shows("&lt;b&gt;outbx").shows("outbox");
    let page = browser.press("/queues", &[("name", "outbox"), ("paused", "perhaps")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}
