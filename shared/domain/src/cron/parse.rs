//! From text to a [`Cron`]: its fields, and the values that each names.

use super::{
    Cron, CronError, CronField, CronProblem, Days,
    field::{Field, number},
};

/// EventBridge Scheduler takes 256 characters, `cron()` included.
const LONGEST: usize = 250;

/// One value, and whether it was named or numbered.
#[derive(Clone, Copy)]
struct Value {
    number: i16,
    named: bool,
}

impl Cron {
    /// Reads six fields.
    ///
    /// # Errors
    /// The first thing that is wrong, in which field, and the accepted way to say it.
    ///
    /// ```
    /// use dacapo_domain::Cron;
    ///
    /// let error = Cron::parse("0 22-2 * * ? *").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "read the cron expression \"0 22-2 * * ? *\": the hour 22-2 runs backwards (write 22-23,0-2)",
    /// );
    /// ```
    pub fn parse(text: &str) -> Result<Self, CronError> {
        expression(text).map_err(|problem| CronError::new(text, problem))
    }
}

impl Field {
    /// The values that `text` names, sorted: `*`, or a list of values, ranges and steps.
    pub fn values_of(&self, text: &str) -> Result<Vec<i16>, CronProblem> {
        if text == "*" {
            return Ok((self.least..=self.most).collect());
        }
        let mut values = Vec::new();
        for item in text.split(',') {
            values.extend(self.item(item)?);
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn item(&self, item: &str) -> Result<Vec<i16>, CronProblem> {
        match item {
            "" => return Err(CronProblem::EmptyItem(self.field)),
            "*" => return Err(CronProblem::StarInList(self.field)),
            _ if item.contains('?') => return Err(CronProblem::Question(self.field)),
            _ => {}
        }
        let Some((range, step)) = item.split_once('/') else {
            let (from, to) = self.range(item)?;
            return Ok((from.number..=to.number).collect());
        };
        if range.is_empty() {
            return Err(CronProblem::StepWithoutStart { field: self.field, given: item.to_owned() });
        }
        let (from, to) = match range {
            "*" => (self.least, self.most),
            // A lone start runs to the field's end.
            _ if !range.contains('-') => (self.value(range)?.number, self.most),
            _ => self.range(range).map(|(from, to)| (from.number, to.number))?,
        };
        let most = self.largest_step.unwrap_or(self.most);
        let step = number(step).filter(|step| (1..=most).contains(step)).ok_or_else(|| CronProblem::StepSize {
            field: self.field,
            given: item.to_owned(),
            most,
        })?;
        let values: Vec<i16> = (from..=to).step_by(usize::from(step.unsigned_abs())).collect();
        let named = range.contains(|c: char| c.is_ascii_alphabetic());
        if self.largest_step.is_none() || named {
            return Err(CronProblem::Step {
                field: self.field,
                given: item.to_owned(),
                instead: values.iter().map(|value| self.written(*value, named)).collect::<Vec<_>>().join(","),
            });
        }
        Ok(values)
    }

    /// A value, or two joined by a hyphen.
    fn range(&self, text: &str) -> Result<(Value, Value), CronProblem> {
        let Some((from, to)) = text.split_once('-') else {
            let value = self.value(text)?;
            return Ok((value, value));
        };
        let (from, to) = (self.value(from)?, self.value(to)?);
        let (field, given) = (self.field, text.to_owned());
        let named = from.named || to.named;
        let both = |from: i16, to: i16| match (self.written(from, named), self.written(to, named)) {
            (from, to) if from == to => from,
            (from, to) => format!("{from}-{to}"),
        };
        let backwards = from.number > to.number;
        let instead = || match backwards {
            true => format!("{},{}", both(from.number, self.most), both(self.least, to.number)),
            false => both(from.number, to.number),
        };
        if from.named != to.named {
            return Err(CronProblem::Mixed { field, given, instead: instead() });
        }
        if backwards {
            return Err(CronProblem::Backwards { field, given, instead: instead() });
        }
        Ok((from, to))
    }

    fn value(&self, text: &str) -> Result<Value, CronProblem> {
        if let Some(index) = self.names.iter().position(|name| *name == text) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are 12 at most")]
            return Ok(Value { number: self.least + index as i16, named: true });
        }
        let (field, given) = (self.field, text.chars().take(40).collect());
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            let number = number(text).filter(|number| (self.least..=self.most).contains(number));
            return match number {
                Some(number) => Ok(Value { number, named: false }),
                None if field == CronField::DayOfWeek && text == "0" => Err(CronProblem::ZeroSunday),
                None => Err(CronProblem::OutOfRange { field, given }),
            };
        }
        let beginning: String = text.chars().take(3).collect::<String>().to_ascii_uppercase();
        let wordy = text.chars().all(|c| c.is_ascii_alphabetic()) && !text.is_empty();
        let instead = self.names.iter().find(|name| **name == beginning).map(|name| (*name).to_owned());
        if wordy && !self.names.is_empty() {
            return Err(CronProblem::Spelling { field, given, instead });
        }
        Err(CronProblem::Unreadable { field, given })
    }
}

