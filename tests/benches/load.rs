//! The cost of limits of load: a task with `concurrency` beside one without, and a sweep beside runs that wait for a permit.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dacapo_core::{
    commit::create,
    conductor::Conductor,
    port::{Clock, SystemClock},
};
use dacapo_domain::{Decision, Id, NewRun, Phase, PoolId, RunRecord, Trigger};
use dacapo_local::{
    engine::Permits,
    sqlite::{Database, Durability},
};
use futures::future::try_join_all;

use crate::{
    AnyError,
    engine::{Kind, Running},
    list::many,
    machine::{self, median, ratio, show},
    table::Row,
};

const TASK: &str = "task";
/// Attempts at once.
const CONCURRENCY: u32 = 10;
/// Turns of each of the two, one after the other, so that what else the machine does hits both.
const TURNS: usize = 3;
/// Runs of a turn, started all at once.
const RUNS: usize = 1_000;
/// Runs that wait, of few.
const FEW: u64 = 10;
const TOGETHER: u64 = 250;
const SWEEPS: u32 = 200;

pub fn measure() -> Result<Vec<Row>, AnyError> {
    machine::runtime()?.block_on(async {
        let mut rows = throughput().await?;
        rows.push(sweeps().await?);
        Ok(rows)
    })
}

/// Ten handlers at once, by the engine's own places and by a limit of the task: of 20 ms, as in the price of a million runs.
async fn throughput() -> Result<Vec<Row>, AnyError> {
    let takes = Duration::from_millis(20);
    let places = Permits { function: CONCURRENCY as usize, ..Permits::default() };
    let free = Running::start(Kind { takes, permits: places, ..Kind::default() }).await?;
    let limited = Running::start(Kind { takes, concurrency: Some(CONCURRENCY), ..Kind::default() }).await?;
    let (mut frees, mut limiteds) = (vec![], vec![]);
    for _ in 0..TURNS {
        frees.push(free.rate_of(RUNS).await?);
        limiteds.push(limited.rate_of(RUNS).await?);
    }
    free.stop().await?;
    limited.stop().await?;
    let at_once = Running::start(Kind { concurrency: Some(CONCURRENCY), ..Kind::default() }).await?;
    let empty = at_once.rate_of(RUNS).await?;
    at_once.stop().await?;
    let middle = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let (free, limited) = (middle(&mut frees), middle(&mut limiteds));
    Ok(vec![
        Row::note(format!("runs a second of 20 ms, {CONCURRENCY} at once by the engine"), format!("{free:.0}")),
        Row::note(format!("runs a second of 20 ms with concurrency({CONCURRENCY})"), format!("{limited:.0}")),
        Row::new("ratio", ratio(limited, free), "≥ 0.80×"),
        Row::note(
            format!("runs a second of no time with concurrency({CONCURRENCY}), all parked"),
            format!("{empty:.0}"),
        ),
    ])
}

/// A sweep beside few runs that wait for a permit, and beside many.
async fn sweeps() -> Result<Row, AnyError> {
    let many = many()?;
    let directory = machine::directory()?;
    let database = Database::open(&directory.path().join("bench.sqlite"), Durability::Normal, Arc::new(SystemClock))?;
    wait(&database, 0, FEW).await?;
    let few = sweep(&database).await?;
    wait(&database, FEW, many).await?;
    let all = sweep(&database).await?;
    let times = ratio(all.as_secs_f64(), few.as_secs_f64());
    let what = "a sweep of the conductor beside runs that wait for a permit";
    Ok(Row::new(what, format!("{times} ({} at {FEW}, {} at {many})", show(few), show(all)), "1×"))
}

async fn sweep(database: &Database) -> Result<Duration, AnyError> {
    let conductor = Conductor::new(database.ports(), None);
    let mut times = vec![];
    for _ in 0..SWEEPS {
        let started = Instant::now();
        conductor.sweep().await?;
        times.push(started.elapsed());
    }
    Ok(median(&mut times))
}

/// Stores runs that wait for a permit.
async fn wait(database: &Database, from: u64, to: u64) -> Result<(), AnyError> {
    let ports = database.ports();
    let mut number = from;
    while number < to {
        let group = number..(number + TOGETHER).min(to);
        number = group.end;
        try_join_all(group.map(async |number| create(&ports, &parked(number), SystemClock.now()).await)).await?;
    }
    Ok(())
}

fn parked(number: u64) -> Decision<RunRecord> {
    let now = SystemClock.now();
    let new = NewRun::at(Id::new(now, u128::from(number)), TASK, now, Trigger::Run);
    let mut decision = RunRecord::create(new, &SystemClock.decision_context());
    decision.effects.clear(); // No message is on its way.
    decision.record.phase = Phase::Parked { pool: PoolId::of_task(TASK), is_held: false };
    decision.record.reconcile_at = None;
    decision
}
