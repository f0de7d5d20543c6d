//! A debounce: of the calls under one key that come close together, one run is made.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Version, limits};

/// The debounce of a run, which goes with its [key](crate::run::Key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Debounce {
    /// The end of the burst at which the run is due.
    pub edge: Edge,
    /// The end of the longest burst, by the first call's `max_delay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Timestamp>,
    /// The name of the write by which the run took the last call over, where one came after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_call: Option<Version>,
}

/// The end of a burst of calls at which its run is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Edge {
    /// The last call, with the last call's body, once there was none for the delay.
    Trailing,
    /// The first call. Those that come within the delay of the one before are absorbed.
    Leading,
}

/// A delay that no debounce may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DebounceError {
    /// The delay is none, or too long.
    #[error("debounce a run with a delay of {0:?} (allowed: 1 ms to 355 days)")]
    Delay(Duration),
    /// The longest delay is shorter than the delay, or too long.
    #[error(
        "debounce a run with a `max_delay` of {max_delay:?} (allowed: its delay, {delay:?}, or longer, to 355 days)"
    )]
    MaxDelay {
        /// The longest delay.
        max_delay: Duration,
        /// The delay.
        delay: Duration,
    },
}

impl Debounce {
    /// Checks a call's delay, and the longest one.
    ///
    /// # Errors
    /// A delay that is none, that is longer than a single wait may be, or than the longest one.
    pub fn check(delay: Duration, max_delay: Option<Duration>) -> Result<(), DebounceError> {
        if !(Duration::from_millis(1)..=limits::MAX_WAIT).contains(&delay) {
            return Err(DebounceError::Delay(delay));
        }
        match max_delay {
            Some(max_delay) if !(delay..=limits::MAX_WAIT).contains(&max_delay) => {
                Err(DebounceError::MaxDelay { max_delay, delay })
            }
            _ => Ok(()),
        }
    }

    /// The time until which a later call asks for quiet, as far as the longest burst goes.
    #[must_use]
    pub fn bounded(&self, quiet_until: Timestamp) -> Timestamp {
        self.latest.map_or(quiet_until, |latest| quiet_until.min(latest))
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trailing => "trailing",
            Self::Leading => "leading",
        })
    }
}
