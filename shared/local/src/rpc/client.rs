//! The client's side: the ports of the engine at an address.

use std::sync::Arc;

use async_trait::async_trait;
use dacapo_core::port::{ExecutionStatus, Outbox, PortResult, Ports, Probe, Records, SystemClock};
use dacapo_domain::{Claim, Created, Effect, Header, LogLine, Page, Query, RecordKey, Saved, StoredRecord, Write};

use super::{connection::Connection, verbs};

/// Comes when the engine at an address is gone, also if it was killed. A function's process then ends, in the middle
/// of its handler too: its answer is not waited for any more.
pub async fn gone(url: &str) {
    Connection::new(url).lasts().await;
}

/// The ports of the engine at an address such as `http://127.0.0.1:8787`.
///
/// Nothing is sent before a port is used; connections are kept. The clock is this machine's, which is the engine's too.
///
/// # Errors
/// None here. Each call gives `Unreachable` where no engine answers, and `Refused` where something else does.
#[must_use]
pub fn connect(url: &str) -> Ports {
    let connection = Arc::new(Connection::new(url));
    Ports { records: connection.clone(), outbox: connection.clone(), probe: connection, clock: Arc::new(SystemClock) }
}

#[async_trait]
impl Records for Connection {
    async fn create(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        self.call(&verbs::CREATE, &(write, claim)).await
    }

    async fn load(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        self.call(&verbs::LOAD, key).await
    }

    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        self.call(&verbs::SAVE, &(seen, write)).await
    }

    async fn delete(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        self.call(&verbs::DELETE, &(seen, effects)).await
    }

    async fn query(&self, query: &Query) -> PortResult<Page> {
        self.call(&verbs::QUERY, query).await
    }

    async fn append(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        self.call(&verbs::APPEND, &(key, lines)).await
    }

    async fn read_log(&self, key: &RecordKey, after: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.call(&verbs::READ_LOG, &(key, after, limit)).await
    }
}

#[async_trait]
impl Outbox for Connection {
    async fn post(&self, effect: &Effect) -> PortResult<()> {
        self.call(&verbs::POST, effect).await
    }
}

#[async_trait]
impl Probe for Connection {
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        self.call(&verbs::HAS_BACKLOG, function).await
    }

    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus> {
        self.call(&verbs::EXECUTION_STATUS, execution).await
    }
}
