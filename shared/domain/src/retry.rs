//! Placeholder until the retry policy lands.
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A retry policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    attempts: u32,
}

impl Retry {
    /// So many attempts.
    #[must_use]
    pub const fn attempts(attempts: u32) -> Self {
        Self { attempts }
    }
    /// The shortest delay.
    #[must_use]
    pub const fn min(self, _: Duration) -> Self {
        self
    }
    /// The longest delay.
    #[must_use]
    pub const fn max(self, _: Duration) -> Self {
        self
    }
    /// Whether jitter applies.
    #[must_use]
    pub const fn jitter(self, _: bool) -> Self {
        self
    }
    /// Attempts in all.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.attempts
    }
    /// The age past which nothing is tried again.
    #[must_use]
    pub const fn max_age(&self) -> Option<Duration> {
        None
    }
    /// The delay after a failed attempt.
    #[must_use]
    pub fn delay(&self, _attempt: u32, _roll: f64) -> Duration {
        Duration::from_secs(1)
    }
}
