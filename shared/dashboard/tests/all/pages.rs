//! The pages as they are shown.

use crate::browser::Browser;
use crate::sample::{self, CHARGE, Charge, IMPORT, Import, MAIL, REPORT, SENT};
use axum::http::StatusCode;
use dacapo_domain::{hours, minutes, seconds};

fn file(name: &str) -> Import {
    Import { file: name.to_owned(), next_row: 0 }
}

#[tokio::test]
async fn list_of_runs_is_newest_first_and_narrowed_by_state_and_task() {
    let app = sample::empty();
    app.advance(minutes(1)).await;
    let report = app.run_of(REPORT).id.to_string(); // A schedule's `every` fires when it is created.
    let imported = app.run(IMPORT, file("a.csv")).await.unwrap().id().to_string();
    app.advance(hours(1)).await;
    let charged = app.run(CHARGE, Charge { customer: 7, amount: 250.0 }).await.unwrap().id().to_string();
    app.advance(minutes(1)).await;

    let browser = Browser::of(app.client());
    assert_eq!(browser.get("/").await.runs(), [&charged, &imported, &report]);
    assert_eq!(browser.get("/?state=completed").await.runs(), [&imported, &report]);
    assert_eq!(browser.get("/?task=charge+%3Ccard%3E").await.runs(), [&charged]);
    assert_eq!(browser.get("/?since=30+minutes").await.runs(), [&charged]);
    let refused = browser.get("/?since=90+sec").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("write &quot;90 seconds&quot;");
    assert_eq!(browser.get("/?task=&state=aborted&cursor=").await.shows("No runs here").runs(), Vec::<&str>::new());
}

#[tokio::test]
async fn runs_beyond_one_page_are_found_by_following_the_links() {
    let app = sample::empty();
    for customer in 0..120 {
        app.run(CHARGE, Charge { customer, amount: 1.0 }).await.unwrap();
        app.advance(minutes(1)).await;
    }
    let browser = Browser::of(app.client());
    let (mut path, mut seen) = ("/?state=failed&since=3+hours".to_owned(), vec![]);
    loop {
        app.advance(seconds(1)).await;
        let page = browser.get(&path).await;
        seen.extend(page.runs().into_iter().map(ToOwned::to_owned));
        let Some((before, _)) = page.text.split_once("\" rel=\"next\"") else { break };
        path = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
    }
    let newest_first = seen.is_sorted_by(|newer, older| newer > older);
    assert!(newest_first && seen.len() == 120, "{} runs", seen.len());
}

#[tokio::test]
async fn page_of_a_run_shows_its_state_values_and_log() {
    let app = sample::empty();
    let id = app.run(IMPORT, file("airports.csv")).tags(["yearly"]).await.unwrap().id();
    app.advance(minutes(15)).await;

    let browser = Browser::of(app.client());
    let page = browser.get(&format!("/run/{id}")).await;
    page.shows("state waiting").shows("500 of 1000 rows").shows("value=\"50\"").shows("next iteration");
    page.shows("in 5 min").shows("Iteration 1, attempt 1").shows("rows 250 to 500").shows("yearly");
    page.shows("&quot;next_row&quot;: 500").shows("Abort…");
    page.shows("<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>");

    app.run_until_idle().await;
    let page = browser.get(&format!("/run/{id}")).await;
    page.shows("state completed").shows("&quot;rows&quot;: 1000");
    assert!(!page.text.contains("refresh") && !page.text.contains("Abort"), "an ended run stays as it is");
}

#[tokio::test]
async fn timeline_of_a_run_shows_its_steps() {
    let app = sample::empty();
    let id = app.run(CHARGE, Charge { customer: 7, amount: 5.0 }).await.unwrap().id();
    app.run_until_idle().await;
    let page = Browser::of(app.client()).get(&format!("/run/{id}")).await;
    page.shows("ask &lt;the bank&gt;</b>").shows("step of iteration 1, attempt 1 · took 0 ms · 4 bytes");
}

#[tokio::test]
async fn life_of_a_run_is_drawn_as_bars_of_its_waits_attempts_and_steps() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    let id = app.run(IMPORT, file("a.csv")).after(minutes(30)).await.unwrap().id();
    browser.get(&format!("/run/{id}")).await.shows("aria-label=\"put off: 30 min\"").shows("class=\"ahead\"");
    app.advance(minutes(45)).await;
    let page = browser.get(&format!("/run/{id}")).await;
    page.shows("iteration 1, attempt 1").shows("iteration 2, attempt 1").shows("aria-label=\"waits: 5 min\"");
    let id = app.run(CHARGE, Charge { customer: 7, amount: 5.0 }).await.unwrap().id();
    app.run_until_idle().await;
    let page = browser.get(&format!("/run/{id}")).await;
    page.shows("aria-label=\"ask &lt;the bank&gt;: 0 ms\"")
        .shows("<rect class=\"failed\"")
        .shows("<rect class=\"step\"");
}

#[tokio::test]
async fn page_of_a_run_leads_to_its_parent_and_its_children() {
    let app = sample::empty();
    let parent = app.run(IMPORT, file("a.csv")).await.unwrap().id();
    let child = app.replay(parent, None).await.unwrap().id();
    app.advance(minutes(1)).await;
    let browser = Browser::of(app.client());
    browser.get(&format!("/run/{parent}")).await.shows("Family").shows(&format!("href=\"/run/{child}\""));
    browser.get(&format!("/run/{child}")).await.shows("Family").shows(&format!("href=\"/run/{parent}\""));
    let alone = app.run(IMPORT, file("b.csv")).await.unwrap().id();
    assert!(!browser.get(&format!("/run/{alone}")).await.text.contains("Family"));
}

