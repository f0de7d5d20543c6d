//! Writes a second of the embedded engine's database: `cargo run --release -p dacapo-local --features engine
//! --example sqlite_writes [directory]`.

use std::{
    error::Error,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use dacapo::port::{Clock, Envelope, Payloads, PortResult, Queues, Store, SystemClock};
use dacapo_domain::{Json, Message, NewRun, Run, RunMessage, State, Trigger};
use dacapo_local::sqlite::{Database, QueueSpec};

/// How long each row is measured.
const TIME: Duration = Duration::from_secs(3);

/// Writes of one turn of [`run_through`].
const WRITES: u32 = 6;

fn new_run() -> Run {
    let clock = SystemClock;
    let new = NewRun {
        id: clock.new_id(),
        name: "task".to_owned(),
        due_at: clock.now(),
        trigger: Trigger::Run,
        parent_id: None,
        hops: 0,
        tags: vec![],
        key: None,
        schedule: None,
        ttl: None,
        execution: None,
    };
    Run::create(new, &clock.moment()).run
}

fn changed(run: &Run, state: State) -> Run {
    Run { state, version: SystemClock.moment().version(), ..run.clone() }
}

/// What a short run costs: create, send, receive, start, finish, acknowledge.
async fn run_through(database: &Database, body: &Json) -> PortResult<()> {
    let run = new_run();
    database.create(&run, body, None).await?;
    let message = Message::Run(RunMessage::about(&run));
    database.send("task", &Envelope { message, delay: Duration::ZERO }).await?;
    let received = database.receive("task", 1).await?;
    let running = changed(&run, State::Running);
    database.save(&run, &running, &Payloads::default()).await?;
    let completed = Run { watch_at: None, ttl: Some(i64::MAX), ..changed(&running, State::Completed) };
    database.save(&running, &completed, &Payloads { input: None, result: Some(body.clone()) }).await?;
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
            Ok::<u32, dacapo::port::PortError>(turns)
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
    writeln!(out, "{:>8} {:>8} {:>12} {:>12}", "home", "callers", "runs/s", "writes/s")?;
    for callers in [1, 16, 256] {
        for home in ["file", "memory"] {
            let clock = Arc::new(SystemClock);
            let database = if home == "file" { Database::open(&path, clock)? } else { Database::memory(clock)? };
            let (function, visibility) = ("task".to_owned(), Duration::from_secs(60));
            let queue = QueueSpec { function, visibility, max_receives: None, has_dead_letters: false };
            database.declare_queue(&queue).await?;
            let runs = f64::from(measure(&database, callers).await?) / TIME.as_secs_f64();
            writeln!(out, "{home:>8} {callers:>8} {runs:>12.0} {:>12.0}", runs * f64::from(WRITES))?;
        }
    }
    std::fs::remove_file(&path)?;
    Ok(())
}
