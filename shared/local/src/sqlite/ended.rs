//! Those who wait for the end of a record: they hear of it with the write that ends it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dacapo_core::port::PortResult;
use dacapo_domain::{RecordKey, StoredRecord};
use tokio::sync::{Semaphore, oneshot};

use super::{Database, stored::StoredRow};

/// The longest wait: less than a client's time for one call.
const PATIENCE: Duration = Duration::from_secs(20);

/// Those who wait at once, at most, as each may hold a connection: others are told how the record stands.
const LISTENERS: usize = 256;

/// Those who wait, by the record's key.
pub(super) struct Listeners {
    permits: Semaphore,
    by_key: Mutex<HashMap<String, Vec<oneshot::Sender<()>>>>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { permits: Semaphore::new(LISTENERS), by_key: Mutex::default() }
    }
}

impl Listeners {
    fn listen(&self, key: &str) -> oneshot::Receiver<()> {
        let (tell, heard) = oneshot::channel();
        let mut by_key = self.lock();
        let listeners = by_key.entry(key.to_owned()).or_default();
        listeners.retain(|listener| !listener.is_closed());
        listeners.push(tell);
        heard
    }

    /// Tells those who wait for a record that it has ended, or is gone.
    pub(super) fn tell(&self, key: &str) {
        let listeners = self.lock().remove(key);
        for listener in listeners.into_iter().flatten() {
            let _ = listener.send(()); // Who has gone away needs to hear nothing.
        }
    }

    /// Forgets those who wait no more.
    fn forget(&self, key: &str) {
        let mut by_key = self.lock();
        if by_key.get(key).is_some_and(|listeners| listeners.iter().all(oneshot::Sender::is_closed)) {
            by_key.remove(key);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<oneshot::Sender<()>>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
