//! The first page of many runs against that of few.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dacapo::{Client, ListFilter};
use dacapo_core::{
    commit::create,
    conductor::Conductor,
    port::{Clock, SystemClock},
};
use dacapo_domain::{FunctionEntry, Id, Json, Manifest, NewRun, Policy, RunRecord, TaskEntry, Trigger, slot};
use dacapo_local::sqlite::{Database, Durability};
use futures::future::try_join_all;

use crate::{
    AnyError,
    machine::{self, median, ratio, show},
    table::Row,
};

const TASK: &str = "task";
const FEW: u64 = 1_000;
/// Fewer than the spec's million, to stay quick: `DACAPO_BENCH_RUNS=1000000` makes that many.
const MANY: u64 = 200_000;
/// Runs that are stored at once.
const TOGETHER: u64 = 500;
const PAGE: usize = 50;
const PAGES: u32 = 400;

pub fn measure() -> Result<Vec<Row>, AnyError> {
    let many = std::env::var("DACAPO_BENCH_RUNS").map_or(Ok(MANY), |runs| runs.parse())?;
    machine::runtime()?.block_on(async {
        let directory = machine::directory()?;
        let database =
            Database::open(&directory.path().join("bench.sqlite"), Durability::Normal, Arc::new(SystemClock))?;
        let client = Client::new(database.ports());
        Conductor::new(database.ports(), None).deploy(&manifest()?).await?;
        fill(&client, 0, FEW).await?;
        let few = [page(&client, None).await?, page(&client, Some(TASK)).await?];
        fill(&client, FEW, many).await?;
        let all = [page(&client, None).await?, page(&client, Some(TASK)).await?];
        let mut rows = vec![];
        for (what, (few, all)) in ["of all", "of a task"].into_iter().zip(few.into_iter().zip(all)) {
            let seen = format!(
                "{} ({} at {FEW}, {} at {many} runs)",
                ratio(all.as_secs_f64(), few.as_secs_f64()),
                show(few),
                show(all)
            );
            rows.push(Row::new(what, seen, "≤ 1.5× at 1,000,000 against 1,000"));
        }
        Ok(rows)
    })
}

async fn fill(client: &Client, from: u64, to: u64) -> Result<(), AnyError> {
    let body = Json::of(&"x".repeat(200))?;
    let (clock, ports) = (SystemClock, client.ports().clone());
    let mut number = from;
    while number < to {
        let group = number..(number + TOGETHER).min(to);
        number = group.end;
        let runs = group.map(|number| {
            let ports = ports.clone();
            let id = Id::new(clock.now(), u128::from(number));
            let new = NewRun::at(id, TASK, clock.now(), Trigger::Run);
            let decision = RunRecord::create(new, &clock.decision_context()).with(slot::BODY, body.clone());
            async move { create(&ports, &decision, clock.now()).await }
        });
        try_join_all(runs).await?;
    }
    Ok(())
}

/// The median time of a first page.
async fn page(client: &Client, task: Option<&str>) -> Result<Duration, AnyError> {
    let filter = ListFilter { task: task.map(ToOwned::to_owned), state: None, limit: PAGE, cursor: None };
    let mut times = vec![];
    for _ in 0..PAGES {
        let started = Instant::now();
        let page = client.list(filter.clone()).await?;
        times.push(started.elapsed());
        if page.runs.len() != PAGE {
            return Err(format!("a page of {} runs", page.runs.len()).into());
        }
    }
    Ok(median(&mut times))
}

/// An app of the one task, by which lists know it.
fn manifest() -> Result<Manifest, AnyError> {
    let task = TaskEntry { name: TASK.to_owned(), policy: Policy::default(), private: false, schedules: vec![] };
    Ok(Manifest::new("bench", vec![FunctionEntry::task(TASK, 256, task)])?)
}
