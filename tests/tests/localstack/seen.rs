//! The dashboard over what AWS stores: without JavaScript everywhere, and in Chromium where there is one.

use axum::http::StatusCode;
use chaos::{CHAOS, Chaos, Mischief};
use dacapo::{hours, seconds};

use crate::{
    app::App,
    browser::Browser,
    chromium::{self, Chromium, Site},
};

#[tokio::test]
async fn every_page_is_shown_and_every_form_is_taken() {
    let app = App::deployed().await;
    let fails = Chaos { attempts: vec![Mischief::Fail; 3], ..Chaos::default() };
    let (failed, later) =
        (app.client.run(CHAOS, fails).await.unwrap(), app.client.run(CHAOS, Chaos::default()).after(hours(1)).await);
    let (failed, later) = (failed.id(), later.unwrap().id());
    app.ended(failed).await;

    let browser = Browser::of(&app.client);
    for path in ["/overview", "/start", "/schedules", "/queues", "/deliveries", "/deliveries?state=dropped"] {
        assert_eq!(browser.get(path).await.status, StatusCode::OK, "{path}");
    }
    let listed = browser.get("/?task=chaos&state=failed").await;
    assert!(listed.runs().contains(&&*failed.to_string()), "{}", listed.text);
    browser.get(&format!("/run/{failed}")).await.shows("state failed").shows("told to fail").shows("attempt 3");

    let started = browser.press("/start", &[("task", "chaos"), ("body", "{}"), ("when", "")]).await;
    let started = started.next().strip_prefix("/run/").unwrap().parse().unwrap();
    app.ended(started).await;
    browser.get(&format!("/run/{started}")).await.shows("state completed").shows("Price on AWS");

    let page = format!("/run/{later}");
    browser.get(&page).await.shows("state scheduled");
    browser.press(&format!("{page}/abort"), &[("message", "not needed")]).await;
    browser.get(&page).await.shows("state aborted").shows("not needed");
}

#[tokio::test]
async fn reader_in_chromium_starts_a_run_sees_it_live_and_aborts_another() {
    let app = App::deployed().await;
    if chromium::program().is_none() {
        eprintln!("not run: no Chromium is on the path (nor at CHROME)");
        return;
    }
    let (site, chromium) = (Site::of(&app.client), Chromium::start().await);
    let tab = chromium.open(&site, "/start?task=chaos").await;
    tab.fill("body", r#"{"continues": 1, "pause_s": 2}"#).await;
    tab.click("Start").await;
    tab.shows("Facts").await;
    tab.value::<bool>("window.same = true").await;
    tab.shows("Price on AWS").await;
    tab.shows("completed").await;
    assert_eq!(tab.value("window.same").await, Some(true), "the page was not loaded again");

    let waits = app.client.run(CHAOS, Chaos { continues: 1, pause_s: 3_600, ..Chaos::default() });
    let waits = waits.after(seconds(1)).await.unwrap().id();
    tab.go(&format!("/run/{waits}")).await;
    tab.shows("waiting").await;
    tab.click("Abort…").await;
    tab.fill("message", "seen enough").await;
    tab.click("Abort").await;
    tab.shows("aborted").await;
    tab.shows("seen enough").await;
}
