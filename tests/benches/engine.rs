//! The embedded engine as a library: handlers in this process, a database file.

use std::{
    collections::HashMap,
    process::Command,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use dacapo::{Client, Definition, prelude::*};
use dacapo_core::port::{PortResult, SystemClock};
use dacapo_domain::Manifest;
use dacapo_local::{
    engine::{Engine, EngineLoop, InProcess, Permits, WithConductor},
    sqlite::{Database, Durability},
};
use futures::future::join_all;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    AnyError,
    machine::{self, Shared, percentile, ratio, show},
    table::Row,
};

/// The callers that start runs at the same time, as many as they can.
const CALLERS: u32 = 256;
/// For how long; and for how long runs are then started at half that rate.
const BUSY: Duration = Duration::from_secs(5);
const STEADY: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(1);
/// The longest time from a start to the end of what was started.
const PATIENCE: Duration = Duration::from_secs(60);

/// The time at which a run was asked for: microseconds since this program began to measure.
const TIMED: TaskRef<u64, u64> = TaskRef::new("timed");

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

fn micros() -> u64 {
    u64::try_from(EPOCH.elapsed().as_micros()).unwrap_or(u64::MAX)
}

pub fn measure() -> Result<Vec<Row>, AnyError> {
    machine::runtime()?.block_on(async {
        let running = Running::start(Kind::default()).await?;
        let rate = running.throughput(BUSY).await?;
        let mut steady = latency(&running.client, &running.latencies, rate / 2.0).await?;
        running.stop().await?;

        let apalis = apalis();
        let of_half = format!("start latency at {:.0} runs/s", rate / 2.0);
        let mut at = |share| show(Duration::from_micros(percentile(&mut steady, share)));
        Ok(vec![
            Row::new("runs a second", format!("{rate:.0}"), "≥ 15,000, or ≥ 25× apalis"),
            apalis.map_or_else(
                |error| Row::note("apalis 1.0 with SQLite", format!("not measured: {error}")),
                |theirs| Row::note("against apalis 1.0 with SQLite", format!("{} ({theirs:.0})", ratio(rate, theirs))),
            ),
            Row::note(format!("{of_half}, median"), at(0.5)),
            Row::new(format!("{of_half}, p99"), at(0.99), "≤ 10 ms"),
        ])
    })
}

/// Jobs a second of apalis with SQLite, in a process of its own, with as many callers for as long.
fn apalis() -> Result<f64, AnyError> {
    let directory = machine::directory()?;
    let output = Command::new(machine::built("apalis")?).arg(directory.path().join("apalis.sqlite")).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?.trim().parse()?),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}

/// The kind of an engine and of its one task.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The attempts of the task that may execute at once; any number where it says nothing.
    pub concurrency: Option<u32>,
    /// The time that its handler takes.
    pub takes: Duration,
    /// The invocations that the engine makes at once.
    pub permits: Permits,
}

impl Default for Kind {
    fn default() -> Self {
        Self { concurrency: None, takes: Duration::ZERO, permits: Permits::default() }
    }
}

/// An engine that runs, with its client.
pub struct Running {
    client: Client,
    /// Microseconds from the call of `run` to the handler's.
    latencies: Shared<u64>,
    stop: oneshot::Sender<()>,
    engine: JoinHandle<PortResult<()>>,
    _directory: tempfile::TempDir,
}

impl Running {
    /// Starts one.
    pub async fn start(kind: Kind) -> Result<Self, AnyError> {
        let directory = machine::directory()?;
        let database =
            Database::open(&directory.path().join("bench.sqlite"), Durability::Normal, Arc::new(SystemClock))?;
        let (latencies, client) = (Shared::default(), Client::new(database.ports()));
        let (stop, stopped) = oneshot::channel::<()>();
        let engine = Arc::new(engine(database, latencies.clone(), kind)?);
        engine.deploy().await?;
        let engine = EngineLoop::new(engine, kind.permits);
        let engine = tokio::spawn(engine.run(async move { drop(stopped.await) }, Duration::from_secs(10)));
        Ok(Self { client, latencies, stop, engine, _directory: directory })
    }

