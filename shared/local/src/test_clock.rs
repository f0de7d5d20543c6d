//! A clock for this crate's own tests, which can't use the test kit: that one stands on this crate.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use dacapo_core::port::Clock;
use jiff::Timestamp;

/// A clock that stands still until it is moved, from 1 January 2026 on; its random numbers are the same each time.
#[derive(Debug)]
pub struct TestClock {
    now_ms: AtomicI64,
    drawn: AtomicU64,
}

impl TestClock {
    pub fn new() -> Self {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        Self { now_ms: AtomicI64::new(start.as_millisecond()), drawn: AtomicU64::new(1) }
    }

    /// Moves the clock forward to a time.
    pub fn move_to(&self, time: Timestamp) {
        self.now_ms.fetch_max(time.as_millisecond(), Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms.load(Relaxed)).unwrap()
    }

    /// Numbers of the Weyl sequence, mixed as `SplitMix64` does.
    fn random(&self) -> u64 {
        let mut mixed = self.drawn.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
