//! `every("5 minutes")`: a fixed interval, counted from the schedule's creation.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// A fixed interval of whole minutes, hours or days of 24 hours. Daylight saving doesn't move it.
///
/// ```
/// use dacapo_domain::Every;
/// use jiff::Timestamp;
///
/// let every = Every::parse("7 days")?;
/// let created: Timestamp = "2026-03-01T09:30:00Z".parse()?;
///
/// // It fires first when it is created.
/// let first = every.fires(created).next();
/// assert_eq!(first, Some(created));
/// let next = every.next_after(created, created).unwrap();
/// assert_eq!(next.to_string(), "2026-03-08T09:30:00Z");
/// assert_eq!(every.aws_expression(), "rate(7 days)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every {
    number: i64,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
}

/// An interval that is refused: `given`, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {given:?} as an interval: {problem}")]
pub struct EveryError {
    given: String,
    problem: EveryProblem,
}

/// A fault of an interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EveryProblem {
    /// A text that is no number and unit.
    #[error("it is not a number and a unit; {ALLOWED}")]
    Unreadable,
    /// A text that is no number and unit, but it is clear how to write it.
    #[error("{ALLOWED} (write {0:?})")]
    Instead(String),
    /// No interval at all.
    #[error("it is zero; {ALLOWED}")]
    Zero,
    /// Finer than what AWS can do.
    #[error("it counts seconds, and nothing is finer than a minute; {ALLOWED}")]
    TooShort,
    /// A unit whose length varies.
    #[error(
        "months and years have no fixed length; {ALLOWED} (for a calendar date use `cron`, such as \"0 0 1 * ? *\")"
    )]
    Calendar,
    /// It would never come a second time.
    #[error("it is too long; at most {LONGEST_DAYS} days are allowed, ten years")]
    TooLong,
}

const ALLOWED: &str = "allowed is a whole number from 1 of minutes, hours or days, such as \"5 minutes\"";
const LONGEST_DAYS: i64 = 3_650;

impl Unit {
    fn minutes(self) -> i64 {
        match self {
            Self::Minute => 1,
            Self::Hour => 60,
            Self::Day => 1_440,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl Every {
    /// Reads `<n> minute(s)|hour(s)|day(s)`, n ≥ 1.
    ///
    /// # Errors
    /// Says what was given, what is allowed, and how to write it where that is clear.
    ///
    /// ```
    /// use dacapo_domain::Every;
    ///
    /// let error = Every::parse("2 weeks").unwrap_err();
    /// assert!(error.to_string().ends_with("(write \"14 days\")"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, EveryError> {
        Self::read(text).map_err(|problem| EveryError { given: text.chars().take(80).collect(), problem })
    }

    fn read(text: &str) -> Result<Self, EveryProblem> {
        let Some((number, unit)) = exact(text) else {
            return Err(unreadable(text));
        };
        if number == 0 {
            return Err(EveryProblem::Zero);
        }
        let every = Self { number, unit };
        if number > LONGEST_DAYS * 1_440 / unit.minutes() {
            return Err(EveryProblem::TooLong);
        }
        Ok(every)
    }

    /// The time from one fire to the next.
    #[must_use]
    pub fn interval(&self) -> SignedDuration {
        SignedDuration::from_mins(self.number * self.unit.minutes())
    }

    /// All fires of a schedule created at this moment: then, and at each interval after it.
    pub fn fires(&self, created: Timestamp) -> impl Iterator<Item = Timestamp> + use<> {
        let interval = self.interval();
        std::iter::successors(Some(created), move |fire| fire.checked_add(interval).ok())
    }

    /// The first fire later than `after` of a schedule created at `created`; none at the end of time.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, created: Timestamp) -> Option<Timestamp> {
        if after < created {
            return Some(created);
        }
        let elapsed = after.duration_since(created).as_nanos();
        let intervals = elapsed.div_euclid(self.interval().as_nanos()) + 1;
        self.nth(created, intervals)
    }

    /// The last fire earlier than `before` of a schedule created at `created`; none before its creation.
    #[must_use]
    pub fn previous_before(&self, before: Timestamp, created: Timestamp) -> Option<Timestamp> {
        if before <= created {
            return None;
        }
        let elapsed = before.duration_since(created).as_nanos();
        self.nth(created, (elapsed - 1).div_euclid(self.interval().as_nanos()))
    }

    fn nth(&self, created: Timestamp, intervals: i128) -> Option<Timestamp> {
        let since = SignedDuration::try_from_nanos_i128(self.interval().as_nanos() * intervals)?;
        created.checked_add(since).ok()
    }

    /// The interval in the words of EventBridge Scheduler, which tells singular from plural.
    ///
    /// ```
    /// # use dacapo_domain::Every;
    /// assert_eq!(Every::parse("1 minutes")?.aws_expression(), "rate(1 minute)");
    /// # Ok::<(), dacapo_domain::EveryError>(())
    /// ```
    #[must_use]
    pub fn aws_expression(&self) -> String {
        format!("rate({self})")
    }
}

/// As it is written, singular and plural in order.
impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.number == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.number, self.unit.name())
    }
}

impl EveryError {
    /// The problem.
    #[must_use]
    pub fn problem(&self) -> &EveryProblem {
        &self.problem
    }
}

fn exact(text: &str) -> Option<(i64, Unit)> {
    let (number, unit) = text.split_once(' ')?;
    let unit = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" => Unit::Minute,
        "hour" => Unit::Hour,
        "day" => Unit::Day,
        _ => return None,
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| (number.parse().unwrap_or(i64::MAX), unit))
}

/// Says how to write what isn't written right, by what a [`When`](crate::When) would make of it.
fn unreadable(text: &str) -> EveryProblem {
    let text = text.trim();
    let text = text.strip_prefix("rate(").and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    let text = text.strip_prefix("every ").unwrap_or(text);
    let text = match text {
        "minute" | "hour" | "day" | "week" | "month" | "year" => format!("1 {text}"),
        _ => text.to_owned(),
    };
    if exact(&text).is_some() {
        return instead(text);
    }
    let Some(spelled) = crate::when::spelled(&text) else { return EveryProblem::Unreadable };
    let Some((number, unit)) = spelled.split_once(' ') else { return EveryProblem::Unreadable };
    let number: i64 = number.parse().unwrap_or_default();
    match unit.strip_suffix('s').unwrap_or(unit) {
        "month" | "year" => EveryProblem::Calendar,
        "week" => instead(format!("{} days", number.saturating_mul(7))),
        "second" if number == 60 => instead("1 minute".to_owned()),
        "second" if number % 60 == 0 => instead(format!("{} minutes", number / 60)),
        "second" => EveryProblem::TooShort,
        _ => instead(spelled),
    }
}

/// Suggests what is accepted; of what isn't, says why.
fn instead(text: String) -> EveryProblem {
    match Every::read(&text) {
        Ok(_) => EveryProblem::Instead(text),
        Err(problem) => problem,
    }
}
