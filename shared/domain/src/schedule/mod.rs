//! A schedule: as a user writes it, as it is understood, when it fires, and what is stored of it.

mod decide;
mod declared;
mod fire_times;
mod record;
pub mod table;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

pub use declared::declared;
pub use fire_times::{AdjacentFires, DueFires, FireTimes, MissedFires, fire_id, fired_run, fired_run_bytes};
pub use record::{
    ScheduleInput, ScheduleInputName, SchedulePhaseName, SchedulePut, ScheduleRecord, SkipReason, SkippedFire,
    SkippedFires,
};

use crate::{Cron, CronError, Every, EveryError, TimeZoneError, When, WhenError, time_zone};

/// The times at which a task is started by itself: [`every`], [`cron`] or [`at`], with options. It holds what was
/// written; [`check`](Self::check) says what is wrong with it, so that building one never fails.
///
/// # Example: two schedules
///
/// ```
/// use dacapo_domain::{cron, every};
///
/// let working_days = cron("0 6 ? * MON-FRI *").timezone("Europe/Berlin");
/// let weekly = every("7 days").skip_while_running();
///
/// assert_eq!(working_days.check()?.aws_expression().as_deref(), Some("cron(0 6 ? * MON-FRI *)"));
/// assert_eq!(weekly.check()?.aws_expression().as_deref(), Some("rate(7 days)"));
/// # Ok::<(), dacapo_domain::ScheduleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct Schedule {
    #[serde(flatten)]
    expression: Expression,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
    #[serde(default, skip_serializing_if = "Overlap::is_default")]
    overlap: Overlap,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    catch_up: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expression {
    Every(String),
    Cron(String),
    At(When),
}

/// The overlap policy: what becomes of a fire while a run of its schedule is unfinished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Overlap {
    /// It makes a run.
    #[default]
    Allow,
    /// It makes none, and the schedule remembers it.
    Skip,
}

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

/// The placeholder in a schedule's input for which EventBridge Scheduler writes the fire's scheduled time.
pub const AWS_SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

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

/// A schedule that fires at a fixed interval, first when the schedule is created: `every("5 minutes")`; minutes, hours
/// or days.
pub fn every(interval: impl Into<String>) -> Schedule {
    Schedule::new(Expression::Every(interval.into()))
}

/// A schedule that fires by the calendar: `cron("0 6 ? * MON-FRI *")`; see [`Cron`] for the six fields. In UTC, or a
/// [time zone](Schedule::timezone).
pub fn cron(expression: impl Into<String>) -> Schedule {
    Schedule::new(Expression::Cron(expression.into()))
}

/// A schedule that fires once: `at("1 hour")`, seen from the schedule's creation; for schedules made at run time.
pub fn at(when: impl Into<When>) -> Schedule {
    Schedule::new(Expression::At(when.into()))
}

impl Schedule {
    fn new(expression: Expression) -> Self {
        Self { expression, timezone: None, overlap: Overlap::default(), catch_up: false }
    }

    /// The time zone of a [`cron`], by its IANA name. A local time that daylight saving skips does not fire, one
    /// that it repeats fires once, at the first of the two.
    pub fn timezone(self, name: impl Into<String>) -> Self {
        Self { timezone: Some(name.into()), ..self }
    }

    /// Makes no run while one of this schedule is unfinished. The schedule remembers the last 100 skipped fires.
    pub fn skip_while_running(self) -> Self {
        Self { overlap: Overlap::Skip, ..self }
    }

    /// Runs once, at start, what was missed while the embedded engine was down. (AWS is never down in this sense.)
    pub fn catch_up(self) -> Self {
        Self { catch_up: true, ..self }
    }

    /// Is true where the other one fires at the same times, whatever its options.
    #[must_use]
    pub fn has_same_times(&self, other: &Self) -> bool {
        self.expression == other.expression && self.timezone == other.timezone
    }

    /// Is true of an [`at`].
    #[must_use]
    pub fn fires_once(&self) -> bool {
        matches!(self.expression, Expression::At(_))
    }

    /// The overlap policy: what becomes of a fire while a run of this schedule is unfinished.
    #[must_use]
    pub fn overlap(&self) -> Overlap {
        self.overlap
    }

    /// Is true where missed fires are run once.
    #[must_use]
    pub fn catches_up(&self) -> bool {
        self.catch_up
    }

    /// The schedule as it is understood. Of an [`at`], which depends on now, [`Recurrence::since`] says more.
    ///
    /// # Errors
    /// Says what is wrong with interval, expression or time zone, and how to write it; that it can never fire at all.
    ///
    /// ```
    /// use dacapo_domain::cron;
    ///
    /// let error = cron("0 0 30 FEB ? *").check().unwrap_err();
    /// assert!(error.to_string().starts_with("schedule \"0 0 30 FEB ? *\" in UTC: it never fires"));
    /// ```
    pub fn check(&self) -> Result<Recurrence, ScheduleError> {
        match (&self.expression, &self.timezone) {
            (Expression::Every(_) | Expression::At(_), Some(zone)) => Err(ScheduleError::ZoneWithoutCron(zone.clone())),
            (Expression::Every(interval), None) => Ok(Recurrence::Every(Every::parse(interval)?)),
            (Expression::At(when), None) => Ok(Recurrence::At(when.clone())),
            (Expression::Cron(expression), zone) => {
                let cron = Cron::parse(expression)?;
                let zone = zone.as_deref().map_or(Ok(TimeZone::UTC), time_zone)?;
                match cron.next_after(Timestamp::MIN, &zone) {
                    Some(_) => Ok(Recurrence::Cron(cron, zone)),
                    None => Err(ScheduleError::never_fires(&cron, &zone, None)),
                }
            }
        }
    }
}

impl Overlap {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// As it is written: `every 7 days`, `cron 0 6 ? * MON-FRI * in Europe/Berlin`.
impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.expression {
            Expression::Every(interval) => write!(f, "every {interval}")?,
            Expression::Cron(expression) => write!(f, "cron {expression}")?,
            Expression::At(when) => write!(f, "at {when}")?,
        }
        match &self.timezone {
            Some(zone) => write!(f, " in {zone}"),
            None => Ok(()),
        }
    }
}

impl Recurrence {
    /// The expression for EventBridge Scheduler; none for an [`at`], which is written by [`aws_at`] once its
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

impl ScheduleError {
    fn never_fires(cron: &Cron, zone: &TimeZone, since: Option<Timestamp>) -> Self {
        let zone = zone.iana_name().unwrap_or("UTC").to_owned();
        Self::NeverFires { expression: cron.to_string(), zone, since }
    }
}

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
