//! The embedded engine and the Restate server, side by side: the same handlers, called by as many callers over HTTP. On both,
//! server and handlers are processes of their own. They are measured in turns, and what counts is the ratio.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dacapo::Client;
use dacapo_local::sqlite::Durability;
use echo::{ECHO, Said};
use futures::future::join_all;

use crate::{
    AnyError,
    dev::{EngineProcess, idle},
    http::Http,
    machine::{self, median, ratio, show},
    restate::{self, Restate},
    table::Row,
};

const STEPS: u32 = 10;
/// Runs before it is measured.
const WARM_UP: u32 = 64;
/// Runs one after another.
const ALONE: u32 = 300;
/// Callers at the same time, and for how long.
const CALLERS: u32 = 64;
const BUSY: Duration = Duration::from_secs(4);
const TICK: Duration = Duration::from_millis(10);

/// The ways in which a handler is called.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// In one request, which answers with the result.
    Call,
    /// Started, and then waited for by its id.
    RunAndWait,
    /// Started alone; it is measured until the last has completed.
    Start,
    /// With ten steps, waited for by its id on the engine, and in one request on Restate.
    TenSteps,
}

/// A server with its handlers.
struct Server {
    name: &'static str,
    kind: Kind,
    said: Said,
}

enum Kind {
    Dacapo { engine: EngineProcess, client: Client, http: Http, _directory: tempfile::TempDir },
    Restate(Restate),
}

impl Server {
    fn dacapo(name: &'static str, durability: Durability) -> Result<Self, AnyError> {
        let directory = machine::directory()?;
        let engine = EngineProcess::start(directory.path().join("bench.sqlite"), durability)?;
        let client = Client::new(dacapo_local::client::connect(&engine.address));
        let kind = Kind::Dacapo { engine, client, http: Http::new(), _directory: directory };
        Ok(Self { name, kind, said: Said::default() })
    }

    async fn run(&self, way: Way) -> Result<(), AnyError> {
        let text = &self.said.text;
        match (&self.kind, way) {
            (Kind::Restate(restate), Way::Call) => restate.call("echo", text).await,
            (Kind::Restate(restate), Way::RunAndWait) => restate.wait(&restate.send("echo", text).await?).await,
            (Kind::Restate(restate), Way::Start) => restate.send("echo", text).await.map(drop),
            (Kind::Restate(restate), Way::TenSteps) => restate.call("ten", text).await,
            (Kind::Dacapo { engine, http, .. }, Way::Call) => {
                let address = format!("{}/2015-03-31/functions/{}/invocations", engine.address, ECHO.name());
                http.post(&address, serde_json::to_string(&self.said)?).await.map(drop)
            }
            (Kind::Dacapo { client, .. }, Way::Start) => Ok(client.run(ECHO, self.said.clone()).await.map(drop)?),
            (Kind::Dacapo { client, .. }, Way::RunAndWait | Way::TenSteps) => {
                let steps = if matches!(way, Way::TenSteps) { STEPS } else { 0 };
                let run = client.run(ECHO, Said { steps, ..self.said.clone() }).and_wait().await;
                run.map(drop).map_err(|error| error.to_string().into())
            }
        }
    }

    /// The runs that have completed, for one that tells.
    async fn answered(&self) -> Result<u32, AnyError> {
        match &self.kind {
            Kind::Dacapo { .. } => Ok(0),
            Kind::Restate(restate) => restate.answered().await,
        }
    }

    /// Waits until so many more have completed than had `before`.
    async fn all_done(&self, before: u32, runs: u32) -> Result<(), AnyError> {
        match &self.kind {
            Kind::Dacapo { client, .. } => idle(client).await,
            Kind::Restate(restate) => {
                while restate.answered().await? < before + runs {
                    tokio::time::sleep(TICK).await;
                }
                Ok(())
            }
        }
    }

    /// The server's process, and all of its handlers.
    fn processes(&self) -> (u32, Vec<u32>) {
        match &self.kind {
            Kind::Dacapo { engine, .. } => (engine.id(), machine::family(engine.id())),
            Kind::Restate(restate) => (restate.processes()[0], restate.processes().to_vec()),
        }
    }

    fn cpu(&self) -> Result<Duration, AnyError> {
        self.processes().1.into_iter().map(machine::cpu).sum()
    }

