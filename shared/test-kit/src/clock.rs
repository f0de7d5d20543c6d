//! A clock that stands still until it is moved.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dacapo_core::port::Clock;
use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};
use tokio::time::Instant;

/// The time at which every virtual clock begins: 1 January 2026, 00:00 UTC.
pub const START: &str = "2026-01-01T00:00:00Z";

/// A clock that stands still until it is moved, with randomness from a seed; or one that goes on with tokio's own.
#[derive(Debug)]
pub struct VirtualClock(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    /// The time that was set last.
    set: Timestamp,
    /// The instant of that by tokio's clock, where that is followed.
    since: Option<Instant>,
    dice: fastrand::Rng,
}

impl Inner {
    fn now(&self) -> Timestamp {
        let passed = self.since.map_or(0, |since| since.elapsed().as_millis());
        let passed = SignedDuration::from_millis(i64::try_from(passed).unwrap_or(i64::MAX));
        self.set.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    fn set(&mut self, time: Timestamp) {
        (self.set, self.since) = (time, self.since.map(|_| Instant::now()));
    }
}

impl VirtualClock {
    /// A clock at [`START`]; the same seed gives the same random numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let now = date(2026, 1, 1)
            .at(0, 0, 0, 0)
            .to_zoned_datetime(TimeZone::UTC)
            .map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp());
        Self(Mutex::new(Inner { set: now, since: None, dice: fastrand::Rng::with_seed(seed) }))
    }

    /// The same, going on as tokio's clock does: where that is paused, by what is waited for alone.
    pub(crate) fn following_tokio(seed: u64) -> Self {
        let clock = Self::new(seed);
        clock.inner().since = Some(Instant::now());
        clock
    }

    /// Moves the clock forward to a time; to an earlier one it doesn't move.
    pub fn move_to(&self, time: Timestamp) {
        let mut inner = self.inner();
        if time > inner.now() {
            inner.set(time);
        }
    }

    /// Sets the clock to any time, as a machine's clock is put right or goes wrong.
    pub fn set(&self, time: Timestamp) {
        self.inner().set(time);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.inner().now()
    }

    fn random(&self) -> u64 {
        self.inner().dice.u64(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_clock_begins_at_its_documented_time_and_goes_back_only_where_it_is_set() -> Result<(), jiff::Error> {
        let clock = VirtualClock::new(1);
        assert_eq!(clock.now(), START.parse()?);
        clock.move_to("2026-01-01T00:00:05Z".parse()?);
        clock.move_to(START.parse()?);
        assert_eq!(clock.now(), "2026-01-01T00:00:05Z".parse()?);
        clock.set(START.parse()?);
        assert_eq!(clock.now(), START.parse()?);
        Ok(())
    }
}
