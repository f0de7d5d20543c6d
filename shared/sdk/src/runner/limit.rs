//! How long a handler may take, counted from its start.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

/// A limit that can be moved while it runs.
pub(crate) struct Limit {
    started: Instant,
    limit: watch::Sender<Duration>,
}

impl Limit {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { started: Instant::now(), limit: watch::Sender::new(limit) }
    }

    pub(crate) fn get(&self) -> Duration {
        *self.limit.borrow()
    }

    pub(crate) fn set(&self, limit: Duration) {
        self.limit.send_replace(limit);
    }

    pub(crate) fn spent(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.get().saturating_sub(self.spent())
    }

    /// Comes when the limit has passed, however often it was moved.
    pub(crate) async fn passed(&self) {
        let mut moved = self.limit.subscribe();
        loop {
            let end = self.started + *moved.borrow_and_update();
            tokio::select! {
                () = tokio::time::sleep_until(end) => return,
                _ = moved.changed() => {}
            }
        }
    }
}
