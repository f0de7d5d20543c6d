//! A run of ten steps from its start to its result, on the embedded engine and on the Restate server. On both, the server,
//! the handler and the caller are processes of their own, and the caller speaks HTTP.

use std::time::{Duration, Instant};

use dacapo::Client;
use dacapo_local::sqlite::Durability;
use echo::{ECHO, Said};
use futures::future::try_join_all;

use crate::{
    AnyError,
    dev::EngineProcess,
    machine::{self, median, ratio, show},
    restate::{self, Restate},
    table::Row,
};

const STEPS: u32 = 10;
/// Runs before it is measured.
const WARM_UP: u32 = 50;
/// Runs one after another.
const ALONE: u32 = 300;
/// Callers at the same time, and for how long.
const CALLERS: u32 = 32;
const BUSY: Duration = Duration::from_secs(5);

/// The measurements of one of the two.
struct Times {
    /// The median of runs one after another.
    alone: Duration,
    /// Runs a second of many callers.
    rate: f64,
}

pub fn measure() -> Result<Vec<Row>, AnyError> {
    machine::runtime()?.block_on(async {
        // Restate syncs what it acknowledges to the disk: so does the engine where it is told to.
        let (synced, usual) = (dacapo(Durability::Full).await?, dacapo(Durability::Normal).await?);
        let mut rows = rows("Dacapo, synced", &synced);
        rows.extend(self::rows("Dacapo, as usual", &usual));
        match restate().await {
            Ok(other) => {
                rows.extend(self::rows(&format!("Restate {}, synced", restate::VERSION), &other));
                let faster = ratio(other.alone.as_secs_f64(), synced.alone.as_secs_f64());
                rows.push(Row::new("one after another, both synced: Dacapo is faster by", faster, "≥ 2.00×"));
                rows.push(Row::note("side by side, both synced: Dacapo does", ratio(synced.rate, other.rate)));
            }
            Err(error) => rows.push(Row::note("Restate", format!("not measured: {error}"))),
        }
        Ok(rows)
    })
}

fn rows(what: &str, times: &Times) -> Vec<Row> {
    vec![
        Row::note(format!("{what}: one run after another, median"), show(times.alone)),
        Row::note(format!("{what}: runs a second, {CALLERS} callers"), format!("{:.0}", times.rate)),
    ]
}

async fn dacapo(durability: Durability) -> Result<Times, AnyError> {
    let directory = machine::directory()?;
    let engine = EngineProcess::start(directory.path().join("bench.sqlite"), durability)?;
    let client = Client::new(dacapo_local::client::connect(&engine.address));
    times(async || {
        let said = Said { steps: STEPS, ..Said::default() };
        client.run(ECHO, said).and_wait().await.map_err(|error| error.to_string())?;
        Ok(())
    })
    .await
}

async fn restate() -> Result<Times, AnyError> {
    let restate = Restate::start().await?;
    let text = Said::default().text;
    times(async || restate.run(&text).await).await
}

async fn times(run: impl AsyncFn() -> Result<(), AnyError>) -> Result<Times, AnyError> {
    for _ in 0..WARM_UP {
        run().await?;
    }
    let mut alone = vec![];
    for _ in 0..ALONE {
        let started = Instant::now();
        run().await?;
        alone.push(started.elapsed());
    }
    let started = Instant::now();
    let callers = (0..CALLERS).map(async |_| {
        let mut runs = 0;
        while started.elapsed() < BUSY {
            run().await?;
            runs += 1;
        }
        Ok::<u32, AnyError>(runs)
    });
    let runs: u32 = try_join_all(callers).await?.into_iter().sum();
    Ok(Times { alone: median(&mut alone), rate: f64::from(runs) / started.elapsed().as_secs_f64() })
}
