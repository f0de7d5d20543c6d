//! Those who wait for a record to end, or to change.

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
    by_key: Mutex<HashMap<String, Vec<Listener>>>,
}

struct Listener {
    /// Hears of the end alone.
    of_end: bool,
    tell: oneshot::Sender<()>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { permits: Semaphore::new(LISTENERS), by_key: Mutex::default() }
    }
}

impl Listeners {
    /// Listens for the end of a record from now on, or for any write of it.
    pub(super) fn listen(&self, key: &str, of_end: bool) -> oneshot::Receiver<()> {
        let (tell, heard) = oneshot::channel();
        let mut by_key = self.lock();
        let listeners = by_key.entry(key.to_owned()).or_default();
        listeners.retain(|listener| !listener.tell.is_closed());
        listeners.push(Listener { of_end, tell });
        heard
    }

    /// Tells those who wait for a record that it was written, and whether that was its end or it is gone.
    pub(super) fn tell(&self, key: &str, is_end: bool) {
        let mut by_key = self.lock();
        let Some(listeners) = by_key.remove(key) else { return };
        let (told, others): (Vec<_>, Vec<_>) = listeners.into_iter().partition(|it| is_end || !it.of_end);
        if !others.is_empty() {
            by_key.insert(key.to_owned(), others);
        }
        for listener in told {
            let _ = listener.tell.send(()); // Who has gone away needs to hear nothing.
        }
    }

    /// Forgets those who wait no more.
    pub(super) fn forget(&self, key: &str) {
        let mut by_key = self.lock();
        if by_key.get(key).is_some_and(|listeners| listeners.iter().all(|it| it.tell.is_closed())) {
            by_key.remove(key);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Listener>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
