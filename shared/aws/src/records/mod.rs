//! The history, in one DynamoDB table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | run | `run/{id}` | `run` |
//! | its payloads that don't fit into it | `run/{id}` | `body/{version}`, `input/{version}`, `result/{version}` |
//! | its log entries | `run/{id}` | `log/{iteration}.{attempt}.{number}` |
//! | idempotency key | `key/{bytes of the task}/{task}/{key}` | `key` |
//! | delivery | `delivery/{event}/{function}` | `delivery` |
//! | its event's body, where it doesn't fit | `delivery/{event}/{function}` | `body` |
//! | schedule | `schedule` | its name |
//! | manifest | `manifest` | `manifest` |
//!
//! Three indexes hold keys only: `list` (`list`, `pk`) what never changes, eight shards a task; `watch` (`watch`,
//! `watchMs`) what somebody must look at, sixteen shards; `failed` (`failed`, `pk`) the failed runs, eight shards a
//! task. `ttl` is the table's time to live, in Unix seconds.

mod create;
mod cursor;
mod delivery;
mod difference;
mod end;
mod index;
mod item;
mod key;
mod list;
mod logs;
mod manifest;
mod payload;
#[cfg(test)]
mod samples;
mod save;
mod schedule;
mod watch;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use dacapo::port::{
    Clock, Created, ListFilter, LogEntry, Page, Payloads, PortResult, Saved, SavedDelivery, ScheduleItem, Store,
    Stored, StoredDelivery, Watched,
};
use dacapo_domain::{Delivery, Id, Json, Manifest, Run};
use jiff::Timestamp;

use crate::Stack;

/// An item as the service takes and gives it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The history, in one DynamoDB table named `{app}-{stage}`.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    stack: Arc<Stack>,
    clock: Arc<dyn Clock>,
}

impl DynamoStore {
    /// The history of a stack. The clock says what has expired.
    #[must_use]
    pub fn new(client: Client, stack: Arc<Stack>, clock: Arc<dyn Clock>) -> Self {
        Self { client, stack, clock }
    }

    fn table(&self) -> &str {
        self.stack.prefix()
    }

    /// Now in Unix seconds, as `ttl` has it.
    fn now_s(&self) -> i64 {
        self.clock.now().as_second()
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn create(&self, run: &Run, body: &Json, key_until: Option<Timestamp>) -> PortResult<Created> {
        self.create_run(run, body, key_until).await
    }

    async fn load(&self, id: Id) -> PortResult<Option<Stored>> {
        self.load_run(id).await
    }

    async fn save(&self, seen: &Run, next: &Run, payloads: &Payloads) -> PortResult<Saved> {
        self.save_run(seen, next, payloads).await
    }

    async fn list(&self, filter: &ListFilter) -> PortResult<Page> {
        self.list_runs(filter).await
    }

    async fn overdue(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Watched>> {
        self.overdue_items(now, limit).await
    }

    async fn log(&self, id: Id, entries: &[LogEntry]) -> PortResult<()> {
        self.add_logs(id, entries).await
    }

    async fn logs(&self, id: Id, after: Option<&str>, limit: usize) -> PortResult<Vec<LogEntry>> {
        self.read_logs(id, after, limit).await
    }

    async fn create_delivery(&self, delivery: &Delivery, body: &Json) -> PortResult<SavedDelivery> {
        self.put_delivery(delivery, body).await
    }

    async fn load_delivery(&self, key: &str) -> PortResult<Option<StoredDelivery>> {
        self.read_delivery(key).await
    }

    async fn save_delivery(&self, seen: &Delivery, next: &Delivery) -> PortResult<SavedDelivery> {
        self.update_delivery(seen, next).await
    }

    async fn schedule(&self, name: &str) -> PortResult<Option<ScheduleItem>> {
        self.read_schedule(name).await
    }

    async fn save_schedule(&self, seen: Option<&ScheduleItem>, next: &ScheduleItem) -> PortResult<bool> {
        self.put_schedule(seen, next).await
    }

    async fn delete_schedule(&self, name: &str) -> PortResult<()> {
        self.remove_schedule(name).await
    }

    async fn schedules(&self) -> PortResult<Vec<ScheduleItem>> {
        self.read_schedules().await
    }

    async fn manifest(&self) -> PortResult<Option<Manifest>> {
        self.read_manifest().await
    }

    async fn put_manifest(&self, manifest: &Manifest) -> PortResult<()> {
        self.write_manifest(manifest).await
    }
}
