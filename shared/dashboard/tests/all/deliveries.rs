//! Deliveries that fail and dead letters: their pages and buttons.

use axum::http::StatusCode;
use dacapo::{DeliveryFilter, DeliveryState, DeliveryView, ListFilter, prelude::*};
use dacapo_test_kit::TestApp;

use crate::browser::{Browser, Page, form};
use crate::sample::{self, PLACED, SENT};

/// An app in which an event was placed and two were sent, the first attempt of each being over.
async fn shop() -> TestApp {
    let app = sample::shop();
    app.publish(PLACED, "<i>tea</i>".to_owned()).await.unwrap();
    for order in [1, 2] {
        app.publish(SENT, order).await.unwrap();
    }
    app.advance(minutes(1)).await;
    app
}

async fn dead(app: &TestApp) -> Vec<DeliveryView> {
    let filter = DeliveryFilter { state: Some(DeliveryState::Dropped), ..DeliveryFilter::default() };
    app.client().deliveries().list(filter).await.unwrap().deliveries
}

/// The deliveries that a page links to.
fn linked(page: &Page) -> usize {
    page.text.matches("href=\"/delivery?id=").count()
}

/// The address of the first delivery that a page links to.
fn first(page: &Page) -> String {
    format!("/delivery?id={}", page.between("href=\"/delivery?id=", "\""))
}

#[tokio::test]
async fn deliveries_are_listed_by_state_function_and_event() {
    let app = shop().await;
    let browser = Browser::of(app.client());
    for (path, count) in [
        ("/deliveries", 3),
        ("/deliveries?state=retrying", 1),
        ("/deliveries?state=dropped", 2),
        ("/deliveries?state=delivered", 0),
        ("/deliveries?function=events-1", 1),
        ("/deliveries?event=order+%3Cplaced%3E&function=&state=&cursor=", 1),
        ("/deliveries?event=order.sent&state=dropped", 2),
    ] {
        assert_eq!(linked(&browser.get(path).await), count, "{path}");
    }
    browser.get("/deliveries?state=delivered").await.shows("No deliveries here");
    browser.get("/deliveries?state=dropped").await.shows("<h1>Dead letters</h1>").shows("Redrive all…");
    for (path, status, says) in [
        ("/deliveries?state=dead", 404, "is not a state of a delivery (allowed: retrying, dropped, delivered)"),
        ("/deliveries?event=order.sen", 404, "did you mean"),
        ("/deliveries?event=a&event=b", 400, "duplicate field"),
        ("/delivery?id=1%2Fa%2Fb", 404, "failed to find delivery"),
        ("/delivery", 404, "failed to find delivery"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status.as_u16(), status, "{path}");
        page.shows(says).shows("role=\"alert\"");
    }
}

#[tokio::test]
async fn page_of_a_delivery_shows_body_attempts_handlers_last_error_and_next_try_with_markup_escaped() {
    let app = shop().await;
    let browser = Browser::of(app.client());
    let list = browser.get("/deliveries?state=retrying").await;
    list.shows("order &lt;placed&gt;</a>").shows("<b>NO_&lt;STOCK&gt;</b> no stock of &lt;b&gt;");
    let page = browser.get(&first(&list)).await;
    page.shows("state retrying").shows("in 59 min").shows("<dt>Attempts</dt><dd>1</dd>").shows("events-1");
    page.shows("<h2>Body</h2>").shows("&quot;&lt;i&gt;tea&lt;/i&gt;&quot;").shows("sample::shop");
    for page in [list, page] {
        assert!(!page.text.contains("<placed>") && !page.text.contains("<i>tea"), "{}", page.text);
        assert!(!page.text.contains("Redrive"), "it is no dead letter: {}", page.text);
    }
}

