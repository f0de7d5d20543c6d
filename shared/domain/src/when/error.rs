//! Reasons to refuse a time.

use std::fmt;

use jiff::Timestamp;

/// A time that is refused: what was given, what is allowed, and how to write it where the intent is clear.
#[derive(Clone, Debug, PartialEq)]
pub struct WhenError {
    given: String,
    problem: WhenProblem,
    instead: Option<String>,
}

/// A fault of a time.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WhenProblem {
    /// An empty text.
    #[error("it is empty; {ALLOWED}")]
    Empty,
    /// Neither a number and a unit nor a timestamp.
    #[error("it is neither a number and a unit nor a timestamp; {ALLOWED}")]
    Unreadable,
    /// A number in a text, without a unit.
    #[error("it has no unit; {ALLOWED}")]
    NoUnit,
    /// A unit that is none.
    #[error("{0:?} is not a unit; allowed are {UNITS}, singular or plural")]
    UnknownUnit(String),
    /// More than one number and unit.
    #[error("it has more than one number and unit; allowed is one")]
    TwoUnits,
    /// Right but for spaces.
    #[error("it has spaces too many or too few; allowed is one, between number and unit")]
    Spaces,
    /// No time at all from now.
    #[error("it is zero; allowed is later than now")]
    Zero,
    /// Before now.
    #[error("it is negative; allowed is later than now")]
    Negative,
    /// A number that is not whole.
    #[error("its number is not whole; allowed are whole numbers")]
    Fractional,
    /// A time that is over.
    #[error("it is not later than now, {now}; allowed is later than now and at most one year ahead")]
    Past {
        /// Now.
        now: Timestamp,
    },
    /// A time too far ahead.
    #[error("it is too far ahead; allowed is at most one year, {latest}")]
    TooFar {
        /// The latest time allowed.
        latest: Timestamp,
    },
    /// Looks like a timestamp and is none.
    #[error("it is not an RFC 3339 timestamp: {0}; allowed are such as \"2022-01-14T17:46:05.811Z\"")]
    Timestamp(&'static str),
}

const UNITS: &str = "second, minute, hour, day, week, month and year";
const ALLOWED: &str = "allowed are a number and a unit, such as \"5 minutes\", a timestamp, such as \
                       \"2022-01-14T17:46:05.811Z\", and, as a number, milliseconds from now or since 1970";

impl WhenError {
    pub(super) fn new(given: String, problem: WhenProblem, instead: Option<String>) -> Self {
        Self { given, problem, instead }
    }

    /// The problem.
    #[must_use]
    pub fn problem(&self) -> &WhenProblem {
        &self.problem
    }

    /// The way to write what was meant, where that is clear.
    #[must_use]
    pub fn instead(&self) -> Option<&str> {
        self.instead.as_deref()
    }
}

impl std::error::Error for WhenError {}

impl fmt::Display for WhenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "use {} as a time: {}", self.given, self.problem)?;
        match &self.instead {
            Some(instead) => write!(f, " (write {instead:?})"),
            None => Ok(()),
        }
    }
}
