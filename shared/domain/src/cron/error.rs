//! Reasons to refuse a cron expression, each with the accepted way to say it.

use super::field::{CronField, Field};

/// A cron expression that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the cron expression {expression:?}: {problem}")]
pub struct CronError {
    expression: String,
    problem: CronProblem,
}

impl CronError {
    pub(super) fn new(expression: &str, problem: CronProblem) -> Self {
        Self { expression: expression.chars().take(120).collect(), problem }
    }

    /// The problem.
    #[must_use]
    pub fn problem(&self) -> &CronProblem {
        &self.problem
    }
}

/// A fault of a cron expression. `given` is the part that is wrong, `instead` the accepted way to say it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CronProblem {
    /// Longer than EventBridge Scheduler takes.
    #[error("it has {0} characters; allowed are 250 (write ranges and steps for lists, or several schedules)")]
    TooLong(usize),
    /// Wrapped as EventBridge wants it.
    #[error("it stands in `cron(…)` already (write what is inside)")]
    Wrapped,
    /// `@daily` and the like.
    #[error("nicknames are not known{}", write(.instead.as_deref()))]
    Nickname {
        /// The same in six fields.
        instead: Option<String>,
    },
    /// Five fields, as in Unix.
    #[error("it has 5 fields, as in Unix; allowed are 6, with a `?` for one of the days and a year{}", write(.instead.as_deref()))]
    UnixFields {
        /// The same in six fields, where Unix means one that AWS can say.
        instead: Option<String>,
    },
    /// Seven fields, as in Quartz.
    #[error("it has 7 fields, with seconds; allowed are 6, nothing is finer than a minute{}", write(.instead.as_deref()))]
    SecondsField {
        /// The same without seconds.
        instead: Option<String>,
    },
    /// Neither 5, 6 nor 7 fields.
    #[error("it has {0} field{s}; allowed are 6: minute, hour, day of month, month, day of week, year", s = if *.0 == 1 { "" } else { "s" })]
    FieldCount(usize),
    /// Both day fields have values.
    #[error(
        "it names both a day of month and a day of week; one of the two must be ? (write two schedules, or {instead:?})"
    )]
    BothDays {
        /// The same with a `?`.
        instead: String,
    },
    /// Both day fields are `?`.
    #[error("both day fields are ?; one of the two must say which days (write {instead:?} for every day)")]
    NoDays {
        /// The same for each day.
        instead: String,
    },
    /// A field or an item of a list is not of the accepted form.
    #[error("the {field} {given:?} is not understood; allowed are {} and the wildcards {}", Field::of(*.field).values, Field::of(*.field).wildcards)]
    Unreadable {
        /// The field.
        field: CronField,
        /// The part.
        given: String,
    },
    /// A list with nothing between two commas.
    #[error("the {0} has an empty item in its list (take out the comma)")]
    EmptyItem(CronField),
    /// Out of the field's range.
    #[error("the {field} {given} is out of range; allowed are {}", Field::of(*.field).values)]
    OutOfRange {
        /// The field.
        field: CronField,
        /// The number.
        given: String,
    },
    /// `0` as Sunday.
    #[error("the day of week 0 is not known: Sunday is 1 and Saturday is 7 (write 1 or SUN for Sunday)")]
    ZeroSunday,
    /// A name in lower case, in full, or otherwise not as accepted.
    #[error("the {field} {given:?} is not spelled as accepted{}", write(.instead.as_deref()))]
    Spelling {
        /// The field.
        field: CronField,
        /// As given.
        given: String,
        /// As accepted.
        instead: Option<String>,
    },
    /// A range from more to less.
    #[error("the {field} {given} runs backwards (write {instead})")]
    Backwards {
        /// The field.
        field: CronField,
        /// The range.
        given: String,
        /// Two ranges.
        instead: String,
    },
    /// A range of a name and a number.
    #[error("the {field} {given} mixes a name and a number (write {instead})")]
    Mixed {
        /// The field.
        field: CronField,
        /// The range.
        given: String,
        /// The same in names.
        instead: String,
    },
    /// A step in a field that has none, or from a name.
    #[error("the {field} {given} has a step, which is not accepted here (write {instead})")]
    Step {
        /// The field.
        field: CronField,
        /// As given.
        given: String,
        /// The values as a list.
        instead: String,
    },
    /// A step without a start.
    #[error("the {field} {given} has a step without a start (write *{given})")]
    StepWithoutStart {
        /// The field.
        field: CronField,
        /// As given.
        given: String,
    },
    /// A step of 0 or past the field's end.
    #[error("the {field} {given} has a step that is not a number from 1 to {most}")]
    StepSize {
        /// The field.
        field: CronField,
        /// As given.
        given: String,
        /// The largest step.
        most: i16,
    },
    /// `*` beside other values.
    #[error("the {0} has a * inside a list, where it makes the other values needless (write *, or the values alone)")]
    StarInList(CronField),
    /// `?` in a field that isn't of days, or beside other values.
    #[error("the {0} can't hold a ? (write * for all of them; ? stands alone, in one of the two day fields)")]
    Question(CronField),
    /// `L`, `W` or `#` beside other values.
    #[error("the {field} has {given} inside a list; it must stand alone (write a schedule for each)")]
    AloneOnly {
        /// The field.
        field: CronField,
        /// The item.
        given: String,
    },
    /// `L-3`.
    #[error(
        "the day of month {0} is not accepted: days can't be counted from the last (write L for the last day, or a fixed day such as 28)"
    )]
    BeforeLast(String),
    /// `LW`.
    #[error(
        "the day of month {0} is not accepted: the last weekday can't be said (write L for the last day, or in the day of week 6L for the last Friday)"
    )]
    LastWeekday(String),
    /// `MON-FRIL`, `5L` in the day of month and the like.
    #[error("the {field} {given} is not accepted: L stands {}", if *.field == CronField::DayOfWeek { "alone, for Saturday, or behind one day's number (write 6L for the last Friday)" } else { "alone, for the last day (write L)" })]
    LastOf {
        /// The field.
        field: CronField,
        /// As given.
        given: String,
    },
    /// `W` not behind one day.
    #[error(
        "the {field} {given} is not accepted: W stands behind one day of month (write 3W for the weekday nearest the 3rd, or MON-FRI in the day of week)"
    )]
    Weekday {
        /// The field.
        field: CronField,
        /// As given.
        given: String,
    },
    /// `#` not between a day and a number from 1 to 5.
    #[error("the {field} {given} is not accepted: # stands between a day of week, 1 to 7, and its number in the month, 1 to 5{}", write(.instead.as_deref()))]
    Nth {
        /// The field.
        field: CronField,
        /// As given.
        given: String,
        /// The accepted way.
        instead: Option<String>,
    },
    /// More than one `#`.
    #[error("the day of week {0} has more than one #; one is allowed (write a schedule for each)")]
    TwoNths(String),
}

fn write(instead: Option<&str>) -> String {
    instead.map_or_else(String::new, |instead| format!(" (write {instead:?})"))
}
