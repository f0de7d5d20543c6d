//! Those who wait for a record to end.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Semaphore, oneshot};

/// Those who wait at once, at most, as each may hold a connection: others are told how the record stands.
const LISTENERS: usize = 256;

/// Those who wait, by the record's key.
pub(super) struct Listeners {
    pub(super) permits: Semaphore,
    by_key: Mutex<HashMap<String, Vec<oneshot::Sender<()>>>>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { permits: Semaphore::new(LISTENERS), by_key: Mutex::default() }
    }
}

impl Listeners {
    /// Listens for the end of a record from now on.
    pub(super) fn listen(&self, key: &str) -> oneshot::Receiver<()> {
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
    pub(super) fn forget(&self, key: &str) {
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
