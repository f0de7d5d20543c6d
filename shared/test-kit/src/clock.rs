//! A clock that stands still until it is moved.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dacapo_core::port::Clock;
use jiff::{Timestamp, civil::date, tz::TimeZone};

/// The time at which every virtual clock begins: 1 January 2026, 00:00 UTC.
pub const START: &str = "2026-01-01T00:00:00Z";

/// A clock that stands still until it is moved, with randomness from a seed.
#[derive(Debug)]
pub struct VirtualClock(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    now: Timestamp,
    dice: fastrand::Rng,
}

impl VirtualClock {
    /// A clock at [`START`]; the same seed gives the same random numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let now = date(2026, 1, 1)
            .at(0, 0, 0, 0)
            .to_zoned_datetime(TimeZone::UTC)
            .map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp());
        Self(Mutex::new(Inner { now, dice: fastrand::Rng::with_seed(seed) }))
    }

    /// Moves the clock forward to a time; to an earlier one it doesn't move.
    pub fn move_to(&self, time: Timestamp) {
        let mut inner = self.inner();
        inner.now = inner.now.max(time);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.inner().now
    }

    fn random(&self) -> u64 {
        self.inner().dice.u64(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_clock_begins_at_its_documented_time_and_never_goes_back() -> Result<(), jiff::Error> {
        let clock = VirtualClock::new(1);
        assert_eq!(clock.now(), START.parse()?);
        clock.move_to("2026-01-01T00:00:05Z".parse()?);
        clock.move_to(START.parse()?);
        assert_eq!(clock.now(), "2026-01-01T00:00:05Z".parse()?);
        Ok(())
    }
}
