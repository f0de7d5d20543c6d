//! `cron("0 6 ? * MON-FRI *")`: the six fields of EventBridge Scheduler, and when they fire.

mod error;
mod field;
mod parse;

use std::fmt;

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time, Weekday, date},
    tz::{AmbiguousOffset, TimeZone},
};

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

const FIRST: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);
const LAST: DateTime = date(2199, 12, 31).at(23, 59, 0, 0);

impl Cron {
    /// The expression in the words of EventBridge Scheduler.
    #[must_use]
    pub fn aws_expression(&self) -> String {
        format!("cron({self})")
    }

    /// The fires later than `after`, in order, in a time zone: a local time that daylight saving skips does not
    /// fire, one that it repeats fires at the first of the two.
    ///
    /// Ends with the last year of the expression; the whole calendar of an expression that never fires is looked
    /// through at once, month by month. `examples/fires.rs` measures it: 1,000 next fires of any of 2,000 random
    /// expressions took at most 19 ms, and a calendar without a fire at most 10 ms, in an unoptimized build.
    pub fn fires_after<'a>(&'a self, after: Timestamp, zone: &'a TimeZone) -> impl Iterator<Item = Timestamp> + 'a {
        let local = zone.to_datetime(after);
        self.local_times(local, LAST)
            .filter_map(move |time| instant(time, zone))
            // A local time that is still to come for the second time has fired at the first.
            .skip_while(move |fire| *fire <= after)
    }

    /// The first fire later than `after`, if there is one.
    ///
    /// ```
    /// use dacapo_domain::Cron;
    /// use jiff::tz::TimeZone;
    ///
    /// let leap_day = Cron::parse("0 12 29 FEB ? *")?;
    /// let next = leap_day.next_after("2026-01-01T00:00:00Z".parse()?, &TimeZone::UTC).unwrap();
    /// assert_eq!(next.to_string(), "2028-02-29T12:00:00Z");
    ///
    /// let never = Cron::parse("0 12 30 FEB ? *")?;
    /// assert_eq!(never.next_after("2026-01-01T00:00:00Z".parse()?, &TimeZone::UTC), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        self.fires_after(after, zone).next()
    }

    /// The last fire earlier than `before`, if there is one.
    ///
    /// ```
    /// use dacapo_domain::Cron;
    /// use jiff::tz::TimeZone;
    ///
    /// let daily = Cron::parse("0 6 * * ? *")?;
    /// let previous = daily.previous_before("2026-01-01T06:00:00Z".parse()?, &TimeZone::UTC).unwrap();
    /// assert_eq!(previous.to_string(), "2025-12-31T06:00:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn previous_before(&self, before: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        // While a local time comes for the second time, all of the repeated ones have fired: start behind them, at
        // what the clock would show had it not been put back.
        let local = zone.to_datetime(before);
        let local = match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Fold { before: unchanged, .. } => unchanged.to_datetime(before),
            _ => local,
        };
        let fires = self.local_times(FIRST, local).rev().filter_map(|time| instant(time, zone));
        fires.filter(|fire| *fire < before).take(1).next()
    }

    /// The local times that match, from `from`'s minute to `to`'s, in order and from either end.
    fn local_times(&self, from: DateTime, to: DateTime) -> impl DoubleEndedIterator<Item = DateTime> {
        let from = DateTime::from_parts(from.date(), minute_of(from));
        let (first, last) = (from.date(), to.date());
        let months = move |year: i16| {
            let within = move |month: &i16| {
                let month = i8::try_from(*month).unwrap_or_default();
                (first.year(), first.month()) <= (year, month) && (year, month) <= (last.year(), last.month())
            };
            self.months.iter().copied().filter(within).map(move |month| (year, month))
        };
        self.years
            .iter()
            .copied()
            .filter(move |year| (first.year()..=last.year()).contains(year))
            .flat_map(months)
            .flat_map(|(year, month)| self.days.of(year, i8::try_from(month).unwrap_or_default()))
            .filter(move |date| (first..=last).contains(date))
            .flat_map(|date| self.hours.iter().map(move |hour| (date, *hour)))
            .filter(move |(date, hour)| (hour_of(from)..=hour_of(to)).contains(&(*date, *hour)))
            .flat_map(|(date, hour)| self.minutes.iter().filter_map(move |minute| at(date, hour, *minute)))
            .filter(move |time| (from..=to).contains(time))
    }
}

/// The six fields.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
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

fn minute_of(time: DateTime) -> Time {
    Time::constant(time.hour(), time.minute(), 0, 0)
}

fn hour_of(time: DateTime) -> (Date, i16) {
    (time.date(), i16::from(time.hour()))
}

fn at(date: Date, hour: i16, minute: i16) -> Option<DateTime> {
    let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
    Some(DateTime::from_parts(date, Time::new(hour, minute, 0, 0).ok()?))
}

/// The moment at which a local time comes, the first one if it comes twice, none if it is skipped.
fn instant(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let offset = match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { before, .. } => before,
        AmbiguousOffset::Gap { .. } => return None,
    };
    offset.to_timestamp(time).ok()
}
