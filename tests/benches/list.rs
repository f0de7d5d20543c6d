//! The first page of each list at many records against that at few.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use dacapo::{Client, DeliveryFilter, DeliveryState, ListFilter};
use dacapo_core::{
    commit::create,
    conductor::Conductor,
    port::{Clock, SystemClock},
};
use dacapo_domain::{
    Decision, DeliveryPhase, DeliveryRecord, EventMessage, FinalState, FunctionEntry, Id, Json, Manifest, NewRun,
    Phase, Policy, RunRecord, State, Subscription, TaskEntry, Trigger, days, minutes, run::End, seconds, slot,
};
use dacapo_local::sqlite::{Database, Durability};
use futures::future::try_join_all;
use tower::ServiceExt;

use crate::{
    AnyError,
    machine::{self, median, ratio, show},
    table::Row,
};

const TASK: &str = "task";
const TAG: &str = "tag";
const SCHEDULE: &str = "schedule";
const FUNCTION: &str = "function";
const EVENT: &str = "event";
const FEW: u64 = 1_000;
/// Fewer than the spec's million, to stay quick: `DACAPO_BENCH_RUNS=1000000` makes that many.
const MANY: u64 = 200_000;
/// Runs that are stored at once, each with a delivery.
const TOGETHER: u64 = 250;
const PAGE: usize = 50;
const PAGES: u32 = 400;
const TO_REACH: &str = "≤ 1.5× at 1,000,000 against 1,000";

pub fn measure() -> Result<Vec<Row>, AnyError> {
    let many = many()?;
    machine::runtime()?.block_on(async {
        let directory = machine::directory()?;
        let database =
            Database::open(&directory.path().join("bench.sqlite"), Durability::Normal, Arc::new(SystemClock))?;
        let client = Client::new(database.ports());
        Conductor::new(database.ports(), None).deploy(&manifest()?).await?;
        let parent = client.ports().clock.new_id();
        fill(&client, parent, 0, FEW).await?;
        let few = pages(&client, parent).await?;
        fill(&client, parent, FEW, many).await?;
        let all = pages(&client, parent).await?;
        let row = |((what, few), (_, all)): ((&str, Duration), (&str, Duration))| {
            let times = ratio(all.as_secs_f64(), few.as_secs_f64());
            Row::new(what, format!("{times} ({} at {FEW}, {} at {many})", show(few), show(all)), TO_REACH)
        };
        let mut rows: Vec<Row> = few.into_iter().zip(all).map(row).collect();
        let (page, bytes) = first_page(&client).await?;
        let seen = format!("{} at {many} runs, {:.1} KB", show(page), bytes as f64 / 1e3);
        rows.push(Row::new("the dashboard's first page", seen, "≤ 50 ms, ≤ 60 KB"));
        Ok(rows)
    })
}

/// The number of records that are many.
pub fn many() -> Result<u64, AnyError> {
    Ok(std::env::var("DACAPO_BENCH_RUNS").map_or(Ok(MANY), |runs| runs.parse())?)
}

/// Stores runs, each with a dead letter: eight of ten completed, one failed, one that is due in a day.
async fn fill(client: &Client, parent: Id, from: u64, to: u64) -> Result<(), AnyError> {
    let ports = client.ports();
    let mut number = from;
    while number < to {
        let group = number..(number + TOGETHER).min(to);
        number = group.end;
        let stored = group.map(async |number| {
            create(ports, &run(number, parent)?, SystemClock.now()).await?;
            create(ports, &delivery(number)?, SystemClock.now()).await?;
            Ok::<(), AnyError>(())
        });
        try_join_all(stored).await?;
    }
    Ok(())
}

fn run(number: u64, parent: Id) -> Result<Decision<RunRecord>, AnyError> {
    let now = SystemClock.now();
    let ended = match number % 10 {
        0 => None,
        1 => Some(FinalState::Failed),
        _ => Some(FinalState::Completed),
    };
    let due_at = if ended.is_none() { now + days(1) } else { now };
    let new = NewRun {
        tags: vec![TAG.to_owned(), format!("other {number}")],
        parent_id: Some(parent),
        schedule: Some(SCHEDULE.to_owned()),
        ..NewRun::at(Id::new(now, u128::from(number)), TASK, due_at, Trigger::Run)
    };
    let mut decision = RunRecord::create(new, &SystemClock.decision_context());
    decision.effects.clear(); // No function takes them.
    if let Some(state) = ended {
        let (message, result_left_out, hooks_lease) = (None, None, None);
        let end = End { state, at: now, message, result_left_out, hooks_pending: false, hooks_lease };
        decision.record.phase = Phase::Ended(end);
        decision.record.reconcile_at = None;
        decision.record.expires_at_s = Some((now + days(14)).as_second());
    }
    Ok(decision.with(slot::BODY, Json::of(&"x".repeat(200))?))
}

