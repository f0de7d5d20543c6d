//! Reads and writes of a store, counted as AWS bills them.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use async_trait::async_trait;
use axum::{body::Body, http::Request};
use dacapo::{Client, Definition, Function, State, prelude::*};
use dacapo_core::{
    commit::load,
    port::{PortResult, Ports, Records},
    runner::Runner,
};
use dacapo_domain::{
    Claim, Created, Effect, Header, LogLine, Message, OwnedQuery, Page, Query, RecordKey, RunMessage, RunRecord, Saved,
    StoredRecord, Write,
};
use dacapo_test_kit::TestApp;
use jiff::Timestamp;
use tower::ServiceExt;

const CHILD: TaskRef<u32, u32> = TaskRef::new("child");
const PARENT: TaskRef<bool, usize> = TaskRef::new("parent");
const CHILDREN: u32 = 1_000;

/// A store that counts what it is asked.
struct Counted {
    ports: Ports,
    reads: AtomicU32,
    writes: AtomicU32,
}

impl Counted {
    fn of(ports: Ports) -> Self {
        Self { ports, reads: AtomicU32::new(0), writes: AtomicU32::new(0) }
    }

    async fn read<T>(&self, call: impl Future<Output = PortResult<T>> + Send) -> PortResult<T> {
        self.reads.fetch_add(1, Relaxed);
        call.await
    }

    async fn write<T>(&self, call: impl Future<Output = PortResult<T>> + Send) -> PortResult<T> {
        self.writes.fetch_add(1, Relaxed);
        call.await
    }

    /// Reads and writes since the last time.
    fn take(&self) -> (u32, u32) {
        (self.reads.swap(0, Relaxed), self.writes.swap(0, Relaxed))
    }
}

#[async_trait]
impl Records for Counted {
    async fn create(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        self.write(self.ports.records.create(write, claim)).await
    }

    async fn load(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        self.read(self.ports.records.load(key)).await
    }

    async fn peek(&self, keys: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        self.read(self.ports.records.peek(keys)).await
    }

    async fn gather(&self, key: &RecordKey, set: &str, members: &[String]) -> PortResult<Option<StoredRecord>> {
        self.write(self.ports.records.gather(key, set, members)).await
    }

    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        self.write(self.ports.records.save(seen, write)).await
    }

    async fn delete(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        self.write(self.ports.records.delete(seen, effects)).await
    }

    async fn postpone(&self, key: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<bool> {
        self.write(self.ports.records.postpone(key, seen, until)).await
    }

    async fn expire_overflow(&self, seen: &Header) -> PortResult<()> {
        self.write(self.ports.records.expire_overflow(seen)).await
    }

    async fn query(&self, query: &Query) -> PortResult<Page> {
        self.read(self.ports.records.query(query)).await
    }

    async fn owned(&self, query: &OwnedQuery) -> PortResult<Vec<StoredRecord>> {
        self.read(self.ports.records.owned(query)).await
    }

    async fn append(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        self.write(self.ports.records.append(key, lines)).await
    }

    async fn read_log(&self, key: &RecordKey, after: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.read(self.ports.records.read_log(key, after, limit)).await
    }

    async fn read_log_back(&self, key: &RecordKey, before: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.read(self.ports.records.read_log_back(key, before, limit)).await
    }
}

fn parent() -> impl Function {
    task(PARENT, async |is_over: bool, cx: TaskContext| {
        if is_over {
            return Ok::<Outcome<bool, usize>, TaskError>(Done(cx.children(CHILD).await?.len()));
        }
        let children = cx.batch(CHILD, 0..CHILDREN).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Continue::when_done(children, true))
    })
}

fn child() -> impl Function {
    task(CHILD, async |number: u32, _: TaskContext| Ok(number))
}

/// The app's engine doesn't go on meanwhile: each message is brought by hand to a process whose store counts.
#[tokio::test]
async fn waking_a_parent_of_a_thousand_children_takes_1_010_writes_and_3_reads_at_most() {
    let app = TestApp::new().with(parent()).with(child());
    let ports = app.client().ports().clone();
    let counted = Arc::new(Counted::of(ports.clone()));
    let seen = Ports { records: counted.clone(), ..ports.clone() };
    let process = |function: Definition, name: &str| Runner::new(function.handlers, seen.clone(), name);
    let bring = async |process: &Runner, run| {
        let stored = load::<RunRecord>(&ports, &RunRecord::key_of(run)).await.unwrap().unwrap();
        let message = Message::Run(RunMessage::about(&stored.record)).to_text();
        process.deliver(&message, 1, app.now() + minutes(5)).await.unwrap();
    };

    let id = app.run(PARENT, false).await.unwrap().id();
    bring(&process(Definition::of(parent()), PARENT.name()), id).await;
    assert_eq!(app.run_of(PARENT).state, State::Waiting);
    counted.take();

    let children = process(Definition::of(child()), CHILD.name());
    for run in app.runs_of(CHILD) {
        bring(&children, run.id).await;
    }
    assert_eq!(app.run_of(PARENT).state, State::Submitted);
    let (reads, writes) = counted.take();
    // Each child looks whether its parent is aborted, is taken, and ends.
    let (reads, writes) = (reads - CHILDREN, writes - 2 * CHILDREN);
    assert!(reads <= 3 && writes <= 1_010, "{reads} reads, {writes} writes");
}

/// The manifest is read once a minute beside it.
#[tokio::test]
async fn dashboards_first_page_of_runs_or_deliveries_takes_2_reads() {
    let app = TestApp::new().with(child());
    for number in 0..200 {
        app.run(CHILD, number).await.unwrap();
    }
    app.run_until_idle().await;
    let ports = app.client().ports().clone();
    let counted = Arc::new(Counted::of(ports.clone()));
    let client = Client::new(Ports { records: counted.clone(), ..ports });
    client.manifest().await.unwrap();
    let pages = dacapo_dashboard::router(client, "test");
    for path in ["/", "/?task=child&since=1+hour", "/?state=failed", "/deliveries", "/deliveries?state=dropped"] {
        counted.take();
        let request = Request::get(path).header("host", "127.0.0.1").body(Body::empty()).unwrap();
        let response = pages.clone().oneshot(request).await.unwrap();
        assert!(response.status().is_success(), "{path}");
        assert_eq!(counted.take(), (2, 0), "{path}");
    }
}

#[tokio::test]
async fn client_reads_the_manifest_once_a_minute_and_that_of_a_task_it_does_not_know_at_once() {
    let app = TestApp::new().with(child());
    let ports = app.client().ports().clone();
    let counted = Arc::new(Counted::of(ports.clone()));
    let client = Client::new(Ports { records: counted.clone(), ..ports });
    for (passed, task, reads) in
        [(0, "child", 1), (0, "child", 0), (59, "child", 0), (1, "child", 1), (0, "unknown", 1), (59, "child", 0)]
    {
        app.advance(seconds(passed)).await;
        counted.take();
        let started = client.run_by_name(task, dacapo::Json::of(&1).unwrap()).after(days(1)).await;
        assert_eq!((started.is_ok(), counted.take().0), (task == "child", reads), "{task}, {passed} s later");
    }
}
