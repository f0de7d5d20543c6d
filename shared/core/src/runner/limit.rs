//! How long a handler may take, counted from its start.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// A moved limit is noticed this late at the most.
const LOOK: Duration = Duration::from_secs(1);

/// A limit that can be moved while it runs.
pub(crate) struct Limit {
    started: Instant,
    limit: Mutex<Duration>,
}

impl Limit {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { started: Instant::now(), limit: Mutex::new(limit) }
    }

    pub(crate) fn get(&self) -> Duration {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, limit: Duration) {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    }

    pub(crate) fn spent(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.get().saturating_sub(self.spent())
    }

    /// Comes when the limit has passed, however often it was moved.
    ///
    /// It looks by itself whether the limit was moved: whoever is woken by a handler has to wait on the handler's
    /// thread until that is free, which a handler that blocks never lets it be.
    pub(crate) async fn passed(&self) {
        while !self.remaining().is_zero() {
            sleep(self.remaining().min(LOOK)).await;
        }
    }
}