    /// Runs a second, from the first start to the last handler's call, where runs are started for so long.
    pub async fn throughput(&self, time: Duration) -> Result<f64, AnyError> {
        throughput(&self.client, &self.latencies, time).await
    }

    /// Runs a second of so many that are started at once, from the first start to the last handler's end.
    pub async fn rate_of(&self, runs: usize) -> Result<f64, AnyError> {
        let started = Instant::now();
        let starts = (0..runs).map(|_| self.client.run(TIMED, micros()).into_future());
        for start in join_all(starts).await {
            start?;
        }
        all_started(&self.latencies, runs).await?;
        self.latencies.take();
        Ok(runs as f64 / started.elapsed().as_secs_f64())
    }

    /// Lets what runs end.
    pub async fn stop(self) -> Result<(), AnyError> {
        drop(self.stop);
        Ok(self.engine.await??)
    }
}

fn engine(database: Database, latencies: Shared<u64>, kind: Kind) -> Result<Engine, AnyError> {
    let timed = task(TIMED, move |asked: u64, _: TaskContext| {
        let latencies = latencies.clone();
        async move {
            tokio::time::sleep(kind.takes).await;
            latencies.push(micros().saturating_sub(asked));
            Ok::<u64, TaskError>(asked)
        }
    });
    let timed = match kind.concurrency {
        Some(attempts) => timed.concurrency(attempts),
        None => timed,
    };
    let definition = Definition::of(timed);
    let entry = definition.describe("timed").map_err(|problems| problems.join(", "))?;
    let functions = HashMap::from([(entry.name.clone(), definition.handlers)]);
    let manifest = Manifest::new("bench", vec![entry])?;
    let invoke = Arc::new(InProcess::new(database.ports(), functions));
    let invoke = WithConductor::new(database.ports(), invoke);
    Ok(Engine::new(database, manifest, Arc::new(invoke), Arc::new(|report| eprintln!("{report}"))))
}

/// Runs a second, from the first start to the last handler's call.
async fn throughput(client: &Client, latencies: &Shared<u64>, time: Duration) -> Result<f64, AnyError> {
    let started = Instant::now();
    let callers = (0..CALLERS).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            let mut runs = 0;
            while started.elapsed() < time {
                client.run(TIMED, micros()).await?;
                runs += 1;
            }
            Ok::<usize, dacapo::Error>(runs)
        })
    });
    let mut runs = 0;
    for caller in join_all(callers).await {
        runs += caller??;
    }
    all_started(latencies, runs).await?;
    let rate = runs as f64 / started.elapsed().as_secs_f64();
    latencies.take();
    Ok(rate)
}

/// Waits until so many handlers were called.
async fn all_started(latencies: &Shared<u64>, runs: usize) -> Result<(), AnyError> {
    let deadline = Instant::now() + PATIENCE;
    while latencies.len() < runs {
        if Instant::now() > deadline {
            return Err(format!("{} of {runs} runs have not started after {PATIENCE:?}", runs - latencies.len()).into());
        }
        tokio::time::sleep(TICK).await;
    }
    Ok(())
}

/// Latencies of runs that are started at a steady rate, however long each takes to start.
async fn latency(client: &Client, latencies: &Shared<u64>, rate: f64) -> Result<Vec<u64>, AnyError> {
    let started = Instant::now();
    let mut calls = vec![];
    while started.elapsed() < STEADY {
        let due = (started.elapsed().as_secs_f64() * rate) as usize;
        while calls.len() < due {
            let client = client.clone();
            calls.push(tokio::spawn(async move { client.run(TIMED, micros()).await.map(drop) }));
        }
        tokio::time::sleep(TICK).await;
    }
    let count = calls.len();
    for call in calls {
        call.await??;
    }
    all_started(latencies, count).await?;
    Ok(latencies.take())
}
