//! Ways through the pages, as a new reader goes them.

use dacapo_domain::minutes;

use crate::{
    chromium::{Chromium, Site},
    sample::{self, IMPORT, Import, MAIL, SENT},
};

pub async fn reader_starts_a_run_sees_it_live_aborts_it_and_replays_it_with_another_body() {
    let app = sample::empty();
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/").await;
    tab.shows("No runs here").await;
    tab.click("Start one").await;
    tab.shows("Start a task").await;
    tab.click("import-airports").await;
    tab.fill("body", r#"{"file": "a.csv"}"#).await;
    tab.click("Start").await;
    tab.shows("submitted").await;
    let first = tab.path().await;

    tab.value::<bool>("window.same = true").await;
    app.advance(minutes(1)).await;
    tab.shows("250 of 1000 rows").await;
    tab.shows("waiting").await;
    assert_eq!(tab.value("window.same").await, Some(true), "the page was not loaded again");
    tab.click("Abort…").await;
    tab.fill("message", "the wrong file").await;
    tab.click("Abort").await;
    tab.shows("the wrong file").await;
    tab.shows("aborted").await;

    tab.click("Replay…").await;
    tab.shows("Replay import-airports").await;
    tab.fill("body", r#"{"file": "b.csv", "next_row": 500}"#).await;
    tab.click("Replay").await;
    tab.shows("\"file\": \"b.csv\"").await;
    tab.shows("Family").await;
    assert_ne!(tab.path().await, first);
    app.run_until_idle().await;
    tab.shows("completed").await;
    tab.shows("Price on AWS").await;

    for (path, says) in [("/overview", "All is well"), ("/schedules", "Europe/Berlin"), ("/", "completed")] {
        tab.value::<()>(&format!("document.querySelector('nav a[href=\"{path}\"]').click()")).await;
        tab.shows(says).await;
    }
}

pub async fn reader_pauses_a_queue_and_redrives_a_dead_letter() {
    let app = sample::shop();
    app.publish(SENT, 7).await.unwrap();
    app.advance(minutes(1)).await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/queues").await;
    tab.click("Pause outbox").await;
    tab.until("!!document.querySelector('[aria-label=\"Resume outbox\"]')", true).await;
    app.run(MAIL, 7).await.unwrap();
    app.advance(minutes(1)).await;
    tab.go("/overview").await;
    tab.shows("queue outbox is paused, and runs wait for it").await;
    tab.click("1 dead letter").await;
    tab.click("order.sent").await;
    tab.shows("order 7 is unknown").await;
    tab.click("Redrive").await;
    tab.shows("retrying").await;
    app.advance(minutes(1)).await;
    tab.shows("dropped").await;
    tab.go("/queues").await;
    tab.click("Resume outbox").await;
    tab.until("!!document.querySelector('[aria-label=\"Pause outbox\"]')", true).await;
}

pub async fn reader_starts_and_aborts_a_run_by_keyboard_alone() {
    let app = sample::empty();
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/").await;
    tab.tab_to("it.innerText === 'Start'").await;
    tab.press("Enter").await;
    tab.shows("Start a task").await;
    tab.tab_to("it.innerText.startsWith('import-airports')").await;
    tab.press("Enter").await;
    tab.shows("Body, as JSON").await;
    tab.tab_to("it.name === 'body'").await;
    tab.value::<()>("document.activeElement.select()").await;
    tab.insert(r#"{"file": "a.csv"}"#).await;
    tab.tab_to("it.className === 'main' && it.innerText === 'Start'").await;
    tab.press("Enter").await;
    tab.shows("submitted").await;
    tab.tab_to("it.innerText === 'Abort…'").await;
    tab.press("Enter").await;
    tab.tab_to("it.name === 'message'").await;
    tab.insert("by keyboard").await;
    tab.press("Enter").await;
    tab.shows("aborted").await;
    tab.shows("by keyboard").await;
}

pub async fn second_tab_that_aborts_a_run_is_told_that_it_has_ended() {
    let app = sample::empty();
    let import = Import { file: "a.csv".to_owned(), next_row: 0 };
    let path = format!("/run/{}", app.run(IMPORT, import).after(minutes(5)).await.unwrap().id());
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let (one, two) = (chromium.open(&site, &path).await, chromium.open(&site, &path).await);
    // It doesn't hear of the other one's abort in time.
    two.until("(EventSource = function () {}, leave(), true)", true).await;
    for (tab, why) in [(&two, "from two"), (&one, "from one")] {
        tab.click("Abort…").await;
        tab.fill("message", why).await;
    }
    one.click("Abort").await;
    one.shows("aborted").await;
    two.click("Abort").await;
    two.shows("it is aborted").await;
    two.go(&path).await;
    two.shows("from one").await;
}
