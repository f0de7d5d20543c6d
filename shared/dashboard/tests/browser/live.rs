//! Pages that change while they are looked at.

use dacapo_domain::minutes;
use serde_json::json;

use crate::{
    chromium::{Chromium, Site},
    sample::{self, CHARGE, Charge, IMPORT, Import},
};

fn file() -> Import {
    Import { file: "a.csv".to_owned(), next_row: 0 }
}

pub async fn page_that_changes_keeps_what_is_open_typed_and_focused() {
    let app = sample::empty();
    let run = app.run(IMPORT, file()).await.unwrap().id();
    app.advance(minutes(1)).await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, &format!("/run/{run}")).await;
    tab.shows("250 of 1000 rows").await;
    tab.click("What a million such are made of").await;
    tab.click("Abort…").await;
    tab.fill("message", "half a sen").await;
    app.advance(minutes(10)).await;
    tab.shows("500 of 1000 rows").await;
    tab.insert("tence").await;
    assert_eq!(tab.value("document.activeElement.value").await, Some("half a sentence".to_owned()));
    assert_eq!(tab.value("document.getElementById('price').open").await, Some(true));

    // A row that comes before the one with the focus doesn't take it.
    tab.go("/").await;
    tab.tab_to("it.innerText === 'import-airports'").await;
    app.run(CHARGE, Charge { customer: 1, amount: 1.0 }).await.unwrap();
    app.advance(minutes(1)).await;
    tab.shows("charge <card>").await;
    assert_eq!(tab.value("document.activeElement.pathname").await, Some(format!("/run/{run}")));
}

pub async fn page_waits_for_what_is_selected_and_follows_nothing_while_it_is_hidden() {
    let app = sample::empty();
    let run = app.run(IMPORT, file()).await.unwrap().id();
    app.advance(minutes(1)).await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, &format!("/run/{run}")).await;
    tab.until("source?.readyState", 1).await;
    tab.value::<()>("getSelection().selectAllChildren(document.querySelector('h1'))").await;
    app.advance(minutes(10)).await;
    tab.until("!!held", true).await;
    assert!(tab.text().await.contains("250 of 1000 rows"), "{}", tab.text().await);
    assert_eq!(tab.value("String(getSelection())").await, Some("import-airports".to_owned()));
    tab.value::<()>("getSelection().removeAllRanges()").await;
    tab.shows("500 of 1000 rows").await;

    let hidden = |is: bool| {
        format!(
            "(Object.defineProperty(document, 'hidden', {{ value: {is}, configurable: true }}), \
             document.dispatchEvent(new Event('visibilitychange')))"
        )
    };
    tab.value::<bool>(&hidden(true)).await;
    tab.until("source === null", true).await;
    app.advance(minutes(10)).await;
    tab.value::<bool>(&hidden(false)).await;
    tab.shows("750 of 1000 rows").await;
}

pub async fn times_are_told_in_the_readers_zone_and_a_schedules_in_its_own() {
    let app = sample::empty();
    let run = app.run(IMPORT, file()).await.unwrap().id();
    app.advance(minutes(1)).await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/overview").await;
    tab.call("Emulation.setTimezoneOverride", json!({"timezoneId": "Asia/Tokyo"})).await;
    tab.go(&format!("/run/{run}")).await;
    tab.shows("GMT+9").await;
    tab.shows("09:00:00.000").await;
    tab.shows("1 min ago").await;
    tab.go("/schedules").await;
    tab.shows("06:00:00 Europe/Berlin").await;
    let titles = "[...document.querySelectorAll('time')].every((it) => it.title.includes('GMT+9'))";
    tab.until(titles, true).await;
}

pub async fn page_whose_server_is_gone_says_so_and_goes_on_once_it_is_back() {
    let app = sample::empty();
    let run = app.run(IMPORT, file()).await.unwrap().id();
    app.advance(minutes(1)).await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, &format!("/run/{run}")).await;
    tab.until("source?.readyState", 1).await;
    let port = site.port();
    drop(site);
    tab.shows("Not connected").await;
    let _site = Site::at(app.client(), port);
    app.advance(minutes(10)).await;
    tab.shows("500 of 1000 rows").await;
    tab.shows_no_more("Not connected").await;
}
