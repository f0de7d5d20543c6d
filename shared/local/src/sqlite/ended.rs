//! Waiting for the end of a record: who waits hears of it from the write that ends it.

use std::time::Duration;

use dacapo_core::port::PortResult;
use dacapo_domain::{RecordKey, StoredRecord};

use super::{Database, stored::StoredRow};

/// The longest wait: less than a client's time for one call.
const PATIENCE: Duration = Duration::from_secs(20);

impl Database {
    /// A record once it has ended, or is gone; as it is after [`PATIENCE`], or where too many wait.
    pub(super) async fn ended(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        let key = key.to_string();
        let Ok(_permit) = self.listeners.permits.try_acquire() else { return self.found(&key).await };
        // First: what ends it after the read is heard.
        let heard = self.listeners.listen(&key);
        let found = self.found(&key).await?;
        if found.as_ref().is_none_or(|record| record.header.expires_at_s.is_some()) {
            drop(heard);
            self.listeners.forget(&key);
            return Ok(found);
        }
        // Dropped by the time-out: nobody listens there any more.
        let _ = tokio::time::timeout(PATIENCE, heard).await;
        self.listeners.forget(&key);
        self.found(&key).await
    }

    pub(super) async fn found(&self, key: &str) -> PortResult<Option<StoredRecord>> {
        let (key, now) = (key.to_owned(), self.now());
        let row = self.call(move |connection| Ok(StoredRow::find(connection, &key, now)?));
        row.await?.map(StoredRow::record).transpose()
    }
}
