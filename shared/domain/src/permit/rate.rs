//! The starts of a pool in the window that its rate looks at.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Rate;
use crate::later;

/// Groups that the starts of a window are counted in, at most: each leaves it with its last start.
const GROUPS: u32 = 64;

/// The starts of a pool, as far as its rate still counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starts(Vec<Group>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    first: Timestamp,
    last: Timestamp,
    count: u32,
}

impl Starts {
    /// Counts a start, and forgets those that have left the window.
    pub(super) fn add(&mut self, rate: Rate, now: Timestamp) {
        self.0.retain(|group| later(group.last, rate.per) > now);
        match self.0.last_mut() {
            Some(group) if now < later(group.first, rate.per / GROUPS) => {
                group.last = group.last.max(now);
                group.count = group.count.saturating_add(1);
            }
            _ => self.0.push(Group { first: now, last: now, count: 1 }),
        }
    }

    /// The same without starts beyond a time.
    pub(super) fn up_to(&self, latest: Timestamp) -> Self {
        Self(self.0.iter().filter(|group| group.last <= latest).copied().collect())
    }

    /// The starts that are left, with so many promised.
    pub(super) fn room(&self, rate: Rate, promised: u32, now: Timestamp) -> u32 {
        let counted = self.0.iter().filter(|group| later(group.last, rate.per) > now);
        let counted = counted.fold(promised, |sum, group| sum.saturating_add(group.count));
        rate.starts.saturating_sub(counted)
    }

    /// The time at which one of them leaves the window.
    pub(super) fn next_room(&self, rate: Rate) -> Option<Timestamp> {
        self.0.first().map(|group| later(group.last, rate.per))
    }

    /// Is true where there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Rate {
    /// The time between two starts of those that wait, so that they are spread over the window.
    #[must_use]
    pub fn spacing(&self) -> Duration {
        self.per / self.starts.max(1)
    }
}
