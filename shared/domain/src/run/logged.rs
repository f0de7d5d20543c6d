//! The room of a run's log.

use serde::{Deserialize, Serialize};

use crate::{json::is_zero, limits};

/// The log entries of a run, as far as they are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logged {
    /// Entries of the current iteration.
    #[serde(skip_serializing_if = "is_zero")]
    pub entries: u32,
    /// Bytes of the whole run.
    #[serde(skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// The attempt up to which they are counted: one whose process died has not said how many it kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// The attempts of the current iteration that were made again under their number.
    #[serde(skip_serializing_if = "is_zero")]
    pub again: u32,
}

/// The room that a run's log has for one more entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogRoom {
    /// There is room: it is kept.
    Free,
    /// It is the first that is left out: an entry of this text stands in its place.
    Full(String),
    /// It is left out, as the log says already.
    LeftOut,
}

impl Logged {
    /// Counts one more entry of this size.
    pub fn add(&mut self, bytes: usize) -> LogRoom {
        if self.entries > limits::LOG_ENTRIES || self.bytes > limits::LOG_BYTES {
            return LogRoom::LeftOut;
        }
        self.entries += 1;
        if self.entries > limits::LOG_ENTRIES {
            let most = limits::LOG_ENTRIES;
            return LogRoom::Full(format!(
                "an iteration keeps {most} log entries: later ones of this one are left out"
            ));
        }
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.bytes > limits::LOG_BYTES {
            let most = limits::LOG_BYTES;
            return LogRoom::Full(format!("a run keeps {most} bytes of log entries: later ones are left out"));
        }
        LogRoom::Free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_that_is_full_says_so_once_and_leaves_out_the_rest() {
        let full = |mut logged: Logged, bytes| {
            let rooms = [logged.add(bytes), logged.add(bytes), logged.add(bytes)];
            rooms.map(|room| match room {
                LogRoom::Free => "kept",
                LogRoom::Full(_) => "full",
                LogRoom::LeftOut => "out",
            })
        };
        assert_eq!(full(Logged { entries: 999, bytes: 0, attempt: 1, again: 0 }, 10), ["kept", "full", "out"]);
        assert_eq!(
            full(Logged { entries: 0, bytes: limits::LOG_BYTES - 10, attempt: 1, again: 0 }, 10),
            ["kept", "full", "out"]
        );
    }
}
