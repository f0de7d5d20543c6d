//! Spans of time, as one says them, `minutes(5)`, and as they are stored and sent; and time zones by name, from a
//! database inside the program, so that all machines agree.

use std::{sync::LazyLock, time::Duration};

use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

use crate::limits;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A name that is no time zone's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("find the time zone {given:?}: {}", .instead.as_ref().map_or_else(
    || "allowed are IANA names, such as \"Europe/Berlin\" or \"UTC\"".to_owned(),
    |instead| format!("names are spelled exactly (write {instead:?})"),
))]
pub struct TimeZoneError {
    given: String,
    instead: Option<String>,
}

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

/// A span of an option that is too short or too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option} of {span:?} (allowed: 1 s to 3,650 days)")]
pub struct SpanError {
    option: &'static str,
    span: Duration,
}

/// Checks the span of an option: `ttl`, `key_for`, `max_duration`, `history`.
///
/// # Errors
/// It is below a second or above ten years.
pub fn check_span(option: &'static str, span: Duration) -> Result<(), SpanError> {
    let is_allowed = (limits::MIN_SPAN..=limits::MAX_SPAN).contains(&span);
    if is_allowed { Ok(()) } else { Err(SpanError { option, span }) }
}

/// The time from one moment to a later one, and none to an earlier one.
#[must_use]
pub fn until(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Is true where something that was seen at a time may be taken for what it is now, so long afterwards. Where the clock was
/// put back behind that time, it may not: how long ago it was seen is not known then.
///
/// ```
/// use dacapo_domain::{is_fresh, minutes};
/// let seen: jiff::Timestamp = "2026-01-01T12:00:00Z".parse()?;
/// assert!(is_fresh(seen, minutes(1), seen));
/// assert!(!is_fresh(seen, minutes(1), "2026-01-01T12:01:00Z".parse()?));
/// assert!(!is_fresh(seen, minutes(1), "2026-01-01T11:00:00Z".parse()?), "the clock was put back");
/// # Ok::<(), jiff::Error>(())
/// ```
#[must_use]
pub fn is_fresh(seen: Timestamp, fresh: Duration, now: Timestamp) -> bool {
    (seen..later(seen, fresh)).contains(&now)
}

/// The time so much later; the last that there is, where it would be beyond.
#[must_use]
pub fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Durations as they are stored and sent: whole milliseconds, rounded up, so that the shortest doesn't become none.
pub mod ms {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// For `#[serde(rename = "…Ms", with = "ms")]`.
    #[expect(clippy::missing_errors_doc, reason = "serde calls it")]
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(up(*duration))
    }

    /// For `#[serde(rename = "…Ms", with = "ms")]`.
    #[expect(clippy::missing_errors_doc, reason = "serde calls it")]
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }

    fn up(duration: Duration) -> u64 {
        u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// The same where there may be none.
    pub(crate) mod or_none {
        use std::time::Duration;

        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
            duration.map(super::up).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
            Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
        }
    }
}

/// The time zone of an IANA name, such as `Europe/Berlin`.
///
/// # Errors
/// There is none of this name. Case counts, since it does to AWS.
///
/// ```
/// use dacapo_domain::time_zone;
///
/// assert!(time_zone("Europe/Berlin").is_ok());
/// let error = time_zone("europe/berlin").unwrap_err();
/// assert!(error.to_string().contains("write \"Europe/Berlin\""));
/// assert!(time_zone("Berlin").is_err());
/// ```
pub fn time_zone(name: &str) -> Result<TimeZone, TimeZoneError> {
    let found = DATABASE.get(name).ok();
    let exact = found.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
    match (found, exact) {
        (Some(zone), Some(exact)) if exact == name => Ok(zone),
        (_, instead) => Err(TimeZoneError { given: name.chars().take(80).collect(), instead }),
    }
}
