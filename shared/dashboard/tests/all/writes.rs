//! The forms, and the pages that may send them.

use crate::browser::{Browser, form};
use crate::sample::{self, CHARGE, Charge, IMPORT, Import, REPORT};
use axum::http::{HeaderValue, StatusCode};
use dacapo::prelude::*;
use dacapo_domain::{Id, State, Trigger};
use dacapo_test_kit::TestApp;

fn id(path: &str) -> Id {
    path.strip_prefix("/run/").unwrap().parse().unwrap()
}

#[tokio::test]
async fn form_with_a_body_and_a_time_starts_a_run() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    let page =
        browser.press("/start", &[("task", "import-airports"), ("body", r#"{"file": "a.csv"}"#), ("when", "")]).await;
    let run = app.state(id(page.next())).await.unwrap();
    assert_eq!((run.name.as_str(), run.body.unwrap().text()), ("import-airports", r#"{"file": "a.csv"}"#));

    let later = [("task", "import-airports"), ("body", r#"{"file": "b.csv"}"#), ("when", "2 hours")];
    let run = app.state(id(browser.press("/start", &later).await.next())).await.unwrap();
    assert_eq!((run.state, run.due_at), (State::Scheduled, app.now() + hours(2)));
}

#[tokio::test]
async fn form_that_is_refused_keeps_what_was_typed_and_says_why() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    for (task, body, when, status, says) in [
        ("import-airports", "{\"file\":\n oops}", "", 422, "expected value at line 2 column 2"),
        ("import-airports", "{}", "90 sec", 422, "write &quot;90 seconds&quot;"),
        ("import-airport", "{}", "", 404, "did you mean &quot;import-airports&quot;?"),
        ("nightly-report", "{}", "", 409, "private"),
    ] {
        let page = browser.press("/start", &[("task", task), ("body", body), ("when", when)]).await;
        assert_eq!(page.status.as_u16(), status, "{task}: {}", page.text);
        page.shows(says);
        assert_eq!(page.between("<textarea", "</textarea>").split_once('>').unwrap().1, body.replace('"', "&quot;"));
    }
    assert_eq!(browser.get("/").await.runs(), Vec::<&str>::new(), "nothing was started");
}

#[tokio::test]
async fn form_opened_from_a_run_holds_its_body() {
    let app = sample::empty();
    let id = app.run(CHARGE, Charge { customer: 7, amount: 1.5 }).await.unwrap().id();
    let page = Browser::of(app.client()).get(&format!("/start?task=charge+%3Ccard%3E&from={id}")).await;
    page.shows("&quot;customer&quot;: 7").shows("&quot;amount&quot;: 1.5");
}

#[tokio::test]
async fn buttons_of_a_run_abort_and_replay_it() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    let first = app.run(IMPORT, Import { file: "a.csv".to_owned(), next_row: 0 }).await.unwrap().id();
    app.advance(minutes(1)).await;

    let page = browser.press(&format!("/run/{first}/abort"), &[("message", "wrong file")]).await;
    assert_eq!(page.next(), format!("/run/{first}"));
    let run = app.state(first).await.unwrap();
    assert_eq!((run.state, run.message.as_deref()), (State::Aborted, Some("wrong file")));
    let again = browser.press(&format!("/run/{first}/abort"), &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    again.shows("it is aborted");

    browser.get(&format!("/run/{first}")).await.shows(&format!("href=\"/start?replay={first}\""));
    let page = browser.get(&format!("/start?replay={first}")).await;
    page.shows("Replay import-airports").shows("&quot;file&quot;: &quot;a.csv&quot;");
    let edited = page.filled("/start", &[("body", r#"{"file": "b.csv"}"#)]);
    let replayed = app.state(id(browser.send(form("/start", &edited)).await.next())).await.unwrap();
    assert_eq!((replayed.trigger, replayed.parent_id), (Trigger::Replay, Some(first)));
    assert_eq!(replayed.body.unwrap().text(), r#"{"file": "b.csv"}"#);
    let refused = browser.send(form("/start", &page.filled("/start", &[("body", "{")]))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("Replay import-airports").shows("line 1 column 1");
}

#[tokio::test]
async fn private_task_is_replayed_with_the_body_that_it_had_in_whatever_layout_but_with_no_other() {
    let app = sample::empty();
    app.advance(minutes(1)).await;
    let (first, browser) = (app.run_of(REPORT).id, Browser::of(app.client()));
    let page = browser.get(&format!("/start?replay={first}")).await;
    let refused = browser.send(form("/start", &page.filled("/start", &[("body", "\"another\"")]))).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    refused.shows("private");
    let sent = browser.send(form("/start", &page.filled("/start", &[("body", " \"the week\"\r\n")]))).await;
    assert_eq!(app.state(id(sent.next())).await.unwrap().parent_id, Some(first));
}

#[tokio::test]
async fn buttons_of_a_run_pause_resume_and_reschedule_it() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    let run = app.run(IMPORT, Import { file: "a.csv".to_owned(), next_row: 0 }).after(hours(1)).await.unwrap().id();
    let path = format!("/run/{run}");
    let state = async || app.state(run).await.unwrap();
    browser.get(&path).await.shows(&format!("{path}/pause")).shows("Reschedule…");
    assert_eq!(browser.press(&format!("{path}/reschedule"), &[("when", " 2 hours ")]).await.next(), path);
    assert_eq!(state().await.due_at, app.now() + hours(2));
    let refused = browser.press(&format!("{path}/reschedule"), &[("when", "90 sec")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("write &quot;90 seconds&quot;");
    assert_eq!(browser.press(&format!("{path}/pause"), &[]).await.next(), path);
    assert_eq!(state().await.state, State::Paused);
    browser.get(&path).await.shows(&format!("{path}/resume"));
    assert_eq!(browser.press(&format!("{path}/resume"), &[]).await.next(), path);
    assert_eq!(state().await.state, State::Scheduled);
    assert_eq!(browser.press(&format!("{path}/resume"), &[]).await.status, StatusCode::CONFLICT);
    let stale = browser.send(form(&format!("{path}/reschedule"), &[("token", "old"), ("when", "3 hours")])).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN);
    stale.shows("value=\"3 hours\"");
}

#[tokio::test]
async fn token_that_a_run_waits_for_is_completed_on_its_page_and_that_of_another_run_is_refused_there() {
    const PAY: TaskRef<u64, u64> = TaskRef::new("pay");
    let pay = async |cents: u64, cx: TaskContext| {
        let token = cx.token("approve").await?;
        match cx.told::<bool>("approve").await? {
            Some(_) => Ok(Done(cents)),
            None => Ok(Continue::when_told(token, cents)),
        }
    };
    let app = TestApp::new().with(task(PAY, pay));
    let (one, other) = (app.run(PAY, 1).await.unwrap().id(), app.run(PAY, 2).await.unwrap().id());
    app.advance(minutes(1)).await;
    let browser = Browser::of(app.client());
    let path = format!("/run/{one}/complete");
    browser.get(&format!("/run/{one}")).await.shows("token &quot;approve&quot;").shows(&path);
    let token = app.token_of(one, "approve");
    for (text, value, says) in [
        (app.token_of(other, "approve").as_str(), "true", "complete it on its page"),
        (&token, "yes", "Failed to read the value as JSON"),
        ("approve", "true", "read the token of 7 bytes"),
    ] {
        let page = browser.press(&path, &[("text", text), ("value", value)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        page.shows(says);
    }
    let stale = browser.send(form(&path, &[("token", "old"), ("text", &token), ("value", "[1]")])).await;
    stale.shows(&token).shows("[1]</textarea>");
    assert_eq!(browser.press(&path, &[("text", &token), ("value", "true")]).await.next(), format!("/run/{one}"));
    app.run_until_idle().await;
    assert_eq!(
        (app.state(one).await.unwrap().state, app.state(other).await.unwrap().state),
        (State::Completed, State::Waiting)
    );
    assert_eq!(browser.press(&path, &[("text", &token), ("value", "true")]).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn form_of_an_event_publishes_it_once_and_leads_to_its_deliveries() {
    let app = sample::shop();
    let browser = Browser::of(app.client());
    browser.get("/start").await.shows("href=\"/start?event=order.sent\"").shows("order &lt;placed&gt;");
    let page = browser.get("/start?event=order.sent").await;
    page.shows("Publish order.sent");
    let fields = page.filled("/start", &[("body", "7")]);
    for _ in 0..2 {
        assert_eq!(browser.send(form("/start", &fields)).await.next(), "/deliveries?event=order.sent");
        app.advance(minutes(1)).await;
    }
    let filter = dacapo::DeliveryFilter { event: Some("order.sent".to_owned()), ..dacapo::DeliveryFilter::default() };
    let listed = app.client().deliveries().list(filter).await.unwrap().deliveries;
    assert_eq!((listed.len(), listed[0].body.as_ref().unwrap().text()), (1, "7"));
    let refused = browser.press("/start", &[("event", "order.sent"), ("body", "{")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    browser.get("/start?event=order.lost").await.shows("The app has no handler of an event of this name");
}

#[tokio::test]
async fn form_of_a_task_offers_its_last_bodies_and_takes_tags() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    for file in ["a.csv", "b.csv", "b.csv"] {
        app.run(IMPORT, Import { file: file.to_owned(), next_row: 0 }).await.unwrap();
        app.advance(minutes(1)).await;
    }
    let page = browser.get("/start?task=import-airports").await;
    assert_eq!(page.text.matches("/start?task=import-airports&amp;from=").count(), 2, "each once: {}", page.text);
    let body = [("task", "import-airports"), ("body", "{\"file\": \"c.csv\"}"), ("tags", " yearly, open data ,")];
    let run = app.state(id(browser.press("/start", &body).await.next())).await.unwrap();
    assert_eq!(run.tags, ["yearly", "open data"]);
}

#[tokio::test]
async fn write_from_another_page_or_host_is_forbidden() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    let token = browser.get("/start?task=x").await.token();
    let fields = [("task", "import-airports"), ("body", "{}"), ("token", token.as_str())];

    for (header, value) in [
        ("host", "evil.example:8788"),
        ("host", "127.0.0.1.evil.example"),
        ("origin", "http://evil.example"),
        ("origin", "http://127.0.0.1:1"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let mut request = form("/start", &fields);
        request.headers_mut().insert(header, HeaderValue::from_static(value));
        let page = browser.send(request).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{header}: {value}");
    }
    let of_another_process = Browser::of(app.client()).get("/start?task=x").await.token();
    for token in ["", "x", &of_another_process] {
        for path in [
            "/start",
            "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/abort",
            "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/pause",
            "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/resume",
            "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/reschedule",
            "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/complete",
            "/schedules",
            "/queues",
            "/delivery",
            "/deliveries/redrive",
        ] {
            let fields = [
                ("id", "1"),
                ("act", "delete"),
                ("key", "1"),
                ("task", "import-airports"),
                ("name", "nightly-report-b6a668a2"),
                ("paused", "true"),
                ("token", token),
            ];
            let page = browser.send(form(path, &fields)).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} with token {token:?}");
        }
    }
    assert_eq!(browser.get("/").await.runs(), Vec::<&str>::new(), "nothing was started");
    assert!(!app.schedules().get("nightly-report-b6a668a2").await.unwrap().paused);
    assert_eq!(browser.send(form("/start", &fields)).await.status, StatusCode::SEE_OTHER, "our own page may");
}

#[tokio::test]
async fn read_by_another_hosts_name_is_forbidden() {
    let browser = Browser::of(sample::empty().client());
    let mut request = form("/", &[]);
    *request.method_mut() = axum::http::Method::GET;
    request.headers_mut().insert("host", HeaderValue::from_static("evil.example"));
    assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN);

    let page = browser.get("/").await;
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert_eq!(page.headers["referrer-policy"], "same-origin", "with less, a form's Origin would be null");
}
