//! Odd input: markup, long and deep bodies, numbers beyond 2⁵³, forms and cursors of another time.

use dacapo::{TaskContext, TaskError, TaskRef, task};
use dacapo_domain::{Json, minutes};
use dacapo_test_kit::TestApp;

use crate::{
    chromium::{Chromium, Site},
    sample::{self, IMPORT, Import},
};

const ECHO: TaskRef<Json, Json> = TaskRef::new("echo");
const MARKUP: &str = "<img src=x onerror=\"window.done=1\"></textarea><script>window.done=1</script>";

fn echo() -> TestApp {
    TestApp::new().with(task(ECHO, async |body: Json, cx: TaskContext| {
        let text = body.text().to_owned();
        if text.contains("onerror") {
            cx.log_info(&*text, Some(text.clone())).await?;
            cx.progress(text.clone(), 0.5).await?;
            cx.step(MARKUP, async || Ok(())).await?;
            return Err(TaskError::terminal(text.clone()).code(text));
        }
        Ok(body)
    }))
}

pub async fn text_with_markup_in_every_field_is_shown_and_does_nothing() {
    let app = echo();
    let run = app.run(ECHO, Json::of(&MARKUP).unwrap()).tags([&MARKUP[..36]]).await.unwrap().id();
    app.run_until_idle().await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/").await;
    let query = serde_urlencoded::to_string([("q", MARKUP)]).unwrap();
    let q = query.strip_prefix("q=").unwrap();
    for path in [
        "/".to_owned(),
        format!("/run/{run}"),
        format!("/start?replay={run}"),
        format!("/start?task={q}"),
        format!("/start?event={q}"),
        format!("/?task={q}"),
        format!("/?tag={q}&since={q}"),
        format!("/?schedule={q}"),
        format!("/?cursor={q}"),
        format!("/deliveries?function={q}&event={q}"),
        format!("/delivery?id={q}"),
        format!("/run/{q}"),
        format!("/{q}"),
    ] {
        tab.go(&path).await;
        tab.until("document.querySelector('main h1')?.innerText.length > 0", true).await;
        assert_eq!(
            tab.value("'done' in window || !!document.querySelector('main img, main script')").await,
            Some(false)
        );
    }
    tab.go(&format!("/start?replay={run}")).await;
    assert_eq!(tab.value("JSON.parse(document.querySelector('textarea').value)").await, Some(MARKUP.to_owned()));
}

pub async fn body_that_is_long_deep_or_precise_comes_back_as_it_was() {
    let app = echo();
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/start?task=echo").await;
    for (body, shown) in [
        (format!("\"{}\"", "x".repeat(250_000)), "(250002 bytes)"),
        (format!("{}{}", "[".repeat(120), "]".repeat(120)), "completed"),
        (r#"{"id":9007199254740993,"b":1.10,"a":123456789012345678901234567890}"#.to_owned(), "9007199254740993"),
    ] {
        tab.go("/start?task=echo").await;
        tab.fill("body", &body).await;
        tab.click("Start").await;
        tab.shows("submitted").await;
        app.run_until_idle().await;
        tab.shows(shown).await;
        let id = tab.path().await.strip_prefix("/run/").unwrap().parse().unwrap();
        let run = app.state(id).await.unwrap();
        assert!(run.body.is_some_and(|kept| kept.text() == body), "{shown}");
        app.advance(minutes(1)).await;
    }
    for (body, says) in [(r#""\ud800""#.to_owned(), "surrogate"), ("[".repeat(5_000) + &"]".repeat(5_000), "levels")] {
        tab.go("/start?task=echo").await;
        tab.fill("body", &body).await;
        tab.click("Start").await;
        tab.shows(says).await;
        assert_eq!(tab.value("document.querySelector('textarea').value").await, Some(body));
    }
}

pub async fn json_is_checked_as_it_is_typed_with_its_line_and_laid_out_to_the_digit() {
    let app = echo();
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/start?task=echo").await;
    tab.fill("body", "{\"a\": 1,\n  oops}").await;
    tab.shows("Line 2, column 3:").await;
    assert_eq!(
        tab.value("document.querySelector('textarea').getAttribute('aria-invalid')").await,
        Some("true".to_owned())
    );
    let told = "document.getElementById(document.querySelector('textarea').getAttribute('aria-describedby')).innerText";
    assert!(tab.value::<String>(told).await.unwrap().starts_with("Line 2"));
    tab.click("Start").await;
    tab.shows("Failed to read the body as JSON").await;

    tab.fill("body", r#"{"id":9007199254740993,"b":[1.10,{}],"a":"x, {y}"}"#).await;
    tab.click("Lay out").await;
    let laid_out = "{\n  \"id\": 9007199254740993,\n  \"b\": [\n    1.10,\n    {}\n  ],\n  \"a\": \"x, {y}\"\n}";
    tab.until("document.querySelector('textarea').value", laid_out.to_owned()).await;
    tab.until(told, String::new()).await;
}

pub async fn stale_form_and_cut_cursor_are_answered_with_what_to_do() {
    let app = sample::empty();
    for n in 0..60 {
        app.run(IMPORT, Import { file: format!("{n}.csv"), next_row: 750 }).await.unwrap();
    }
    app.run_until_idle().await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/").await;
    tab.click("Older →").await;
    tab.shows("Newest").await;
    let path = tab.path().await;
    tab.go(&path[..path.len() - 9]).await;
    tab.shows("read the cursor").await;
    tab.shows("All runs").await;

    tab.go("/start?task=import-airports").await;
    tab.fill("body", r#"{"file": "late.csv"}"#).await;
    let _site = site.again(app.client());
    tab.click("Start").await;
    tab.shows("Nothing was done yet").await;
    tab.click("Start").await;
    tab.shows("late.csv").await;
}
