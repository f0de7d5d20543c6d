//! Spans of time as one says them: `minutes(5)`.

use std::time::Duration;

/// A span of so many seconds.
///
/// ```
/// assert_eq!(dacapo_domain::seconds(90).as_secs(), 90);
/// ```
#[must_use]
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A span of so many minutes. A number too large for a [`Duration`] gives the longest one, which every use refuses.
///
/// ```
/// use dacapo_domain::{minutes, seconds};
/// assert_eq!(minutes(5), seconds(300));
/// ```
#[must_use]
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(60))
}

/// A span of so many hours. A number too large for a [`Duration`] gives the longest one, which every use refuses.
///
/// ```
/// use dacapo_domain::{hours, minutes};
/// assert_eq!(hours(2), minutes(120));
/// ```
#[must_use]
pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(3_600))
}

/// A span of so many days of 24 hours. A number too large for a [`Duration`] gives the longest one, which every use
/// refuses.
///
/// ```
/// use dacapo_domain::{days, hours};
/// assert_eq!(days(7), hours(168));
/// ```
#[must_use]
pub const fn days(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(86_400))
}
