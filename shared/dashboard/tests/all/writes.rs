//! The forms, and the pages that may send them.

use crate::browser::{Browser, form};
use crate::sample::{self, CHARGE, Charge, IMPORT, Import};
use axum::http::{HeaderValue, StatusCode};
use dacapo_domain::{Id, State, Trigger, hours, minutes};

fn id(path: &str) -> Id {
    path.strip_prefix("/run/").unwrap().parse().unwrap()
}

#[tokio::test]
async fn form_with_a_body_and_a_time_starts_a_run() {
    let app = sample::empty();
    let browser = Browser::of(&app);
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
    let browser = Browser::of(&app);
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
    let page = Browser::of(&app).get(&format!("/start?task=charge+%3Ccard%3E&from={id}")).await;
    page.shows("&quot;customer&quot;: 7").shows("&quot;amount&quot;: 1.5");
}

#[tokio::test]
async fn buttons_of_a_run_abort_and_replay_it() {
    let app = sample::empty();
    let browser = Browser::of(&app);
    let first = app.run(IMPORT, Import { file: "a.csv".to_owned(), next_row: 0 }).await.unwrap().id();
    app.advance(minutes(1)).await;

    let page = browser.press(&format!("/run/{first}/abort"), &[("message", "wrong file")]).await;
    assert_eq!(page.next(), format!("/run/{first}"));
    let run = app.state(first).await.unwrap();
    assert_eq!((run.state, run.message.as_deref()), (State::Aborted, Some("wrong file")));
    let again = browser.press(&format!("/run/{first}/abort"), &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    again.shows("it is aborted");

    let page = browser.press(&format!("/run/{first}/replay"), &[]).await;
    let replayed = app.state(id(page.next())).await.unwrap();
    assert_eq!((replayed.trigger, replayed.body), (Trigger::Replay, run.body));
}

#[tokio::test]
async fn write_from_another_page_or_host_is_forbidden() {
    let app = sample::empty();
    let browser = Browser::of(&app);
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
    let of_another_process = Browser::of(&app).get("/start?task=x").await.token();
    for token in ["", "x", &of_another_process] {
        for path in
            ["/start", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/abort", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/replay", "/schedules"]
        {
            let fields = [
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
    let browser = Browser::of(&sample::empty());
    let mut request = form("/", &[]);
    *request.method_mut() = axum::http::Method::GET;
    request.headers_mut().insert("host", HeaderValue::from_static("evil.example"));
    assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN);

    let page = browser.get("/").await;
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert_eq!(page.headers["referrer-policy"], "same-origin", "with less, a form's Origin would be null");
}
