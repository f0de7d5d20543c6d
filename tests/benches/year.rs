//! A year of an hourly task in which everything goes wrong that may, on the test kit's clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Instant,
};

use dacapo::prelude::*;
use dacapo_test_kit::TestApp;
use tokio::runtime::Builder;

use crate::{AnyError, machine::show, table::Row};

const HOURLY: TaskRef<(), ()> = TaskRef::new("hourly");

pub fn measure() -> Result<Vec<Row>, AnyError> {
    // The faults' retries wait in tokio's time, which passes at once where nothing else is to do.
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(async {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = calls.clone();
        let hourly = task(HOURLY, move |(), _: TaskContext| {
            counted.fetch_add(1, Relaxed);
            async { Ok::<(), TaskError>(()) }
        });
        let app = TestApp::with_faults(1).with(hourly.schedule(cron("0 * * * ? *"), ()));
        let started = Instant::now();
        app.advance(days(365)).await;
        let took = started.elapsed();
        let seen = format!("{} ({} calls of the handler)", show(took), calls.load(Relaxed));
        Ok(vec![Row::new("a year of an hourly task with faults", seen, "≤ 1 s")])
    })
}
