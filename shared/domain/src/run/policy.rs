//! The policy of a task: how its runs are treated.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Retry, limits};

/// A task's options, as far as decisions about its runs need them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// Limit of one attempt.
    #[serde(rename = "timeoutMs", with = "crate::ms")]
    pub timeout: Duration,
    /// The longest limit that `set_timeout` may set.
    #[serde(rename = "maxTimeoutMs", with = "crate::ms")]
    pub max_timeout: Duration,
    /// Limit on the run's total handler time.
    #[serde(rename = "maxDurationMs", with = "crate::ms::or_none", skip_serializing_if = "Option::is_none")]
    pub max_duration: Option<Duration>,
    /// Calls of the handler for new iterations, at most; none is unlimited.
    pub max_iterations: Option<u32>,
    /// The retries of a failed attempt.
    pub retry: Retry,
    /// A run not started this long after it was due expires.
    #[serde(rename = "ttlMs", with = "crate::ms::or_none", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// The time for which a finished run is kept.
    #[serde(rename = "historyMs", with = "crate::ms")]
    pub history: Duration,
    /// Is true where hooks follow the end.
    pub has_end_hooks: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            max_timeout: limits::MAX_TIMEOUT,
            max_duration: None,
            max_iterations: Some(500),
            retry: Retry::default(),
            ttl: None,
            history: limits::HISTORY,
            has_end_hooks: false,
        }
    }
}

impl Policy {
    /// The end of the lease of an attempt with this limit: a margin after the runner has stopped it.
    #[must_use]
    pub fn lease_until(&self, since: Timestamp, limit: Duration) -> Timestamp {
        since + limit.min(limits::RUNNER_STOPS) + limits::LEASE_MARGIN
    }
}
