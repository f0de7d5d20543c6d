//! Ports that cost next to nothing, so that what is measured is the runner: a map instead of a history, and every run
//! that is asked for has been created before.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use dacapo_core::port::{
    ExecutionStatus, Outbox, PortError, PortErrorKind, PortResult, Ports, Probe, Records, SystemClock,
};
use dacapo_domain::{
    Claim, Created, Effect, Header, Json, LogLine, OwnedQuery, Page, Payloads, Query, RecordKey, Saved, StoredRecord,
    Write, slot,
};
use jiff::Timestamp;

/// The records.
struct Memory {
    records: Mutex<HashMap<RecordKey, (Header, Json)>>,
    body: Json,
}

pub fn ports() -> Ports {
    let body = Json::of(&echo::Said::default()).unwrap_or_default();
    let memory = Arc::new(Memory { records: Mutex::default(), body });
    Ports { records: memory.clone(), outbox: memory.clone(), probe: memory, clock: Arc::new(SystemClock) }
}

fn unused<T>() -> PortResult<T> {
    Err(PortError::new(PortErrorKind::Refused, "a run of one iteration needs none of this"))
}

#[async_trait]
impl Records for Memory {
    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let key = &write.header.key;
        if let Some((header, document)) = records.get(key).filter(|(header, _)| header.version != seen.version) {
            let (header, document) = (header.clone(), document.clone());
            return Ok(Saved::Lost(Some(StoredRecord { header, document, payloads: Payloads::none() })));
        }
        if write.header.expires_at_s.is_some() {
            records.remove(key);
        } else {
            records.insert(key.clone(), (write.header.clone(), write.document.clone()));
        }
        Ok(Saved::Done(write.payloads.clone().with(slot::BODY, self.body.clone())))
    }

    async fn create(&self, _: &Write, _: Option<&Claim>) -> PortResult<Created> {
        unused()
    }

    /// No queue is paused, which is asked once a minute.
    async fn load(&self, _: &RecordKey) -> PortResult<Option<StoredRecord>> {
        Ok(None)
    }

    async fn peek(&self, _: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        unused()
    }

    async fn gather(&self, _: &RecordKey, _: &str, _: &[String]) -> PortResult<Option<StoredRecord>> {
        unused()
    }

    async fn delete(&self, _: &Header, _: &[Effect]) -> PortResult<bool> {
        unused()
    }

    async fn postpone(&self, _: &RecordKey, _: Timestamp, _: Timestamp) -> PortResult<bool> {
        unused()
    }

    async fn query(&self, _: &Query) -> PortResult<Page> {
        unused()
    }

    async fn owned(&self, _: &OwnedQuery) -> PortResult<Vec<StoredRecord>> {
        unused()
    }

    async fn append(&self, _: &RecordKey, _: &[LogLine]) -> PortResult<()> {
        unused()
    }

    async fn read_log(&self, _: &RecordKey, _: Option<&str>, _: usize) -> PortResult<Vec<LogLine>> {
        unused()
    }

    async fn read_log_back(&self, _: &RecordKey, _: Option<&str>, _: usize) -> PortResult<Vec<LogLine>> {
        unused()
    }
}

#[async_trait]
impl Outbox for Memory {
    async fn post(&self, _: &Effect) -> PortResult<()> {
        unused()
    }
}

#[async_trait]
impl Probe for Memory {
    async fn has_backlog(&self, _: &str) -> PortResult<bool> {
        unused()
    }

    async fn execution_status(&self, _: &str) -> PortResult<ExecutionStatus> {
        unused()
    }
}
