//! Records whose writes go wrong by a plan.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use dacapo_core::port::{PortError, PortErrorKind, PortResult, Ports, Records};
use dacapo_domain::{
    Claim, Created, Effect, Header, LogLine, OwnedQuery, Page, Query, RecordKey, Saved, StoredRecord, Write,
};
use futures::future::BoxFuture;
use jiff::Timestamp;

/// A mishap of a write.
#[derive(Clone, Copy)]
pub(super) enum Mishap {
    /// Another writer comes first.
    OtherFirst,
    /// It is refused for now, and not stored.
    Throttled,
    /// It is stored, and its reply is lost.
    ReplyLost,
    /// The same, and another writer comes before it is tried again.
    ReplyLostThenOther,
}

type Other = Box<dyn Fn(Ports) -> BoxFuture<'static, ()> + Send + Sync>;

struct Meddled {
    ports: Ports,
    plan: Mutex<VecDeque<Mishap>>,
    other: Other,
}

/// Ports whose next writes go wrong like this, one after the other; then all is well.
pub(super) fn meddled(
    ports: Ports,
    plan: impl IntoIterator<Item = Mishap>,
    other: impl Fn(Ports) -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> Ports {
    let (plan, other) = (Mutex::new(plan.into_iter().collect()), Box::new(other));
    Ports { records: Arc::new(Meddled { ports: ports.clone(), plan, other }), ..ports }
}

/// The same where there is no other writer.
pub(super) fn lossy(ports: Ports, plan: impl IntoIterator<Item = Mishap>) -> Ports {
    meddled(ports, plan, |_| Box::pin(async {}))
}

impl Meddled {
    async fn write<T>(&self, write: impl Future<Output = PortResult<T>> + Send) -> PortResult<T> {
        let mishap = self.plan.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let other = || (self.other)(self.ports.clone());
        let lost = || Err(PortError::new(PortErrorKind::Transient, "no answer (by plan)"));
        match mishap {
            None => write.await,
            Some(Mishap::Throttled) => lost(),
            Some(Mishap::OtherFirst) => {
                other().await;
                write.await
            }
            Some(Mishap::ReplyLost) => {
                write.await?;
                lost()
            }
            Some(Mishap::ReplyLostThenOther) => {
                write.await?;
                other().await;
                lost()
            }
        }
    }
}

#[async_trait]
impl Records for Meddled {
    async fn create(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        self.write(self.ports.records.create(write, claim)).await
    }

    async fn load(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        self.ports.records.load(key).await
    }

    async fn peek(&self, keys: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        self.ports.records.peek(keys).await
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
        self.ports.records.postpone(key, seen, until).await
    }

    async fn expire_overflow(&self, seen: &Header) -> PortResult<()> {
        self.ports.records.expire_overflow(seen).await
    }

    async fn query(&self, query: &Query) -> PortResult<Page> {
        self.ports.records.query(query).await
    }

    async fn owned(&self, query: &OwnedQuery) -> PortResult<Vec<StoredRecord>> {
        self.ports.records.owned(query).await
    }

    async fn append(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        self.ports.records.append(key, lines).await
    }

    async fn read_log(&self, key: &RecordKey, after: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.ports.records.read_log(key, after, limit).await
    }

    async fn read_log_back(&self, key: &RecordKey, before: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.ports.records.read_log_back(key, before, limit).await
    }
}
