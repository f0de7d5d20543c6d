//! A lease: one owner at a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Version;

/// The lease of an attempt, or of the hooks of the end: the right to write what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// The version that the taking write left: it names the owner.
    pub token: Version,
    /// The time at which it was taken.
    pub since: Timestamp,
    /// The time at which it ends: an ended lease means a dead owner.
    pub until: Timestamp,
}

impl Lease {
    /// Is true while its owner may still be alive.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.until
    }
}
