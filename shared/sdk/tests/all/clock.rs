//! The clock of a program that is not in Lambda: what is stored bears the time of the other clock that it follows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use dacapo::{Client, ListFilter, prelude::*};
use dacapo_core::port::{Clock, PortResult, Ports};
use dacapo_test_kit::TestApp;
use jiff::Timestamp;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
const PAID: EventRef<String> = EventRef::new("order.paid");

/// A clock that is ten minutes fast until it is synchronized.
struct Fast {
    right: Arc<dyn Clock>,
    is_right: AtomicBool,
}

#[async_trait]
impl Clock for Fast {
    async fn synchronize(&self) -> PortResult<()> {
        self.is_right.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        let ahead = if self.is_right.load(Ordering::Relaxed) { minutes(0) } else { minutes(10) };
        self.right.now() + ahead
    }

    fn random(&self) -> u64 {
        self.right.random()
    }
}

/// An app, and a client of it that has called nothing yet.
fn fast_client() -> (TestApp, Client) {
    let app = TestApp::new()
        .with(task(COUNT, async |n: u32, _: TaskContext| Ok(n)))
        .with(on(PAID, async |_: String, _: EventContext| Ok(())));
    let ports = app.client().ports().clone();
    let clock = Arc::new(Fast { right: ports.clock.clone(), is_right: AtomicBool::new(false) });
    (app, Client::new(Ports { clock, ..ports }))
}

/// A clock that goes on between any two readings at it.
struct Ticking {
    clock: Arc<dyn Clock>,
    readings: AtomicU64,
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        self.clock.now() + Duration::from_millis(self.readings.fetch_add(1, Ordering::Relaxed))
    }

    fn random(&self) -> u64 {
        self.clock.random()
    }
}

#[tokio::test]
async fn run_is_listed_by_the_time_at_which_it_says_that_it_was_created() {
    let app = TestApp::new().with(task(COUNT, async |n: u32, _: TaskContext| Ok(n)));
    let ports = app.client().ports().clone();
    let clock = Arc::new(Ticking { clock: ports.clock.clone(), readings: AtomicU64::new(0) });
    let client = Client::new(Ports { clock, ..ports });
    let id = client.run(COUNT, 1).after(hours(1)).await.unwrap().id();
    let created_at = app.state(id).await.unwrap().created_at;
    for (later_ms, expected) in [(0, 1), (1, 0)] {
        let since = Some(created_at + Duration::from_millis(later_ms));
        let listed = client.list(ListFilter { since, ..ListFilter::default() }).await.unwrap().runs;
        assert_eq!(listed.len(), expected, "{later_ms} ms later");
    }
}

#[tokio::test]
async fn first_run_is_due_by_the_clock_that_is_followed() {
    let (app, client) = fast_client();
    let id = client.run(COUNT, 1).after(hours(1)).await.unwrap().id();
    let run = app.state(id).await.unwrap();
    assert_eq!((run.created_at, run.due_at), (app.now(), app.now() + hours(1)));
}

#[tokio::test]
async fn first_event_is_due_by_the_clock_that_is_followed() {
    let (app, client) = fast_client();
    let start = app.now();
    client.publish(PAID, "x".into()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.now(), start, "it waited for nothing");
}

#[tokio::test]
async fn first_schedule_counts_by_the_clock_that_is_followed() {
    let (app, client) = fast_client();
    client.schedules().put("s", COUNT, every("1 hour"), 7).await.unwrap();
    assert_eq!(app.schedules().get("s").await.unwrap().created_at, app.now());
}
