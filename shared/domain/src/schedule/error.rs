//! Schedules that are refused, and why.

use jiff::{Timestamp, tz::TimeZone};

use crate::{Cron, CronError, EveryError, TimeZoneError, WhenError};

/// A schedule that is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The interval can't be read.
    #[error(transparent)]
    Every(#[from] EveryError),
    /// The cron expression can't be read.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// The one time can't be used.
    #[error(transparent)]
    At(#[from] WhenError),
    /// There is no such time zone.
    #[error(transparent)]
    TimeZone(#[from] TimeZoneError),
    /// A time zone where it would change nothing.
    #[error(
        "use the time zone {0:?}: only `cron` has one, `every` counts from its creation and `at` is a moment \
         (leave it out, or use `cron`)"
    )]
    ZoneWithoutCron(String),
    /// The expression has no fire left.
    #[error("schedule {expression:?} in {zone}: it never fires{} (check day, month and year)", .since.map_or_else(String::new, |since| format!(" after {since}")))]
    NeverFires {
        /// The cron expression.
        expression: String,
        /// The time zone.
        zone: String,
        /// The moment after which it never fires; none if it never does.
        since: Option<Timestamp>,
    },
}

impl ScheduleError {
    pub(super) fn never_fires(cron: &Cron, zone: &TimeZone, since: Option<Timestamp>) -> Self {
        let zone = zone.iana_name().unwrap_or("UTC").to_owned();
        Self::NeverFires { expression: cron.to_string(), zone, since }
    }
}
