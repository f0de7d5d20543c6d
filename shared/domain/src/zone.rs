//! Time zones by name, from a database inside the program, so that all machines agree.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

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
