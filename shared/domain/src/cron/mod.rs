//! `cron("0 6 ? * MON-FRI *")`: the six fields of EventBridge Scheduler, and when they fire.

mod days;
mod error;
mod field;
mod next;
mod parse;
mod values;

use std::fmt;

use days::Days;
pub use error::{CronError, CronProblem};
pub use field::CronField;

/// A cron expression as EventBridge Scheduler documents it, and nothing that it only happens to accept.
///
/// | field | values | wildcards |
/// |---|---|---|
/// | minute | 0-59 | `, - * /` |
/// | hour | 0-23 | `, - * /` |
/// | day of month | 1-31 | `, - * ? / L W` |
/// | month | 1-12, JAN-DEC | `, - * /` |
/// | day of week | 1-7 (1 = SUN), SUN-SAT | `, - * ? L #` |
/// | year | 1970-2199 | `, - * /` |
///
/// Exactly one of the two day fields is `?`. `1/10` = 1, 11, 21 …; `L` = the last day of the month, or Saturday;
/// `6L` = the last Friday; `3W` = the weekday nearest the 3rd, in the same month (a month without such a day has
/// none); `3#2` = the second Tuesday.
///
/// # Example: the next working days, through the start of daylight saving
///
/// ```
/// use dacapo_domain::{Cron, time_zone};
///
/// let cron = Cron::parse("0 6 ? * MON-FRI *")?;
/// let fires: Vec<String> = cron
///     .fires_after("2026-03-27T00:00:00Z".parse()?, &time_zone("Europe/Berlin")?)
///     .map(|fire| fire.to_string())
///     .take(2)
///     .collect();
/// assert_eq!(fires, ["2026-03-27T05:00:00Z", "2026-03-30T04:00:00Z"]);
/// assert_eq!(cron.aws_expression(), "cron(0 6 ? * MON-FRI *)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// The fields as written, one space apart.
    text: String,
    /// Each sorted, and not empty.
    minutes: Vec<i16>,
    hours: Vec<i16>,
    days: Days,
    months: Vec<i16>,
    years: Vec<i16>,
}

impl Cron {
    /// The expression in the words of EventBridge Scheduler.
    #[must_use]
    pub fn aws_expression(&self) -> String {
        format!("cron({self})")
    }
}

/// The six fields.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