fn expression(text: &str) -> Result<Cron, CronProblem> {
    let trimmed = text.trim();
    if trimmed.chars().count() > LONGEST {
        return Err(CronProblem::TooLong(trimmed.chars().count()));
    }
    if trimmed.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("cron")) {
        return Err(CronProblem::Wrapped);
    }
    if trimmed.starts_with('@') {
        return Err(CronProblem::Nickname { instead: six_fields_of_nickname(trimmed).map(str::to_owned) });
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let &[minute, hour, day_of_month, month, day_of_week, year] = fields.as_slice() else {
        return Err(match fields.len() {
            5 => CronProblem::UnixFields { instead: readable(six_fields_of_unix(&fields)) },
            7 => CronProblem::SecondsField { instead: readable(Some(fields[1..].join(" "))) },
            count => CronProblem::FieldCount(count),
        });
    };
    let with_days = |of_month: &str, of_week: &str| [minute, hour, of_month, month, of_week, year].join(" ");
    let values = |field, text| in_capitals(field, text, |text| Field::of(field).values_of(text));
    let days_of_month = |text| in_capitals(CronField::DayOfMonth, text, days_of_month);
    let days_of_week = |text| in_capitals(CronField::DayOfWeek, text, days_of_week);
    let minutes = values(CronField::Minute, minute)?;
    let hours = values(CronField::Hour, hour)?;
    let months = values(CronField::Month, month)?;
    // Before the days, whose suggestions hold it.
    let years = values(CronField::Year, year)?;
    let days = match (day_of_month, day_of_week) {
        ("?", "?") => return Err(CronProblem::NoDays { instead: with_days("*", "?") }),
        (_, "?") => days_of_month(day_of_month)?,
        ("?", _) => days_of_week(day_of_week)?,
        _ => {
            days_of_month(day_of_month)?;
            days_of_week(day_of_week)?;
            let of_week = day_of_month == "*" && day_of_week != "*";
            let instead = if of_week { with_days("?", day_of_week) } else { with_days(day_of_month, "?") };
            return Err(CronProblem::BothDays { instead });
        }
    };
    Ok(Cron { text: fields.join(" "), minutes, hours, days, months, years })
}

/// Reads a field, and tells what is right but for its lower case.
fn in_capitals<T>(
    field: CronField,
    text: &str,
    read: impl Fn(&str) -> Result<T, CronProblem>,
) -> Result<T, CronProblem> {
    read(text).map_err(|problem| {
        let capitals = text.to_ascii_uppercase();
        if capitals == text || read(&capitals).is_err() {
            return problem;
        }
        CronProblem::Spelling { field, given: text.to_owned(), instead: Some(capitals) }
    })
}

fn days_of_month(text: &str) -> Result<Days, CronProblem> {
    let field = Field::of(CronField::DayOfMonth);
    alone_only(field, text)?;
    let given = || text.to_owned();
    if text == "L" {
        return Ok(Days::Last);
    }
    if text == "LW" || text == "WL" {
        return Err(CronProblem::LastWeekday(given()));
    }
    if text.starts_with("L-") {
        return Err(CronProblem::BeforeLast(given()));
    }
    if text.contains('L') {
        return Err(CronProblem::LastOf { field: field.field, given: given() });
    }
    if text.contains('W') {
        let day = text.strip_suffix('W').and_then(|day| field.number(day));
        return day.map(Days::NearestWeekday).ok_or(CronProblem::Weekday { field: field.field, given: given() });
    }
    if text.contains('#') {
        return Err(CronProblem::Nth { field: field.field, given: given(), instead: None });
    }
    field.values_of(text).map(Days::OfMonth)
}

