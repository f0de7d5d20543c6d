//! `cron("0 6 ? * MON-FRI *")`: the six fields of EventBridge Scheduler, and when they fire.

mod error;
mod field;
mod next;
mod parse;
mod values;

use std::fmt;

use jiff::civil::{Date, Weekday};

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

/// Days of a month. Days of the week are numbered from 1, Sunday.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    /// These days of month, sorted.
    OfMonth(Vec<i16>),
    /// `L`: the last one.
    Last,
    /// `3W`: the weekday nearest this one, in the same month.
    NearestWeekday(i16),
    /// These days of the week.
    OfWeek(Vec<i16>),
    /// `6L`: the last such day of the week.
    LastOfWeek(i16),
    /// `3#2`: the nth such day of the week.
    NthOfWeek(i16, i16),
}

impl Days {
    /// The days meant in this month, in order.
    fn of(&self, year: i16, month: i8) -> Vec<Date> {
        let Ok(first) = Date::new(year, month, 1) else { return Vec::new() };
        let length = i16::from(first.days_in_month());
        let date = |day: i16| i8::try_from(day).ok().and_then(|day| Date::new(year, month, day).ok());
        let first_weekday = i16::from(first.weekday().to_sunday_one_offset());
        // The first day of the month that is this day of the week.
        let first_such = |weekday: i16| 1 + (weekday - first_weekday).rem_euclid(7);
        let days: Vec<i16> = match self {
            Self::OfMonth(days) => days.clone(),
            Self::Last => vec![length],
            Self::NearestWeekday(day) => return date(*day).map(nearest_weekday).into_iter().collect(),
            Self::OfWeek(weekdays) => {
                (1..=length).filter(|day| weekdays.contains(&((first_weekday + day - 2).rem_euclid(7) + 1))).collect()
            }
            Self::LastOfWeek(weekday) => {
                let such = first_such(*weekday);
                vec![such + (length - such) / 7 * 7]
            }
            Self::NthOfWeek(weekday, nth) => vec![first_such(*weekday) + (nth - 1) * 7],
        };
        days.into_iter().filter_map(date).collect()
    }
}

/// From Monday to Friday, without leaving the month.
fn nearest_weekday(date: Date) -> Date {
    let (first, last) = (date.day() == 1, date.day() == date.days_in_month());
    let days = match date.weekday() {
        Weekday::Saturday if first => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if last => -2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    date.saturating_add(jiff::Span::new().days(days))
}
