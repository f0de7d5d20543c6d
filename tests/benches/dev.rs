//! The engine as `dacapo dev` runs it: a process of its own, the functions in theirs, runs started over HTTP.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use dacapo::{Client, Definition};
use dacapo_domain::{Index, IndexEntry, Query, until};
use dacapo_local::{DevFunction, DevOptions, EngineLog, sqlite::Durability};
use echo::{ECHO, Said};
use futures::future::join_all;
use jiff::Timestamp;

use crate::{
    AnyError,
    machine::{self, percentile, show},
    table::Row,
};

/// The variable for the database of the engine's child process; also what makes this program that process.
const DATABASE: &str = "DACAPO_BENCH_DATABASE";
/// The variable that is there where what it acknowledges is on the disk.
const SYNCED: &str = "DACAPO_BENCH_SYNCED";

/// The callers that start runs at the same time, as many as they can.
const CALLERS: u32 = 64;
/// For how long.
const BUSY: Duration = Duration::from_secs(5);
/// Runs that are waited for.
const WAITS: u32 = 500;
const TICK: Duration = Duration::from_millis(10);
/// The longest time from a start to the end of what was started.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn measure() -> Result<Vec<Row>, AnyError> {
    let directory = machine::directory()?;
    let engine = EngineProcess::start(directory.path().join("bench.sqlite"), Durability::Normal)?;
    machine::runtime()?.block_on(async {
        let client = Client::new(dacapo_local::client::connect(&engine.address));
        start(&client, Duration::ZERO).await?; // The processes start.
        idle(&client).await?;
        let started = Instant::now();
        let mut starts = start(&client, BUSY).await?;
        let (asked, runs) = (started.elapsed(), starts.len() as f64);
        idle(&client).await?;
        let took = started.elapsed();
        let peak = machine::peak_kib(engine.child.id())? as f64 / 1024.0;
        let mut behind = waits(&client).await?;
        Ok(vec![
            Row::new("runs a second", format!("{:.0}", runs / took.as_secs_f64()), "≥ 2,500"),
            Row::note("runs accepted a second meanwhile", format!("{:.0}", runs / asked.as_secs_f64())),
            Row::new("a start is acknowledged within, p99", show(percentile(&mut starts, 0.99)), "≤ 1 s"),
            Row::new("a wait ends behind its run, p99", show(percentile(&mut behind, 0.99)), "≤ 4 ms"),
            Row::new("the engine's peak memory", format!("{peak:.1} MiB"), "≤ 60 MB"),
        ])
    })
}

/// Starts runs for so long, at least one by each caller; says how long each start took.
async fn start(client: &Client, time: Duration) -> Result<Vec<Duration>, AnyError> {
    let started = Instant::now();
    let callers = (0..CALLERS).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            let mut starts = vec![];
            while starts.is_empty() || started.elapsed() < time {
                let began = Instant::now();
                client.run(ECHO, Said::default()).await?;
                starts.push(began.elapsed());
            }
            Ok::<_, dacapo::Error>(starts)
        })
    });
    let mut starts = vec![];
    for caller in join_all(callers).await {
        starts.extend(caller??);
    }
    Ok(starts)
}

/// The times by which those who wait for runs, one after another, hear of their ends later.
async fn waits(client: &Client) -> Result<Vec<Duration>, AnyError> {
    let mut behind = vec![];
    for _ in 0..WAITS {
        let run = client.run(ECHO, Said::default()).await?;
        client.wait(ECHO, &run).await.map_err(|error| error.to_string())?;
        let now = Timestamp::now();
        let ended = client.state(run.id()).await?.completed_at.ok_or("a run that was waited for has not ended")?;
        behind.push(until(ended, now));
    }
    Ok(behind)
}

/// Waits until no run is unfinished.
pub async fn idle(client: &Client) -> Result<(), AnyError> {
    let deadline = Instant::now() + PATIENCE;
    // What is unfinished is what the conductor reconciles some day.
    let unfinished = Query {
        index: Index::Reconcile,
        partitions: vec![IndexEntry::RECONCILED.to_owned()],
        from: None,
        below: None,
        descending: false,
        limit: 1,
    };
    while !client.ports().records.query(&unfinished).await?.records.is_empty() {
        if Instant::now() > deadline {
            return Err(format!("runs are still unfinished after {PATIENCE:?}").into());
        }
        tokio::time::sleep(TICK).await;
    }
    Ok(())
}

/// The engine in a process of its own, whose memory is its alone.
pub struct EngineProcess {
    child: Child,
    pub address: String,
}

impl EngineProcess {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn start(database: PathBuf, durability: Durability) -> Result<Self, AnyError> {
        let mut command = Command::new(env::current_exe()?);
        if durability == Durability::Full {
            command.env(SYNCED, "");
        }
        let mut child = command.env(DATABASE, database).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut address)?;
        }
        let engine = Self { child, address: address.trim().to_owned() };
        if engine.address.is_empty() { Err("the engine did not start".into()) } else { Ok(engine) }
    }
}

impl Drop for EngineProcess {
    /// Asked, it ends its functions too.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Runs the engine, where this program was started as its process.
pub fn engine_of_a_child() -> Option<ExitCode> {
    let database = PathBuf::from(env::var_os(DATABASE)?);
    Some(match serve(database) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

fn serve(database: PathBuf) -> Result<(), AnyError> {
    let entry = Definition::of(echo::function()).describe("echo").map_err(|problems| problems.join(", "))?;
    let function = DevFunction { entry, binary: env!("CARGO_BIN_EXE_bench-dacapo").into(), variables: BTreeMap::new() };
    let mut options = DevOptions::new("bench", database, vec![function]);
    options.port = 0;
    if env::var_os(SYNCED).is_some() {
        options.durability = Durability::Full;
    }
    options.logs = Arc::new(|log| match log {
        EngineLog::Listening { address } => drop(writeln!(std::io::stdout(), "{address}")),
        EngineLog::Crashed { .. } | EngineLog::Note(_) => eprintln!("{log}"),
        _ => {}
    });
    Ok(machine::runtime()?.block_on(dacapo_local::dev(options, std::future::pending()))?)
}
