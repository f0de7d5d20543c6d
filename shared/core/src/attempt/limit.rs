//! The limit of a handler's time, counted from its start.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// A moved limit is noticed this late at the most.
const LOOK: Duration = Duration::from_secs(1);

/// A limit that can be moved while it runs.
pub struct Limit {
    started: Instant,
    limit: Mutex<Duration>,
}

impl Limit {
    /// A limit that starts now.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { started: Instant::now(), limit: Mutex::new(limit) }
    }

    /// The limit itself.
    #[must_use]
    pub fn get(&self) -> Duration {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves it.
    pub fn set(&self, limit: Duration) {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    }

    /// The time spent so far.
    #[must_use]
    pub fn spent(&self) -> Duration {
        self.started.elapsed()
    }

    /// The time left.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.get().saturating_sub(self.spent())
    }

    /// Comes once the limit has passed, however often it was moved.
    ///
    /// It looks by itself whether the limit was moved: what a handler wakes has to wait on the handler's thread until
    /// that is free, which a handler that blocks never lets it be.
    pub async fn passed(&self) {
        while !self.remaining().is_zero() {
            sleep(self.remaining().min(LOOK)).await;
        }
    }
}
