//! The history's port. Each verb is written where its table is.

use async_trait::async_trait;
use dacapo::port::{
    Created, ListFilter, LogEntry, Page, Payloads, PortResult, Saved, SavedDelivery, ScheduleItem, Store, Stored,
    StoredDelivery, Watched,
};
use dacapo_domain::{Delivery, Id, Json, Manifest, Run};
use jiff::Timestamp;

use super::Database;

#[async_trait]
impl Store for Database {
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
        self.list_overdue(now, limit).await
    }

    async fn log(&self, id: Id, entries: &[LogEntry]) -> PortResult<()> {
        self.add_logs(id, entries).await
    }

    async fn logs(&self, id: Id, after: Option<&str>, limit: usize) -> PortResult<Vec<LogEntry>> {
        self.read_logs(id, after, limit).await
    }

    async fn create_delivery(&self, delivery: &Delivery, body: &Json) -> PortResult<SavedDelivery> {
        self.add_delivery(delivery, body).await
    }

    async fn load_delivery(&self, key: &str) -> PortResult<Option<StoredDelivery>> {
        self.find_delivery(key).await
    }

    async fn save_delivery(&self, seen: &Delivery, next: &Delivery) -> PortResult<SavedDelivery> {
        self.replace_delivery(seen, next).await
    }

    async fn schedule(&self, name: &str) -> PortResult<Option<ScheduleItem>> {
        self.find_schedule_item(name).await
    }

    async fn save_schedule(&self, seen: Option<&ScheduleItem>, next: &ScheduleItem) -> PortResult<bool> {
        self.save_schedule_item(seen, next).await
    }

    async fn delete_schedule(&self, name: &str) -> PortResult<()> {
        self.delete_schedule_item(name).await
    }

    async fn schedules(&self) -> PortResult<Vec<ScheduleItem>> {
        self.all_schedule_items().await
    }

    async fn manifest(&self) -> PortResult<Option<Manifest>> {
        self.read_manifest().await
    }

    async fn put_manifest(&self, manifest: &Manifest) -> PortResult<()> {
        self.write_manifest(manifest).await
    }
}
