//! Runs a second of the embedded engine's database: `cargo run --release -p dacapo-local --features engine
//! --example sqlite_writes [directory]`.

use std::{
    error::Error,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use dacapo_core::port::{Clock, PortError, PortErrorKind, PortResult, Records, SystemClock};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Decision, Input, Json, Machine, NewRun, Policy, RunRecord, Task, Trigger, slot,
};
use dacapo_local::sqlite::{Database, Durability, QueueSpec};

/// The time for which each row is measured.
const TIME: Duration = Duration::from_secs(3);

/// Writes of one turn of [`run_through`].
const WRITES: u32 = 5;

fn unwritable(error: serde_json::Error) -> PortError {
    PortError::new(PortErrorKind::Refused, "failed to write a run").caused_by(error)
}

async fn save(database: &Database, seen: &RunRecord, decision: &Decision<RunRecord>) -> PortResult<()> {
    database.save(&seen.header(), &decision.write().map_err(unwritable)?).await.map(drop)
}

/// The writes of a short run: create and send, receive, start, finish, acknowledge.
async fn run_through(database: &Database, body: &Json) -> PortResult<()> {
    let (clock, policy) = (SystemClock, Policy::default());
    let cx = || clock.decision_context();
    let new = NewRun::at(clock.new_id(), "task", clock.now(), Trigger::Run);
    let queued = RunRecord::create(new, &cx()).with(slot::BODY, body.clone());
    database.create(&queued.write().map_err(unwritable)?, None).await?;
    let received = database.receive("task", 1).await?;
    let purpose = queued.record.purpose();
    let running = queued.record.decide(&Input::Delivered(purpose), Task::Known(&policy), &cx());
    save(database, &queued.record, &running).await?;
    let outcome = AttemptOutcome::Done { result: Ok(body.clone()), message: None };
    let input = Input::AttemptEnded(AttemptEnd::new(running.record.version, outcome, Duration::ZERO));
    let ended = running.record.decide(&input, Task::Known(&policy), &cx());
    save(database, &running.record, &ended).await?;
    for received in received {
        database.acknowledge(received.receipt).await?;
    }
    Ok(())
}

async fn measure(database: &Database, callers: u32) -> PortResult<u32> {
    let body = Json::of(&"x".repeat(200)).unwrap_or_default();
    let end = Instant::now() + TIME;
    let caller = || {
        let (database, body) = (database.clone(), body.clone());
        tokio::spawn(async move {
            let mut turns = 0;
            while Instant::now() < end {
                run_through(&database, &body).await?;
                turns += 1;
            }
            Ok::<u32, PortError>(turns)
        })
    };
    let callers: Vec<_> = (0..callers).map(|_| caller()).collect();
    let mut turns = 0;
    for caller in callers {
        turns += caller.await.map_or(Ok(0), |turns| turns)?;
    }
    Ok(turns)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).unwrap_or_else(|| "target/sqlite-writes".to_owned());
    let path = Path::new(&directory).join(format!("{}.sqlite", std::process::id()));
    let mut out = std::io::stdout();
    writeln!(out, "{:>8} {:>8} {:>12} {:>12}", "backend", "callers", "runs/s", "writes/s")?;
    for callers in [1, 16, 256] {
        for backend in ["file", "memory"] {
            let clock = Arc::new(SystemClock);
            let database = if backend == "file" {
                Database::open(&path, Durability::Normal, clock)?
            } else {
                Database::memory(clock)?
            };
            let (function, visibility) = ("task".to_owned(), Duration::from_secs(60));
            let queue = QueueSpec { function, visibility, max_receives: None, has_dead_letters: false };
            database.declare_queue(&queue).await?;
            let runs = f64::from(measure(&database, callers).await?) / TIME.as_secs_f64();
            writeln!(out, "{backend:>8} {callers:>8} {runs:>12.0} {:>12.0}", runs * f64::from(WRITES))?;
        }
    }
    std::fs::remove_file(&path)?;
    Ok(())
}
