//! The embedded engine and the AWS adapter, asked the same.

use std::fmt::Debug;

use dacapo::{Client, Json, ListFilter, prelude::*};
use dacapo_core::{conductor::Conductor, port::Ports};
use dacapo_domain::{DeliveryFilter, Manifest};
use dacapo_test_kit::TestApp;

use crate::{
    rows::{Rows, comparable},
    wire::Wire,
};

pub const REPORT: TaskRef<Json, Json> = TaskRef::new("report");
pub const LIMITED: TaskRef<Json, Json> = TaskRef::new("print labels");
pub const HIDDEN: TaskRef<Json, Json> = TaskRef::new("hidden");
pub const GONE: TaskRef<Json, Json> = TaskRef::new("gone");
pub const PAID: EventRef<Json> = EventRef::new("order.paid");

pub async fn echo(body: Json, _: TaskContext) -> Result<Json, TaskError> {
    Ok(body)
}

pub async fn heard(_: Json, _: EventContext) -> Result<(), TaskError> {
    Ok(())
}

/// One app on both, and the rows of a group.
pub struct Both {
    app: TestApp,
    wire: Wire,
    aws: Client,
    rows: Rows,
}

impl Both {
    /// An app with a task, one that is limited, one that is private and has a schedule, and a handler of an event.
    pub async fn new() -> Self {
        let app = TestApp::new()
            .with(task(REPORT, echo))
            .with(task(LIMITED, echo).concurrency(2).queue("labels"))
            .with(task(HIDDEN, echo).private().schedule(every("7 days"), Json::default()))
            .with(on(PAID, heard));
        let wire = Wire::default();
        let aws = Client::new(wire.ports());
        let manifest: Manifest = (*app.client().manifest().await.unwrap()).clone();
        Conductor::new(aws.ports().clone(), None).deploy(&manifest).await.unwrap();
        Self { app, wire, aws, rows: Rows::default() }
    }

    /// Asks both clients, and adds the refusal, which names its kind.
    pub async fn refuse<T: Debug>(&mut self, given: &str, ask: impl AsyncFn(Client) -> Result<T, dacapo::Error>) {
        let said = async |client: &Client| match ask(client.clone()).await {
            Ok(done) => panic!("{given} is accepted: {done:?}"),
            Err(error) => format!("{:?}: {error}", error.kind()),
        };
        self.add(given, async |client| said(client).await).await;
    }

    /// The same of what is asked of the ports, where the asker words the refusal.
    pub async fn refuse_at_ports(&mut self, given: &str, ask: impl AsyncFn(Ports) -> String) {
        self.add(given, async |client| ask(client.ports().clone()).await).await;
    }

    async fn add(&mut self, given: &str, ask: impl AsyncFn(&Client) -> String) {
        let before = (self.stored().await, self.wire.table.lock().unwrap().items.clone());
        let here = ask(self.app.client()).await;
        assert_eq!(comparable(&here), comparable(&ask(&self.aws).await), "{given}: the engine, and AWS");
        let after = (self.stored().await, self.wire.table.lock().unwrap().items.clone());
        assert_eq!(before, after, "{given}: what is refused changes nothing");
        self.rows.add(given, &here);
    }

    /// All that the embedded engine has.
    async fn stored(&self) -> String {
        let client = self.app.client();
        let runs = client.list(ListFilter::default()).await.unwrap().runs;
        let deliveries = client.deliveries().list(DeliveryFilter::default()).await.unwrap().deliveries;
        format!("{runs:?} {deliveries:?} {:?}", client.schedules().list().await.unwrap())
    }

    /// Compares the group with what is kept of it.
    pub fn are(&self, group: &str) {
        self.rows.are(group);
    }
}

/// JSON of a text.
pub fn json(text: &str) -> Json {
    Json::from_text(text).unwrap()
}