fn days_of_week(text: &str) -> Result<Days, CronProblem> {
    let field = Field::of(CronField::DayOfWeek);
    let given = || text.to_owned();
    if text.matches('#').count() > 1 {
        return Err(CronProblem::TwoNths(given()));
    }
    alone_only(field, text)?;
    if text == "L" {
        return Ok(Days::OfWeek(vec![7]));
    }
    if let Some((weekday, nth)) = text.split_once('#') {
        let accepted = field.number(weekday).zip(in_month(nth));
        return accepted.map(|(weekday, nth)| Days::NthOfWeek(weekday, nth)).ok_or_else(|| {
            let named = field.number_of_name(weekday).zip(in_month(nth));
            let instead = named.map(|(weekday, nth)| format!("{weekday}#{nth}"));
            CronProblem::Nth { field: field.field, given: given(), instead }
        });
    }
    if let Some(weekday) = text.strip_suffix('L') {
        let last = field.number(weekday).map(Days::LastOfWeek);
        return last.ok_or(CronProblem::LastOf { field: field.field, given: given() });
    }
    let weekday = text.strip_suffix('W').unwrap_or_default();
    if text == "W" || field.number(weekday).is_some() {
        return Err(CronProblem::Weekday { field: field.field, given: given() });
    }
    field.values_of(text).map(Days::OfWeek)
}

/// `L`, `W` and `#` stand for a whole field.
fn alone_only(field: &Field, text: &str) -> Result<(), CronProblem> {
    let special = |item: &&str| match field.field {
        CronField::DayOfMonth => item.contains(['L', 'W']),
        _ => {
            item.contains('#') || *item == "L" || item.ends_with('L') && field.number(&item[..item.len() - 1]).is_some()
        }
    };
    match text.contains(',').then(|| text.split(',').find(special)).flatten() {
        Some(item) => Err(CronProblem::AloneOnly { field: field.field, given: item.to_owned() }),
        None => Ok(()),
    }
}

/// The number of a day of the week in its month, 1 to 5.
fn in_month(text: &str) -> Option<i16> {
    matches!(text, "1" | "2" | "3" | "4" | "5").then(|| text.parse().ok()).flatten()
}

/// A suggestion only if it is accepted itself.
fn readable(expression: Option<String>) -> Option<String> {
    expression.filter(|text| self::expression(text).is_ok())
}

/// Unix numbers the days of the week from 0 or 7, Sunday, so they are named. Both day fields set means "or" there,
/// which one expression can't say.
fn six_fields_of_unix(fields: &[&str]) -> Option<String> {
    const NAMES: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    let &[minute, hour, day_of_month, month, day_of_week] = fields else { return None };
    let named = |c: char| c.to_digit(8).map_or_else(|| c.to_string(), |digit| NAMES[digit as usize].to_owned());
    let (of_month, of_week) = match (day_of_month, day_of_week) {
        (_, "*" | "?") => (day_of_month, "?".to_owned()),
        ("*" | "?", _) if day_of_week.contains(['/', '#', 'L']) => return None,
        ("*" | "?", _) => ("?", day_of_week.chars().map(named).collect()),
        _ => return None,
    };
    Some(format!("{minute} {hour} {of_month} {month} {of_week} *").to_ascii_uppercase())
}

fn six_fields_of_nickname(nickname: &str) -> Option<&'static str> {
    match nickname {
        "@hourly" => Some("0 * * * ? *"),
        "@daily" | "@midnight" => Some("0 0 * * ? *"),
        "@weekly" => Some("0 0 ? * SUN *"),
        "@monthly" => Some("0 0 1 * ? *"),
        "@yearly" | "@annually" => Some("0 0 1 JAN ? *"),
        _ => None,
    }
}
