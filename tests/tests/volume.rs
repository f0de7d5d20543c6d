//! Events at volume on the embedded engine, with a database file: none is lost, and memory doesn't grow with their number.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    collections::HashMap,
    env, fs,
    io::{self, Write},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use dacapo::{Client, Definition, EventHandler, prelude::*};
use dacapo_core::port::SystemClock;
use dacapo_domain::Manifest;
use dacapo_local::{
    engine::{Engine, EngineLoop, InProcess, Permits, WithConductor},
    sqlite::{Database, Durability},
};
use futures::{StreamExt, stream};
use tokio::sync::oneshot;

const NEWS: EventRef<usize> = EventRef::new("news");
const FUNCTIONS: usize = 3;
/// Publishers at the same time.
const PUBLISHERS: usize = 64;
/// Of so many events one fails at its first try.
const FAILS: usize = 10;

/// The variable that says how many events there are; also what makes this binary the process that is measured.
const EVENTS: &str = "DACAPO_TESTS_EVENTS";

/// The events that a function has handled.
struct Handled {
    times: Vec<AtomicU8>,
    /// Those that are handled once or more.
    count: AtomicUsize,
    failed: AtomicUsize,
}

impl Handled {
    fn none_of(events: usize) -> Arc<Self> {
        let times = (0..events).map(|_| AtomicU8::new(0)).collect();
        Arc::new(Self { times, count: AtomicUsize::new(0), failed: AtomicUsize::new(0) })
    }

    /// Fails for one event in ten at its first try.
    fn handle(&self, number: usize, attempt: u32) -> Result<(), TaskError> {
        if number.is_multiple_of(FAILS) && attempt == 1 {
            self.failed.fetch_add(1, Relaxed);
            return Err(TaskError::retryable("not now"));
        }
        if self.times[number].fetch_add(1, Relaxed) == 0 {
            self.count.fetch_add(1, Relaxed);
        }
        Ok(())
    }
}

fn handler(handled: &Arc<Handled>) -> EventHandler {
    let handled = handled.clone();
    on(NEWS, move |number: usize, cx: EventContext| {
        let done = handled.handle(number, cx.attempt());
        async { done }
    })
    .retry(Retry::every(seconds(1)))
}

/// An engine whose functions handle what is published, in this process.
fn engine(database: &Database, handled: &[Arc<Handled>]) -> Engine {
    let (mut entries, mut functions) = (vec![], HashMap::new());
    for (place, handled) in handled.iter().enumerate() {
        let definition = Definition::of(handler(handled));
        let entry = definition.describe(&format!("reader-{place}")).unwrap();
        functions.insert(entry.name.clone(), definition.handlers);
        entries.push(entry);
    }
    let invoke = Arc::new(InProcess::new(database.ports(), functions));
    let invoke = WithConductor::new(database.ports(), invoke);
    let manifest = Manifest::new("volume", entries).unwrap();
    Engine::new(database.clone(), manifest, Arc::new(invoke), Arc::new(|log| eprintln!("{log}")))
}

/// Publishes so many events and waits until each function has handled each of them, or for so long.
async fn publish_and_handle(events: usize, patience: Duration) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("volume.sqlite");
    let database = Database::open(&file, Durability::Normal, Arc::new(SystemClock)).unwrap();
    let handled: Vec<_> = (0..FUNCTIONS).map(|_| Handled::none_of(events)).collect();
    let engine = Arc::new(engine(&database, &handled));
    engine.deploy().await.unwrap();
    let (client, (stop, stopped)) = (Client::new(database.ports()), oneshot::channel::<()>());
    let engine = EngineLoop::new(engine, Permits::default());
    let engine = tokio::spawn(engine.run(async move { drop(stopped.await) }, seconds(10)));

    let published = stream::iter(0..events).map(|number| client.publish(NEWS, number).into_future());
    let published = published.buffer_unordered(PUBLISHERS);
    published
        .for_each(async |published| {
            published.unwrap();
        })
        .await;
    let deadline = Instant::now() + patience;
    for handled in &handled {
        while handled.count.load(Relaxed) < events {
            let (count, failed) = (handled.count.load(Relaxed), handled.failed.load(Relaxed));
            assert!(Instant::now() < deadline, "{count} of {events} are handled, {failed} failed first");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(handled.failed.load(Relaxed), events.div_ceil(FAILS));
    }
    drop(stop);
    engine.await.unwrap().unwrap();
}

/// The most memory that this process had so far, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The most memory of a process that handles so many events.
fn peak_with(events: usize) -> u64 {
    let mut process = Command::new(env::current_exe().unwrap());
    process.args(["--exact", "each_function_handles_each_event_of_which_one_in_ten_fails_first", "--nocapture"]);
    let output = process.env(EVENTS, events.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let peak = said.lines().find_map(|line| line.strip_prefix("peak ")).unwrap();
    peak.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_function_handles_each_event_of_which_one_in_ten_fails_first() {
    let events = env::var(EVENTS).ok();
    publish_and_handle(events.as_ref().map_or(1_000, |events| events.parse().unwrap()), seconds(1_800)).await;
    if events.is_some() {
        writeln!(io::stdout(), "\npeak {}", peak_kib()).unwrap();
    }
}

#[test]
#[ignore = "it handles 990,000 deliveries: minutes"]
fn memory_of_the_engine_is_the_same_with_a_hundred_thousand_events_and_with_twice_as_many() {
    // With a hundred thousand all caches are full. What the test itself counts grows by 3 bytes an event.
    let (some, many) = (peak_with(100_000), peak_with(200_000));
    eprintln!("peak memory: {some} KiB with 100,000 events, {many} KiB with 200,000");
    assert!(many < some + some / 4, "{some} KiB with 100,000 events, {many} KiB with 200,000");
}
