//! The two day fields, of which one is `?`: which days of a month are meant.

use jiff::civil::{Date, Weekday};

/// Days of a month. Days of the week are numbered from 1, Sunday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Days {
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
    pub fn of(&self, year: i16, month: i8) -> Vec<Date> {
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