#[tokio::test]
async fn dead_letter_is_redriven_by_its_button_and_a_second_press_is_refused() {
    let app = shop().await;
    let browser = Browser::of(app.client());
    let address = first(&browser.get("/deliveries?state=dropped").await);
    let page = browser.get(&address).await;
    let redrive = page.filled("/delivery", &[]);
    let redrive: Vec<_> =
        redrive.into_iter().map(|(name, value)| (name, if name == "act" { "redrive" } else { value })).collect();
    assert_eq!(browser.send(form("/delivery", &redrive)).await.next(), address);
    browser
        .get(&address)
        .await
        .shows("state retrying")
        .shows("<dt>Attempts</dt><dd>0</dd>")
        .shows("<dt>Redriven</dt><dd>1</dd>");
    let again = browser.send(form("/delivery", &redrive)).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    again.shows("it is retrying and no dead letter");
    assert_eq!(dead(&app).await.len(), 1);
}

#[tokio::test]
async fn dead_letter_is_deleted_by_its_button_once_and_a_stale_form_comes_back_first() {
    let app = shop().await;
    let browser = Browser::of(app.client());
    let address = first(&browser.get("/deliveries?state=dropped").await);
    let page = browser.get(&address).await;
    let id = page.filled("/delivery", &[]).iter().find(|(name, _)| *name == "id").unwrap().1.to_owned();
    let stale = browser.send(form("/delivery", &[("token", "old"), ("id", &id), ("act", "delete")])).await;
    assert_eq!((stale.status, dead(&app).await.len()), (StatusCode::FORBIDDEN, 2));
    let delete = stale.filled("/delivery", &[]);
    assert_eq!(browser.send(form("/delivery", &delete)).await.next(), "/deliveries?state=dropped");
    assert_eq!(dead(&app).await.len(), 1);
    assert_eq!(browser.send(form("/delivery", &delete)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&address).await.status, StatusCode::NOT_FOUND);
    let page = browser.press("/delivery", &[("id", &id), ("act", "burn")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(start_paused = true)]
async fn form_that_redrives_all_of_a_filter_starts_one_bulk_run_however_often_it_is_sent() {
    let app = shop().await;
    app.advance(hours(4)).await;
    assert_eq!(dead(&app).await.len(), 3, "that of the first function too");
    let browser = Browser::of(app.client());
    let page = browser.get("/deliveries?state=dropped&event=order.sent").await;
    page.shows("All dead letters of order.sent are sent again");
    let fields = page.filled("/deliveries/redrive", &[]);
    let started = browser.send(form("/deliveries/redrive", &fields)).await;
    let again = browser.send(form("/deliveries/redrive", &fields)).await;
    assert_eq!(started.next(), again.next());
    app.run_until_idle().await;
    browser.get(started.next()).await.shows("state completed").shows("2 redriven");
    let bulk = ListFilter { task: Some("dacapo.bulk".to_owned()), ..ListFilter::default() };
    assert_eq!(app.list(bulk).await.unwrap().runs.len(), 1);
    let redriven = dead(&app).await.iter().filter(|it| it.redriven_count == 1 && it.name == "order.sent").count();
    assert_eq!(redriven, 2);
}

#[tokio::test]
async fn deliveries_beyond_one_page_are_found_by_following_the_links_and_a_cut_cursor_is_refused() {
    let app = sample::shop();
    for order in 0..60 {
        app.publish(SENT, order).await.unwrap();
    }
    app.advance(minutes(1)).await;
    let browser = Browser::of(app.client());
    let page = browser.get("/deliveries?state=dropped").await;
    let (before, _) = page.text.split_once("\" rel=\"next\"").unwrap();
    let next = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
    assert_eq!((linked(&page), linked(&browser.get(&next).await)), (50, 10));
    browser.get(&next).await.shows("Newest");
    for path in [&next[..next.len() - 3], &next.replace("dropped", "delivered"), "/?cursor=3.list", "/?cursor=%3Cb%3E"]
    {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{path}");
        page.shows("failed to read the cursor").shows("role=\"alert\"");
    }
}
