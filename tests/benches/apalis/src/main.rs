//! Jobs that do nothing, on apalis with SQLite in the file that is given: so many callers push as many as they can for five
//! seconds. Prints how many a second were done, from the first push to the last job.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePoolOptions, SqliteStorage};
use futures::future::try_join_all;

const CALLERS: u64 = 256;
const BUSY: Duration = Duration::from_secs(5);
/// The pause between two looks for jobs, where the last one found fewer than it may take.
const TICK: Duration = Duration::from_millis(1);
/// The jobs that are taken at once, and that execute at once.
const AT_ONCE: usize = 256;

/// The jobs that are done.
static DONE: AtomicUsize = AtomicUsize::new(0);

async fn timed(_: u64) -> Result<(), BoxDynError> {
    DONE.fetch_add(1, Relaxed);
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), BoxDynError> {
    let file = std::env::args().nth(1).ok_or("a file")?;
    // As Dacapo's database: a log that is written ahead, and synced now and then.
    let options = file.parse::<SqliteConnectOptions>()?.create_if_missing(true);
    let options = options.pragma("journal_mode", "WAL").pragma("synchronous", "NORMAL");
    // One connection: several wait for each other's locks, and do half of it.
    let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(60));
    let pool = pool.connect_with(options).await?;
    SqliteStorage::setup(&pool).await?;
    let backend = SqliteStorage::new(&pool).with_config(Config::default().batch_size(AT_ONCE));
    let worker = backend.clone().poll_with_interval(TICK);
    let worker = WorkerBuilder::new("bench").backend(worker).concurrency(AT_ONCE).build(timed);
    tokio::spawn(async move { worker.run().await });

    let started = Instant::now();
    let callers = (0..CALLERS).map(|caller| {
        let mut backend = backend.clone();
        tokio::spawn(async move {
            let mut pushed = 0;
            while started.elapsed() < BUSY {
                backend.push(caller).await.map_err(|error| error.to_string())?;
                pushed += 1;
            }
            Ok::<usize, String>(pushed)
        })
    });
    let pushed: usize = try_join_all(callers).await?.into_iter().sum::<Result<usize, String>>()?;
    while DONE.load(Relaxed) < pushed {
        tokio::time::sleep(TICK).await;
    }
    println!("{:.0}", pushed as f64 / started.elapsed().as_secs_f64());
    Ok(())
}