#[tokio::test]
async fn choices_of_a_state_tell_how_many_of_the_newest_are_in_it() {
    let app = sample::shop();
    let browser = Browser::of(app.client());
    for customer in 0..3 {
        app.run(CHARGE, Charge { customer, amount: 1.0 }).await.unwrap();
    }
    app.run(IMPORT, file("a.csv")).await.unwrap();
    app.publish(SENT, 1).await.unwrap();
    app.advance(minutes(1)).await;
    let page = browser.get("/?state=waiting").await;
    assert_eq!(page.runs().len(), 1);
    page.shows("failed <span class=\"count\">3</span>").shows("waiting <span class=\"count\">1</span>");
    assert!(!page.text.contains("aborted <span"), "{}", page.text);
    browser.get("/?task=import-airports").await.shows("all <span class=\"count\">1</span>");
    browser.get("/deliveries").await.shows("dropped <span class=\"count\">1</span>");

    for customer in 0..120 {
        app.run(CHARGE, Charge { customer, amount: 1.0 }).await.unwrap();
    }
    app.run_until_idle().await;
    let page = browser.get("/").await;
    page.shows("all <span class=\"count\">100+</span>").shows("title=\"counted among the newest 100\"");
}

#[tokio::test]
async fn page_of_a_run_tells_what_it_has_cost_by_list_prices() {
    let app = sample::empty();
    let id = app.run(CHARGE, Charge { customer: 7, amount: 5.0 }).await.unwrap().id();
    app.run_until_idle().await;
    let page = Browser::of(app.client()).get(&format!("/run/{id}")).await;
    page.shows("Price on AWS").shows("$0.0000").shows("a million such runs").shows("us-east-1").shows("cold starts");
}

#[tokio::test]
async fn overview_says_that_all_is_well_or_what_needs_a_look_and_leads_there() {
    let app = sample::shop();
    let browser = Browser::of(app.client());
    app.run(IMPORT, file("a.csv")).await.unwrap();
    app.advance(minutes(1)).await;
    browser.get("/overview").await.shows("All is well").shows("0 of 1");
    for customer in 0..3 {
        app.run(CHARGE, Charge { customer, amount: 1.0 }).await.unwrap();
    }
    app.publish(SENT, 1).await.unwrap();
    app.client().queues().pause("outbox").await.unwrap();
    app.run(MAIL, 1).await.unwrap();
    app.advance(minutes(1)).await;
    let page = browser.get("/overview").await;
    page.shows("href=\"/?task=charge+%3Ccard%3E&amp;state=failed\"")
        .shows("charge &lt;card&gt;</b>: 3 of the last 3 failed");
    page.shows("1 dead letter<").shows("queue <b>outbox</b> is paused").shows("1 ended well or were aborted, 3 failed");
    assert!(!page.text.contains("<card>") && !page.text.contains("All is well"), "{}", page.text);
}

#[tokio::test]
async fn text_of_users_with_markup_is_shown_escaped() {
    let app = sample::empty();
    let id = app.run(CHARGE, Charge { customer: 7, amount: 250.0 }).await.unwrap().id();
    app.run_until_idle().await;

    let browser = Browser::of(app.client());
    for path in ["/".to_owned(), format!("/run/{id}"), "/start".to_owned(), "/start?task=%3Cb%3E".to_owned()] {
        let page = browser.get(&path).await;
        assert!(!page.text.contains("<card>") && !page.text.contains("<b>insufficient"), "{path}: {}", page.text);
    }
    browser.get(&format!("/run/{id}")).await.shows("<b>DECLINED</b> the bank said: &lt;b&gt;insufficient");
}

#[tokio::test]
async fn page_that_does_not_exist_is_not_found_and_says_why() {
    let browser = Browser::of(sample::empty().client());
    for (path, says) in [
        ("/run/x", "is not a run id"),
        ("/run/01KDVJ29Q0Q0B9FME0N1VT25N3", "failed to find run 01KDVJ29Q0Q0B9FME0N1VT25N3"),
        ("/?state=done", "is not a state (allowed: created, scheduled"),
        ("/?task=import-airport", "did you mean"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        page.shows(says).shows("role=\"alert\"");
    }
}

#[tokio::test]
async fn page_of_schedules_shows_next_fires_and_pauses_and_resumes() {
    let app = sample::empty();
    let browser = Browser::of(app.client());
    let page = browser.get("/schedules").await;
    page.shows("cron 0 6 ? * MON-FRI * in Europe/Berlin")
        .shows("2026-01-01 06:00:00 Europe/Berlin")
        .shows("2026-01-05 06:00:00 Europe/Berlin");
    page.shows("every 7 days").shows("&quot;the week&quot;");

    let pressed = browser.press("/schedules", &[("name", "nightly-report-b6a668a2"), ("paused", "true")]).await;
    assert_eq!(pressed.next(), "/schedules");
    assert!(app.schedules().get("nightly-report-b6a668a2").await.unwrap().paused);
    browser.get("/schedules").await.shows("paused").shows("Resume");

    browser.press("/schedules", &[("name", "nightly-report-b6a668a2"), ("paused", "false")]).await;
    assert!(!app.schedules().get("nightly-report-b6a668a2").await.unwrap().paused);
}
