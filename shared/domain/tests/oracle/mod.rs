//! A second implementation of cron, written straight from the table in EventBridge's documentation, with its own
//! calendar and no care for speed: it looks at every day. It shares no code with the crate's.

pub mod random;

use std::ops::RangeInclusive;

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};

/// Days since 1970 of a date, counted year by year and month by month.
pub fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let years: i64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 1
}

pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && year % 100 != 0 || year % 400 == 0
}

pub fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// 1 is Sunday; 1 January 1970 was a Thursday.
fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7) + 1
}

pub struct Oracle {
    minutes: Vec<i64>,
    hours: Vec<i64>,
    day_of_month: String,
    days_of_month: Vec<i64>,
    months: Vec<i64>,
    day_of_week: String,
    days_of_week: Vec<i64>,
    years: Vec<i64>,
}

impl Oracle {
    pub fn new(expression: &str) -> Self {
        let fields: Vec<&str> = expression.split(' ').collect();
        Self {
            minutes: values(fields[0], 0..=59),
            hours: values(fields[1], 0..=23),
            day_of_month: fields[2].to_owned(),
            days_of_month: if fields[2].contains(['?', 'L', 'W']) { Vec::new() } else { values(fields[2], 1..=31) },
            months: values(fields[3], 1..=12),
            day_of_week: fields[4].to_owned(),
            days_of_week: if fields[4].contains(['?', 'L', '#']) { Vec::new() } else { values(fields[4], 1..=7) },
            years: values(fields[5], 1970..=2199),
        }
    }

    /// The fires later than a moment: all local times that match are tried, and those that come are kept.
    pub fn fires_after(&self, after: Timestamp, zone: &TimeZone, count: usize) -> Vec<Timestamp> {
        // A day before, since a local time may come twice.
        let from_day = after.as_second().div_euclid(86_400) - 2;
        let from_year = 1970 + from_day / 366 - 1;
        let mut fires = Vec::new();
        for &year in self.years.iter().filter(|year| **year >= from_year) {
            for &month in &self.months {
                let first = days_since_1970(year, month, 1);
                for day in 1..=days_in(year, month) {
                    let days = first + day - 1;
                    if days < from_day || !self.is_day(year, month, day, days) {
                        continue;
                    }
                    for (hour, minute) in self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |m| (hour, m)))
                    {
                        let local = days * 86_400 + hour * 3_600 + minute * 60;
                        fires.extend(first_coming(local, zone).filter(|fire| *fire > after));
                        if fires.len() == count {
                            return fires;
                        }
                    }
                }
            }
        }
        fires
    }

    fn is_day(&self, year: i64, month: i64, day: i64, days: i64) -> bool {
        let last = days_in(year, month);
        let text = match (self.day_of_month.as_str(), self.day_of_week.as_str()) {
            ("?", _) => return self.is_weekday(day, last, weekday(days)),
            (text, "?") => text,
            _ => panic!("exactly one of the day fields is ?"),
        };
        if text == "L" {
            return day == last;
        }
        if let Some(wanted) = text.strip_suffix('W') {
            let wanted: i64 = wanted.parse().unwrap();
            let is_working = |other: i64| (2..=6).contains(&weekday(days + other - day));
            let nearest = (1..=last).filter(|other| is_working(*other)).min_by_key(|other| (other - wanted).abs());
            return wanted <= last && nearest == Some(day);
        }
        self.days_of_month.contains(&day)
    }

    fn is_weekday(&self, day: i64, last: i64, weekday: i64) -> bool {
        if self.day_of_week == "L" {
            return weekday == 7;
        }
        if let Some((wanted, nth)) = self.day_of_week.split_once('#') {
            return wanted.parse() == Ok(weekday) && nth.parse() == Ok((day + 6) / 7);
        }
        if let Some(wanted) = self.day_of_week.strip_suffix('L') {
            return wanted.parse() == Ok(weekday) && day + 7 > last;
        }
        self.days_of_week.contains(&weekday)
    }
}

/// The values of a field, by trying each of its range.
fn values(text: &str, range: RangeInclusive<i64>) -> Vec<i64> {
    let names = ["JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", "SUN MON TUE WED THU FRI SAT"];
    let value = |text: &str| -> i64 {
        let of_names = |names: &str| names.split(' ').position(|name| name == text).map(|index| index as i64 + 1);
        text.parse().ok().or_else(|| names.iter().find_map(|names| of_names(names))).unwrap()
    };
    let item = |item: &str| {
        let (part, step) = item.split_once('/').map_or((item, None), |(part, step)| (part, Some(value(step))));
        let (from, to) = match part.split_once('-') {
            _ if part == "*" => (*range.start(), *range.end()),
            Some((from, to)) => (value(from), value(to)),
            None if step.is_some() => (value(part), *range.end()),
            None => (value(part), value(part)),
        };
        (from, to, step.unwrap_or(1))
    };
    let items: Vec<(i64, i64, i64)> = text.split(',').map(item).collect();
    let is_in =
        |number: i64, (from, to, step): (i64, i64, i64)| from <= number && number <= to && (number - from) % step == 0;
    range.clone().filter(|number| items.iter().any(|item| is_in(*number, *item))).collect()
}

/// The first moment at which a zone's clocks show a local time (given as if it were UTC), if there is one: every
/// offset in force a day before, then or a day after is tried.
fn first_coming(local: i64, zone: &TimeZone) -> Option<Timestamp> {
    let offset_at = |second: i64| zone.to_offset(Timestamp::from_second(second).unwrap());
    let shown = |offset: Offset| {
        let second = local - i64::from(offset.seconds());
        (offset_at(second) == offset).then_some(second)
    };
    let offsets = [local - 86_400, local, local + 86_400].map(offset_at);
    offsets.into_iter().filter_map(shown).min().map(|second| Timestamp::from_second(second).unwrap())
}
