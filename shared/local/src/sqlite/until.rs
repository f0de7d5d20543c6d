//! Waiting for the end of a record, or its next change: who waits hears of it from the write.

use std::time::Duration;

use dacapo_core::port::{PortResult, Until};
use dacapo_domain::{RecordKey, StoredRecord};

use super::{Database, stored::StoredRow};

/// The longest wait: less than a client's time for one call.
const PATIENCE: Duration = Duration::from_secs(20);

impl Database {
    /// A record once it is as it is waited for, or is gone; as it is after [`PATIENCE`], or where too many wait.
    pub(super) async fn found_until(&self, key: &RecordKey, until: Until) -> PortResult<Option<StoredRecord>> {
        let key = key.to_string();
        let Ok(_permit) = self.listeners.permits.try_acquire() else { return self.found(&key).await };
        // First: what is written after the read is heard.
        let heard = self.listeners.listen(&key, until == Until::Ended);
        let found = self.found(&key).await?;
        if found.as_ref().is_none_or(|record| until.is_met_by(&record.header)) {
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
