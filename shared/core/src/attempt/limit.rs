//! The limit of a handler's time, counted from its start.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// A moved limit is noticed this late at the most.
const LOOK: Duration = Duration::from_secs(1);

/// A limit that can be moved while it runs.
pub struct Limit(Mutex<Span>);

#[derive(Clone, Copy)]
struct Span {
    started: Instant,
    limit: Duration,
}

impl Limit {
    /// A limit that starts now.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self(Mutex::new(Span { started: Instant::now(), limit }))
    }

    fn span(&self) -> MutexGuard<'_, Span> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limit itself.
    #[must_use]
    pub fn get(&self) -> Duration {
        self.span().limit
    }

    /// Moves it.
    pub fn set(&self, limit: Duration) {
        self.span().limit = limit;
    }

    /// Starts another limit now, in place of the one that has passed.
    pub(crate) fn restart(&self, limit: Duration) {
        *self.span() = Span { started: Instant::now(), limit };
    }

    /// The time spent so far.
    #[must_use]
    pub fn spent(&self) -> Duration {
        self.span().started.elapsed()
    }

    /// The time left.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let Span { started, limit } = *self.span();
        limit.saturating_sub(started.elapsed())
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
