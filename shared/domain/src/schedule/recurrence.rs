//! A schedule as it is understood, in the words of EventBridge Scheduler, or refused.

use jiff::{Timestamp, tz::TimeZone};

use crate::{Cron, CronError, Every, EveryError, TimeZoneError, When, WhenError};

/// A schedule as it is understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Recurrence {
    /// A fixed interval.
    Every(Every),
    /// The calendar of a time zone.
    Cron(Cron, TimeZone),
    /// One time, seen from the schedule's creation.
    At(When),
}

impl Recurrence {
    /// The expression for EventBridge Scheduler; none for an [`at`](crate::at), which is written by [`aws_at`] once its
    /// moment is known.
    #[must_use]
    pub fn aws_expression(&self) -> Option<String> {
        match self {
            Self::Every(every) => Some(every.aws_expression()),
            Self::Cron(cron, _) => Some(cron.aws_expression()),
            Self::At(_) => None,
        }
    }

    /// The IANA name of the time zone that EventBridge Scheduler is to evaluate the expression in.
    ///
    /// ```
    /// use dacapo_domain::{cron, every};
    ///
    /// assert_eq!(cron("0 6 * * ? *").timezone("Asia/Tokyo").check()?.aws_time_zone(), "Asia/Tokyo");
    /// assert_eq!(every("1 day").check()?.aws_time_zone(), "UTC");
    /// # Ok::<(), dacapo_domain::ScheduleError>(())
    /// ```
    #[must_use]
    pub fn aws_time_zone(&self) -> &str {
        match self {
            Self::Cron(_, zone) => zone.iana_name().unwrap_or("UTC"),
            Self::Every(_) | Self::At(_) => "UTC",
        }
    }
}

/// The placeholder in a schedule's input for which EventBridge Scheduler writes the fire's scheduled time.
pub const AWS_SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// A moment in the words of EventBridge Scheduler, which takes UTC without a `Z` and whole seconds: rounded up,
/// since nothing may start early.
///
/// ```
/// use dacapo_domain::aws_at;
/// assert_eq!(aws_at("2026-05-01T10:00:00.001Z".parse()?), "at(2026-05-01T10:00:01)");
/// # Ok::<(), jiff::Error>(())
/// ```
#[must_use]
pub fn aws_at(due: Timestamp) -> String {
    let up = jiff::TimestampRound::new().smallest(jiff::Unit::Second).mode(jiff::RoundMode::Ceil);
    let due = due.round(up).unwrap_or(due);
    format!("at({})", due.strftime("%Y-%m-%dT%H:%M:%S"))
}

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
