//! The history, over HTTP.

use async_trait::async_trait;
use dacapo::port::{
    Created, ListFilter, LogEntry, Page, Payloads, PortResult, Saved, SavedDelivery, ScheduleItem, Store, Stored,
    StoredDelivery, Watched,
};
use dacapo_domain::{Delivery, Id, Json, Manifest, Run};
use jiff::Timestamp;

use super::Connection;
use crate::rpc::verbs;

#[async_trait]
impl Store for Connection {
    async fn create(&self, run: &Run, body: &Json, key_until: Option<Timestamp>) -> PortResult<Created> {
        let existing = self.call(&verbs::CREATE, (run.clone(), body.clone(), key_until)).await?;
        Ok(existing.map_or(Created::New, Created::Exists))
    }

    async fn load(&self, id: Id) -> PortResult<Option<Stored>> {
        Ok(self.call(&verbs::LOAD, id).await?.map(Into::into))
    }

    async fn save(&self, seen: &Run, next: &Run, payloads: &Payloads) -> PortResult<Saved> {
        Ok(self.call(&verbs::SAVE, (seen.clone(), next.clone(), payloads.clone().into())).await?.into())
    }

    async fn list(&self, filter: &ListFilter) -> PortResult<Page> {
        Ok(self.call(&verbs::LIST, filter.clone()).await?.into())
    }

    async fn overdue(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Watched>> {
        self.call(&verbs::OVERDUE, (now, limit)).await
    }

    async fn log(&self, id: Id, entries: &[LogEntry]) -> PortResult<()> {
        self.call(&verbs::LOG, (id, entries.to_vec())).await
    }

    async fn logs(&self, id: Id, after: Option<&str>, limit: usize) -> PortResult<Vec<LogEntry>> {
        self.call(&verbs::LOGS, (id, after.map(ToOwned::to_owned), limit)).await
    }

    async fn create_delivery(&self, delivery: &Delivery, body: &Json) -> PortResult<SavedDelivery> {
        Ok(self.call(&verbs::CREATE_DELIVERY, (delivery.clone(), body.clone())).await?.into())
    }

    async fn load_delivery(&self, key: &str) -> PortResult<Option<StoredDelivery>> {
        Ok(self.call(&verbs::LOAD_DELIVERY, key.to_owned()).await?.map(Into::into))
    }

    async fn save_delivery(&self, seen: &Delivery, next: &Delivery) -> PortResult<SavedDelivery> {
        Ok(self.call(&verbs::SAVE_DELIVERY, (seen.clone(), next.clone())).await?.into())
    }

    async fn schedule(&self, name: &str) -> PortResult<Option<ScheduleItem>> {
        self.call(&verbs::SCHEDULE, name.to_owned()).await
    }

    async fn save_schedule(&self, seen: Option<&ScheduleItem>, next: &ScheduleItem) -> PortResult<bool> {
        self.call(&verbs::SAVE_SCHEDULE, (seen.cloned(), next.clone())).await
    }

    async fn delete_schedule(&self, name: &str) -> PortResult<()> {
        self.call(&verbs::DELETE_SCHEDULE, name.to_owned()).await
    }

    async fn schedules(&self) -> PortResult<Vec<ScheduleItem>> {
        self.call(&verbs::SCHEDULES, ()).await
    }

    async fn manifest(&self) -> PortResult<Option<Manifest>> {
        self.call(&verbs::MANIFEST, ()).await
    }

    async fn put_manifest(&self, manifest: &Manifest) -> PortResult<()> {
        self.call(&verbs::PUT_MANIFEST, manifest.clone()).await
    }
}
