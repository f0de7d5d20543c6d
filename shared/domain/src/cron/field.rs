//! The six fields, and the values that they take.

use std::fmt;

/// One of the six fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CronField {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12.
    Month,
    /// 1, Sunday, to 7.
    DayOfWeek,
    /// 1970 to 2199.
    Year,
}

impl fmt::Display for CronField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Field::of(*self).title)
    }
}

/// The values and wildcards that may stand in a field.
pub(super) struct Field {
    pub field: CronField,
    /// As an error calls it.
    pub title: &'static str,
    pub least: i16,
    pub most: i16,
    /// The values in words.
    pub values: &'static str,
    pub wildcards: &'static str,
    /// Names of the values, from the least.
    pub names: &'static [&'static str],
    /// The largest step, or none where a step isn't accepted.
    pub largest_step: Option<i16>,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

static FIELDS: [Field; 6] = [
    Field::numbers(CronField::Minute, "minute", (0, 59), "0-59", ", - * /"),
    Field::numbers(CronField::Hour, "hour", (0, 23), "0-23", ", - * /"),
    Field::numbers(CronField::DayOfMonth, "day of month", (1, 31), "1-31", ", - * ? / L W"),
    Field { names: &MONTHS, ..Field::numbers(CronField::Month, "month", (1, 12), "1-12 and JAN-DEC", ", - * /") },
    Field {
        names: &DAYS,
        largest_step: None,
        ..Field::numbers(CronField::DayOfWeek, "day of week", (1, 7), "1-7 (1 = Sunday) and SUN-SAT", ", - * ? L #")
    },
    Field::numbers(CronField::Year, "year", (1970, 2199), "1970-2199", ", - * /"),
];

impl Field {
    pub fn of(field: CronField) -> &'static Self {
        &FIELDS[field as usize]
    }

    const fn numbers(
        field: CronField,
        title: &'static str,
        (least, most): (i16, i16),
        values: &'static str,
        wildcards: &'static str,
    ) -> Self {
        let largest_step = Some(if least == 0 { most } else { most - least + 1 });
        Self { field, title, least, most, values, wildcards, names: &[], largest_step }
    }

    /// One value that must be a number.
    pub fn number(&self, text: &str) -> Option<i16> {
        number(text).filter(|number| (self.least..=self.most).contains(number))
    }

    /// The number of a name, in whatever case.
    pub fn number_of_name(&self, text: &str) -> Option<i16> {
        let index = self.names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
        i16::try_from(index).ok().map(|index| self.least + index)
    }

    /// A value as it is written.
    pub fn written(&self, value: i16, named: bool) -> String {
        let name = usize::try_from(value - self.least).ok().and_then(|index| self.names.get(index));
        name.filter(|_| named).map_or_else(|| value.to_string(), |name| (*name).to_owned())
    }
}

/// Digits and nothing else, since Rust's own parser takes a sign.
pub(super) fn number(text: &str) -> Option<i16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
