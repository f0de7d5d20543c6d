//! An app whose runs show all that a page can show.

use dacapo::prelude::*;
use dacapo_test_kit::TestApp;
use serde::{Deserialize, Serialize};

pub const IMPORT: TaskRef<Import, Imported> = TaskRef::new("import-airports");
pub const CHARGE: TaskRef<Charge> = TaskRef::new("charge <card>");
pub const MAIL: TaskRef<u32> = TaskRef::new("mail");
pub const PLACED: EventRef<String> = EventRef::new("order <placed>");
pub const SENT: EventRef<u32> = EventRef::new("order.sent");
pub const REPORT: TaskRef<String, String> = TaskRef::new("nightly-report");

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Import {
    pub file: String,
    #[serde(default)]
    pub next_row: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Imported {
    pub rows: u32,
    pub by_country: std::collections::BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Charge {
    pub customer: u32,
    pub amount: f64,
}

async fn import(mut job: Import, cx: TaskContext) -> Result<Outcome<Import, Imported>, TaskError> {
    cx.log_info(
        format!("rows {} to {}", job.next_row, job.next_row + 250),
        Some(serde_json::json!({"file": job.file})),
    )
    .await?;
    job.next_row += 250;
    cx.progress(format!("{} of 1000 rows", job.next_row), f64::from(job.next_row) / 1000.0).await?;
    if job.next_row < 1000 {
        return Ok(Continue::after(minutes(10), job));
    }
    let by_country = [("DE", 412), ("FR", 371), ("IS", 217)].map(|(code, rows)| (code.to_owned(), rows)).into();
    Ok(Done(Imported { rows: 1000, by_country }))
}

async fn charge(card: Charge, cx: TaskContext) -> Result<(), TaskError> {
    cx.step("ask <the bank>", async || Ok("no".to_owned())).await?;
    let declined = std::io::Error::other("the bank said: <b>insufficient funds</b>");
    Err(TaskError::terminal(declined).code(if card.amount > 100.0 { "DECLINED" } else { "LIMIT" }))
}

async fn report(of: String, _: TaskContext) -> Result<String, TaskError> {
    Ok(format!("sent the report of {of}"))
}

/// The app without runs.
pub fn empty() -> TestApp {
    TestApp::new().with(task(IMPORT, import).max_iterations(10)).with(task(CHARGE, charge).timeout(seconds(10))).with(
        task(REPORT, report)
            .schedule(cron("0 6 ? * MON-FRI *").timezone("Europe/Berlin"), "the day".to_owned())
            .schedule(every("7 days").skip_while_running(), "the week".to_owned())
            .private(),
    )
}

async fn mail(_: u32, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

/// The app with a queue of two places, and with events whose handlers fail: of what was placed for an hour, of what was
/// sent at once. Functions of events are `events-1` and `events-2`.
pub fn shop() -> TestApp {
    let pack = async |order: String, _: EventContext| {
        Err::<(), _>(TaskError::from(format!("no stock of <b>{order}</b>")).code("NO_<STOCK>"))
    };
    let tell = async |order: u32, _: EventContext| Err::<(), _>(TaskError::from(format!("order {order} is unknown")));
    let hourly = Retry::attempts(3).min(hours(1)).max(hours(1)).jitter(false);
    let app = empty().with(task(MAIL, mail).queue("outbox").concurrency(2));
    app.with([on(PLACED, pack).retry(hourly)]).with([on(SENT, tell).retry(Retry::never())])
}

/// The shop in the middle of its day, and the paths of its pages.
pub async fn day() -> (TestApp, Vec<String>) {
    let app = shop();
    let file = |name: &str| Import { file: name.to_owned(), next_row: 0 };
    let first = app.run(IMPORT, file("airports-2025.csv")).tags(["yearly", "open data"]).await.unwrap().id();
    app.advance(hours(1)).await;
    let charged = app.run(CHARGE, Charge { customer: 7, amount: 250.0 }).await.unwrap().id();
    for customer in 0..60 {
        app.run(CHARGE, Charge { customer, amount: 12.5 }).await.unwrap();
        app.advance(minutes(1)).await;
    }
    app.replay(first, None).await.unwrap();
    app.run(IMPORT, file("airports-2027.csv")).after(hours(3)).await.unwrap();
    app.publish(PLACED, "tea".to_owned()).await.unwrap();
    app.publish(SENT, 7).await.unwrap();
    app.client().queues().pause("outbox").await.unwrap();
    app.run(MAIL, 7).await.unwrap();
    let running = app.run(IMPORT, file("airports-2026.csv")).tags(["yearly"]).await.unwrap().id();
    app.advance(minutes(12)).await;
    let dead = app.client().deliveries().list(dacapo::DeliveryFilter::default()).await.unwrap().deliveries.remove(0);
    let delivery = serde_urlencoded::to_string([("id", &dead.id)]).unwrap();
    let runs = [first, charged, running].map(|run| format!("/run/{run}"));
    let pages = ["/", "/overview", "/start", "/schedules", "/queues", "/deliveries", "/deliveries?state=dropped"];
    let others = [format!("/start?replay={first}"), format!("/delivery?{delivery}"), "/nothing".to_owned()];
    let paths = runs.into_iter().chain(pages.map(ToOwned::to_owned)).chain(others).collect();
    (app, paths)
}