fn delivery(number: u64) -> Result<Decision<DeliveryRecord>, AnyError> {
    let now = SystemClock.now();
    let body = Json::of(&"x".repeat(200))?;
    let event = EventMessage::at(Id::new(now, u128::from(number)), EVENT, body.clone(), now);
    let event = EventMessage { function: FUNCTION.to_owned(), attempt: 2, ..event };
    let (version, phase) = (SystemClock.decision_context().version(), DeliveryPhase::Dropped);
    let expires_at_s = Some((now + days(14)).as_second());
    let record = DeliveryRecord { version, phase, expires_at_s, ..DeliveryRecord::fresh(&event) };
    Ok(Decision::store(record, vec![]).with(slot::BODY, body))
}

/// The median time of the first page of each list.
async fn pages(client: &Client, parent: Id) -> Result<Vec<(&'static str, Duration)>, AnyError> {
    let (all, now) = (|| ListFilter { limit: PAGE, ..ListFilter::default() }, SystemClock.now());
    let lists = [
        ("of all", all()),
        ("of a task", ListFilter { task: Some(TASK.to_owned()), ..all() }),
        ("of a tag", ListFilter { tag: Some(TAG.to_owned()), ..all() }),
        ("of a parent", ListFilter { parent: Some(parent), ..all() }),
        ("of a schedule", ListFilter { schedule: Some(SCHEDULE.to_owned()), ..all() }),
        ("of those that failed", ListFilter { state: Some(State::Failed), ..all() }),
        ("of a window of time", ListFilter { since: Some(now - minutes(60)), until: Some(now), ..all() }),
        ("unfinished, by when they are due", ListFilter { unfinished: true, ..all() }),
    ];
    let mut times = vec![];
    for (what, filter) in lists {
        let list = async || Ok::<usize, AnyError>(client.list(filter.clone()).await?.runs.len());
        times.push((what, median_of(what, list).await?));
    }
    let all = || DeliveryFilter { limit: PAGE, ..DeliveryFilter::default() };
    let lists = [
        ("deliveries", all()),
        ("deliveries to a function", DeliveryFilter { function: Some(FUNCTION.to_owned()), ..all() }),
        ("deliveries of an event", DeliveryFilter { event: Some(EVENT.to_owned()), ..all() }),
        ("dead letters", DeliveryFilter { state: Some(DeliveryState::Dropped), ..all() }),
    ];
    for (what, filter) in lists {
        let list = async || Ok::<usize, AnyError>(client.deliveries().list(filter.clone()).await?.deliveries.len());
        times.push((what, median_of(what, list).await?));
    }
    Ok(times)
}

/// The median time of the dashboard's first page, and its bytes.
async fn first_page(client: &Client) -> Result<(Duration, usize), AnyError> {
    let pages = dacapo_dashboard::router(client.clone(), "bench");
    let get = async || -> Result<usize, AnyError> {
        let request = Request::get("/").header("host", "127.0.0.1").body(Body::empty())?;
        let response = pages.clone().oneshot(request).await?;
        if response.status() != StatusCode::OK {
            return Err(format!("the dashboard answers {}", response.status()).into());
        }
        Ok(to_bytes(response.into_body(), usize::MAX).await?.len())
    };
    let bytes = get().await?;
    let mut times = vec![];
    for _ in 0..PAGES {
        let started = Instant::now();
        get().await?;
        times.push(started.elapsed());
    }
    Ok((median(&mut times), bytes))
}

async fn median_of(what: &str, list: impl AsyncFn() -> Result<usize, AnyError>) -> Result<Duration, AnyError> {
    let mut times = vec![];
    for _ in 0..PAGES {
        let started = Instant::now();
        let found = list().await?;
        times.push(started.elapsed());
        if found != PAGE {
            return Err(format!("a page of {found}: {what}").into());
        }
    }
    Ok(median(&mut times))
}

/// An app of one task and one handler, by which lists know them.
fn manifest() -> Result<Manifest, AnyError> {
    let task = TaskEntry {
        name: TASK.to_owned(),
        policy: Policy::default(),
        private: false,
        may_continue: true,
        schedules: vec![],
    };
    let (event, handler) = (EVENT.to_owned(), "handler".to_owned());
    let retry = dacapo_domain::Retry::never();
    let handler = Subscription { event, handler, timeout: seconds(5), retry, dead_letter: false };
    let functions = vec![FunctionEntry::task(TASK, 256, task), FunctionEntry::events(FUNCTION, 256, vec![handler])];
    Ok(Manifest::new("bench", functions)?)
}
