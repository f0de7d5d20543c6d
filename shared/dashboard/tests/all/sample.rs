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
