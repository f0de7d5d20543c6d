//! Forms that are sent twice, too late, or by a browser that goes away; addresses and forms that make no sense.

use std::{pin::pin, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Request, StatusCode, header},
};
use dacapo::{RunView, State, TaskRef, prelude::*};
use dacapo_domain::{Json, minutes, seconds};
use dacapo_test_kit::TestApp;

use crate::browser::{Browser, Page, form};
use crate::sample::{self, IMPORT, Import};

/// The fields of the form that a page shows, filled.
fn filled<'a>(page: &'a Page, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let hidden = page.text.split("type=\"hidden\" name=\"").skip(1).map(|rest| {
        let (name, rest) = rest.split_once('"').unwrap();
        (name, rest.split_once("value=\"").unwrap().1.split_once('"').unwrap().0)
    });
    hidden.chain(more.iter().copied()).collect()
}

async fn all(app: &TestApp) -> Vec<RunView> {
    let filter = dacapo::ListFilter { limit: 100, ..dacapo::ListFilter::default() };
    app.list(filter).await.unwrap().runs
}

#[tokio::test]
async fn form_that_is_sent_twice_starts_one_run() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    let page = browser.get("/start?task=import-airports").await;
    let fields = filled(&page, &[("body", r#"{"file": "a.csv"}"#)]);
    let first = browser.send(form("/start", &fields)).await;
    let second = browser.send(form("/start", &fields)).await;
    assert_eq!(first.next(), second.next());

    let page = browser.get("/start?task=import-airports").await;
    let another = browser.send(form("/start", &filled(&page, &[("body", r#"{"file": "a.csv"}"#)]))).await;
    assert_ne!(first.next(), another.next(), "another form is another run");

    let page = browser.get(&first.next().replace("/run/", "/start?replay=")).await;
    let replays = filled(&page, &[("body", r#"{"file": "a.csv"}"#)]);
    let once = browser.send(form("/start", &replays)).await;
    let twice = browser.send(form("/start", &replays)).await;
    assert_eq!((once.next(), all(&app).await.len()), (twice.next(), 3));
}

#[tokio::test]
async fn form_from_before_the_dashboard_was_started_comes_back_filled_and_is_sent_again() {
    let app = sample::empty();
    let (before, browser) = (Browser::of(app.client()), Browser::of(app.client()));
    let typed = [("body", r#"{"file": "<a>.csv"}"#), ("when", "2 hours")];
    let page = before.get("/start?task=import-airports").await;
    let back = browser.send(form("/start", &filled(&page, &typed))).await;
    assert_eq!(back.status, StatusCode::FORBIDDEN);
    back.shows("Nothing was done yet")
        .shows("{&quot;file&quot;: &quot;&lt;a&gt;.csv&quot;}")
        .shows("value=\"2 hours\"");
    assert!(all(&app).await.is_empty());
    let started = browser.send(form("/start", &filled(&back, &typed))).await;
    let path = started.next();

    let aborts = browser.send(form(&format!("{path}/abort"), &[("token", "old"), ("message", "wrong file")])).await;
    assert_eq!(aborts.status, StatusCode::FORBIDDEN);
    aborts.shows("value=\"wrong file\"");
    let done = browser.send(form(&format!("{path}/abort"), &filled(&aborts, &[("message", "wrong file")]))).await;
    assert_eq!(done.next(), path);
    let run = all(&app).await.remove(0);
    assert_eq!((run.state, run.message.as_deref()), (State::Aborted, Some("wrong file")));

    let pauses = [("token", "old"), ("name", "nightly-report-b6a668a2"), ("paused", "true")];
    let back = browser.send(form("/schedules", &pauses)).await;
    assert_eq!(back.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.send(form("/schedules", &filled(&back, &[]))).await.next(), "/schedules");
    assert!(app.schedules().get("nightly-report-b6a668a2").await.unwrap().paused);
}

#[tokio::test]
async fn form_whose_browser_goes_away_is_done_all_the_same() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    let page = browser.get("/start?task=x").await;
    for polls in 1..=12 {
        let key = polls.to_string();
        let body = r#"{"file": "a.csv"}"#;
        let fields = [("task", "import-airports"), ("body", body), ("key", &key), ("token", &page.token())];
        {
            let mut send = pin!(browser.send(form("/start", &fields)));
            for _ in 0..polls {
                let _ = futures::poll!(send.as_mut());
            }
        }
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while all(&app).await.len() < polls {
            assert!(std::time::Instant::now() < deadline, "polled {polls} times: not started");
            tokio::task::yield_now().await;
        }
        app.advance(seconds(5)).await;
        assert_ne!(all(&app).await[0].state, State::Submitted, "polled {polls} times: its message is missing");
    }
}

#[tokio::test]
async fn page_of_a_long_log_shows_its_last_entries_and_leads_to_the_ones_before() {
    const CHATTY: TaskRef<u32, String> = TaskRef::new("chatty");
    let app = TestApp::new().with(task(CHATTY, async |entries: u32, cx: TaskContext| {
        for n in 1..=entries {
            cx.log_info(format!("entry {n}."), Some("<".repeat(30_000))).await?;
        }
        Ok("x".repeat(60_000) + "the end")
    }));
    let id = app.run(CHATTY, 450).await.unwrap().id();
    app.run_until_idle().await;
    let browser = Browser::of(app.client());
    let last = browser.get(&format!("/run/{id}")).await;
    let earlier = |page: &Page| {
        let before = page.text.split_once("\" rel=\"prev\"").map(|(before, _)| before.to_owned());
        before.map(|before| before.rsplit_once("href=\"").unwrap().1.to_owned())
    };
    let shown = |page: &Page| (1..=450).filter(|n| page.text.contains(&format!("entry {n}."))).collect::<Vec<_>>();
    let middle = browser.get(&earlier(&last).unwrap()).await;
    let first = browser.get(&earlier(&middle).unwrap()).await;
    assert_eq!(shown(&last), (251..=450).collect::<Vec<_>>());
    assert_eq!(shown(&middle), (51..=250).collect::<Vec<_>>());
    assert_eq!(shown(&first), (1..=50).collect::<Vec<_>>());
    assert_eq!(earlier(&first), None);
    middle.shows("The last entries");
    for page in [&last, &middle, &first] {
        assert!(page.text.len() < 6_000_000, "{} bytes", page.text.len());
    }
}

#[tokio::test]
async fn long_value_is_shown_in_part_and_says_so() {
    const ECHO: TaskRef<Json, Json> = TaskRef::new("echo");
    let app = TestApp::new().with(task(ECHO, async |body: Json, _: TaskContext| Ok(body)));
    let body = Json::from_text(format!("[{}1]", "[[]],".repeat(40_000))).unwrap();
    let id = app.run(ECHO, body).await.unwrap().id();
    let page = Browser::of(app.client()).get(&format!("/run/{id}")).await;
    page.shows("(200003 bytes)").shows("`dacapo state` gives all of it");
    assert!(page.text.len() < 200_000, "{} bytes", page.text.len());
}

#[tokio::test]
async fn request_that_makes_no_sense_is_answered_with_a_page_that_says_what_is_allowed() {
    let browser = Browser::of(sample::empty().client());
    for (path, status, says) in [
        ("/nothing/here", 404, "There is no page /nothing/here"),
        ("/run/%ff", 404, "Failed to show a run"),
        ("/run/01KDVJ29Q0Q0B9FME0N1VT25N3?before=1&before=2", 400, "duplicate field"),
        ("/?task=a&task=b", 400, "duplicate field"),
        ("/start?task=%ff&task=", 400, "can't be read"),
        (&format!("/run/{}", "x".repeat(60_000)), 404, "is not a run id"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status.as_u16(), status, "{path:.60}: {}", page.text);
        page.shows("role=\"alert\"");
        assert!(page.text.contains(says) || path.len() > 1_000, "{path:.60}: {}", page.text);
        assert!(page.text.len() < 5_000, "{path:.60}: {} bytes", page.text.len());
    }
    let twice = browser.send(form("/start", &[("task", "a"), ("task", "b")])).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    twice.shows("duplicate field").shows("send the page's own form");
    let large = "x".repeat(5_000_000);
    let page = browser.send(form("/start", &[("body", &large)])).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    page.shows("allowed: 4194304 bytes");
    let page = browser.press("/start", &[("task", "import-airports"), ("body", &"[".repeat(200)), ("when", "")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn letters_that_turn_text_around_or_command_a_terminal_are_shown_by_their_numbers() {
    const LOUD: TaskRef<String> = TaskRef::new("loud");
    let app = TestApp::new().with(task(LOUD, async |text: String, cx: TaskContext| {
        cx.log_info(&*text, Some(text.clone())).await?;
        Err::<(), _>(TaskError::terminal(text.clone()).code(text))
    }));
    let id = app.run(LOUD, "\u{202e}\u{1b}[31m\u{2066}".to_owned()).tags(["\u{200f}tag"]).await.unwrap().id();
    app.run_until_idle().await;
    let browser = Browser::of(app.client());
    for path in ["/".to_owned(), format!("/run/{id}"), "/start?task=%E2%80%AE".to_owned()] {
        let page = browser.get(&path).await;
        page.shows("\\u{202e}");
        let bare = page.text.find(['\u{202e}', '\u{1b}', '\u{2066}', '\u{200f}']);
        let value = page.text.find("value=\"\u{202e}\"").map(|at| at + "value=\"".len());
        assert_eq!(bare, value, "nowhere but where a form sends it: {}", page.text);
    }
}

#[tokio::test]
async fn read_for_another_sites_page_is_forbidden_but_a_link_there_may_be_followed() {
    let browser = Browser::of(sample::empty().client());
    let read = async |path: &str, fields: &[(&'static str, &'static str)]| {
        let mut request = Request::get(path).header("host", "127.0.0.1:8788").body(Body::empty()).unwrap();
        for (name, value) in fields {
            request.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        browser.send(request).await
    };
    for path in [
        "/",
        "/overview",
        "/start",
        "/schedules",
        "/queues",
        "/deliveries",
        "/delivery?id=1",
        "/assets/style.css",
        "/assets/live.js",
        "/assets/forms.js",
        "/nothing",
    ] {
        for site in ["cross-site", "same-site", "anything"] {
            for mode in ["no-cors", "navigate"] {
                let fields = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", "iframe")];
                assert_eq!(read(path, &fields).await.status, StatusCode::FORBIDDEN, "{path}");
            }
            let fields = [("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
            assert_ne!(read(path, &fields).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        let refused = read(path, &[("origin", "http://evil.example")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        for page in [refused, read(path, &[("sec-fetch-site", "none")]).await] {
            assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert_eq!(page.headers["cross-origin-resource-policy"], "same-origin");
        }
    }
}

#[tokio::test]
async fn abort_in_four_tabs_keeps_the_first_message() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    let run = app.run(IMPORT, Import { file: "a.csv".to_owned(), next_row: 0 }).after(minutes(5)).await.unwrap();
    for (tab, status) in [("1", 303), ("2", 409), ("3", 409), ("4", 409)] {
        let page = browser.press(&format!("/run/{}/abort", run.id()), &[("message", tab)]).await;
        assert_eq!(page.status.as_u16(), status);
    }
    assert_eq!(app.state(run.id()).await.unwrap().message.as_deref(), Some("1"));
}
