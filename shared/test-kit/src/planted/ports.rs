//! The ports of a product that has a bug.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use dacapo_core::port::{ExecutionStatus, Outbox, PortResult, Ports, Probe, Records};
use dacapo_domain::{
    Claim, Created, DeferredEvent, DeliveryRecord, Effect, Header, Index, LogLine, Machine, OwnedQuery, Page, Query,
    RecordKey, RunRecord, Saved, StepRecord, StoredRecord, TicketRecord, Write, slot,
};
use jiff::Timestamp;

use super::{
    Bug,
    writes::{RunOrOther, changed, is_lost, overwrites},
};

/// The time for which an old copy is read.
const OLD: Duration = Duration::from_secs(1);

/// The ports with the bug in them.
pub fn ports(ports: Ports, bug: Bug) -> Ports {
    let clock = ports.clock.clone();
    let planted = Arc::new(PlantedPorts { ports, bug, former: Mutex::default() });
    Ports { records: planted.clone(), outbox: planted.clone(), probe: planted, clock }
}

struct PlantedPorts {
    ports: Ports,
    bug: Bug,
    /// Records as they stood before their last write, and when that was.
    former: Mutex<HashMap<RecordKey, (Timestamp, Option<StoredRecord>)>>,
}

impl PlantedPorts {
    /// Is true of a new record that is never stored.
    fn forgets(&self, kind: &str) -> bool {
        match self.bug {
            Bug::DeferredEventForgotten => kind == DeferredEvent::KIND,
            Bug::TicketForgotten => kind == TicketRecord::KIND,
            Bug::FailureUnrecorded => kind == DeliveryRecord::KIND,
            _ => false,
        }
    }

    /// Remembers what stands there before it is written.
    async fn remember(&self, key: &RecordKey) -> PortResult<()> {
        if self.bug == Bug::OldCopyRead {
            let former = (self.ports.clock.now(), self.ports.records.load(key).await?);
            self.former.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), former);
        }
        Ok(())
    }

    /// The old copy of what is read, where it is read too soon.
    fn old(&self, key: &RecordKey, read: Option<StoredRecord>) -> Option<StoredRecord> {
        let former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        match former.get(key) {
            Some((since, former)) if self.ports.clock.now() < *since + OLD => former.clone(),
            _ => read,
        }
    }
}

#[async_trait]
impl Records for PlantedPorts {
    async fn create(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        if self.forgets(&write.header.key.kind) {
            return Ok(Created::New);
        }
        let write = changed(self.bug, write, None);
        self.remember(&write.header.key).await?;
        let created = self.ports.records.create(&write, claim.filter(|_| self.bug != Bug::KeyIgnored)).await?;
        let kind = &*write.header.key.kind;
        match &created {
            Created::Exists(found)
                if self.bug == Bug::CreateOverwrites && kind == RunRecord::KIND
                    || self.bug == Bug::StepOverwritten && kind == StepRecord::KIND =>
            {
                self.ports.records.save(&found.header, &write).await?;
                Ok(Created::New)
            }
            _ => Ok(created),
        }
    }

    async fn load(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        Ok(self.old(key, self.ports.records.load(key).await?))
    }

    async fn peek(&self, keys: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        self.ports.records.peek(keys).await
    }

    async fn gather(&self, key: &RecordKey, set: &str, members: &[String]) -> PortResult<Option<StoredRecord>> {
        if self.bug == Bug::WaiterUntold && set == slot::WAITERS {
            return self.ports.records.load(key).await;
        }
        Ok(self.old(key, self.ports.records.gather(key, set, members).await?))
    }

    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        let write = changed(self.bug, write, Some(seen));
        self.remember(&write.header.key).await?;
        if self.bug == Bug::LostReplyIsLostRace
            && let Some(found) = self.ports.records.load(&seen.key).await?
            && found.header.version == write.header.version
        {
            return Ok(Saved::Lost(Some(found)));
        }
        match self.ports.records.save(seen, &write).await? {
            Saved::Lost(Some(found)) if overwrites(self.bug, &write, &RunOrOther::read(&found.document)) => {
                self.ports.records.save(&found.header, &write).await
            }
            saved => Ok(saved),
        }
    }

    async fn delete(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        self.ports.records.delete(seen, effects).await
    }

    async fn postpone(&self, key: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<bool> {
        self.ports.records.postpone(key, seen, until).await
    }

    async fn expire_overflow(&self, seen: &Header) -> PortResult<()> {
        self.ports.records.expire_overflow(seen).await
    }

    async fn query(&self, query: &Query) -> PortResult<Page> {
        let mut page = self.ports.records.query(query).await?;
        if self.bug == Bug::ConductorBlind && query.index == Index::Reconcile {
            page.records.clear();
        }
        Ok(page)
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

#[async_trait]
impl Outbox for PlantedPorts {
    async fn post(&self, effect: &Effect) -> PortResult<()> {
        if is_lost(self.bug, effect) { Ok(()) } else { self.ports.outbox.post(effect).await }
    }
}

#[async_trait]
impl Probe for PlantedPorts {
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        self.ports.probe.has_backlog(function).await
    }

    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus> {
        match self.bug {
            Bug::ExecutionBelieved => Ok(ExecutionStatus::Running),
            _ => self.ports.probe.execution_status(execution).await,
        }
    }
}