    /// Calls as often as all callers can.
    async fn busy(self: &Arc<Self>, way: Way) -> Result<Busy, AnyError> {
        let (answered, cpu, written) = (self.answered().await?, self.cpu()?, machine::written(self.processes().0)?);
        let started = Instant::now();
        let callers = (0..CALLERS).map(|_| {
            let server = self.clone();
            tokio::spawn(async move {
                let mut runs = 0;
                while started.elapsed() < BUSY {
                    server.run(way).await?;
                    runs += 1;
                }
                Ok::<u32, AnyError>(runs)
            })
        });
        let mut runs = 0;
        for caller in join_all(callers).await {
            runs += caller??;
        }
        if matches!(way, Way::Start) {
            self.all_done(answered, runs).await?;
        }
        let (took, runs) = (started.elapsed().as_secs_f64(), f64::from(runs));
        Ok(Busy {
            rate: runs / took,
            // Handlers that have ended meanwhile take their time with them.
            cpu: self.cpu()?.saturating_sub(cpu).as_secs_f64() / runs,
            written: (machine::written(self.processes().0)? - written) as f64 / runs,
        })
    }

    /// The median of runs of ten steps one after another.
    async fn alone(&self) -> Result<Duration, AnyError> {
        let mut times = vec![];
        for _ in 0..ALONE {
            let started = Instant::now();
            self.run(Way::TenSteps).await?;
            times.push(started.elapsed());
        }
        Ok(median(&mut times))
    }
}

/// The use that a server made of its time.
struct Busy {
    /// Runs a second.
    rate: f64,
    /// Processor seconds of a run, of the server and the handlers.
    cpu: f64,
    /// Bytes that the server wrote for a run.
    written: f64,
}

pub fn measure() -> Result<Vec<Row>, AnyError> {
    machine::runtime()?.block_on(async {
        let restate = Server { name: "Restate", kind: Kind::Restate(Restate::start().await?), said: Said::default() };
        // Restate syncs what it acknowledges to the disk: so does the engine where it is told to.
        let usual = Server::dacapo("Dacapo", Durability::Normal)?;
        let synced = Server::dacapo("Dacapo, synced", Durability::Full)?;
        let servers = [usual, synced, restate].map(Arc::new);
        for server in &servers {
            for _ in 0..WARM_UP {
                server.run(Way::Call).await?;
                server.run(Way::TenSteps).await?;
            }
        }
        let mut rows = vec![Row::note("Restate's version", restate::VERSION)];
        rows.extend(ways(&servers, "call and wait", Way::Call, ["≥ 2.50×", ""]).await?);
        rows.extend(ways(&servers, "run, then wait", Way::RunAndWait, ["≥ 1.50×", ""]).await?);
        rows.extend(ways(&servers, "start, until all completed", Way::Start, ["≥ 2.00×", "≥ 1.50×"]).await?);
        rows.extend(ways(&servers, "ten steps", Way::TenSteps, ["", ""]).await?);
        let [usual, synced, restate] = &servers;
        let (ours, theirs) = (synced.alone().await?, restate.alone().await?);
        let faster = format!("{} ({}, {})", ratio(theirs.as_secs_f64(), ours.as_secs_f64()), show(ours), show(theirs));
        rows.push(Row::new("ten steps one after another, both synced: faster by", faster, "≥ 2.00×"));
        let peak = |server: &Server| Ok::<_, AnyError>(machine::peak_kib(server.processes().0)? as f64 / 1024.0);
        let (ours, theirs) = (peak(usual)?, peak(restate)?);
        let memory = format!("{} ({ours:.0} MiB, {theirs:.0} MiB)", ratio(ours, theirs));
        rows.push(Row::new("server's peak memory", memory, "≤ 0.12×"));
        Ok(rows)
    })
}

/// One way on all servers: the rate and the processor time against Restate's, and what is written.
async fn ways(
    servers: &[Arc<Server>; 3],
    what: &str,
    way: Way,
    wanted: [&'static str; 2],
) -> Result<Vec<Row>, AnyError> {
    let [usual, synced, restate] = servers;
    let theirs = restate.busy(way).await?;
    let mut rows = vec![];
    for (ours, wanted) in [usual, synced].into_iter().zip(wanted) {
        let Busy { rate, cpu, written } = ours.busy(way).await?;
        let (name, micros) = (ours.name, |seconds: f64| show(Duration::from_secs_f64(seconds)));
        let rates = format!("{} ({rate:.0}, {:.0} a second)", ratio(rate, theirs.rate), theirs.rate);
        rows.push(Row::new(format!("{what}: {name}"), rates, wanted));
        let cpus = format!("{} ({}, {})", ratio(cpu, theirs.cpu), micros(cpu), micros(theirs.cpu));
        let wanted = if matches!(way, Way::TenSteps) { "" } else { "≤ 0.50×" };
        rows.push(Row::new(format!("{what}: {name}, processor time of a run"), cpus, wanted));
        let bytes = format!("{:.1} KiB (Restate {:.1})", written / 1024.0, theirs.written / 1024.0);
        let wanted = if matches!(way, Way::TenSteps) { "" } else { "≤ 12 KiB" };
        rows.push(Row::new(format!("{what}: {name}, written of a run"), bytes, wanted));
    }
    Ok(rows)
}
