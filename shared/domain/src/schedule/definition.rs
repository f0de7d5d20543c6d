//! A schedule as a user writes it.

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Recurrence, ScheduleError};
use crate::{Cron, Every, When, time_zone};

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
    /// What is wrong with interval, expression or time zone, and how to write it; that it can never fire at all.
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
