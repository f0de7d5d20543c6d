//! Whether a binary is still the one that was started.

use std::{path::Path, time::SystemTime};

/// What tells one build of a binary from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

impl Stamp {
    /// The file's as it is now; `None` while it isn't there, as in the middle of a build.
    pub fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        Some(Self { modified: about.modified().ok()?, bytes: about.len() })
    }
}
