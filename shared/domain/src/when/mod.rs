//! Times at which something is due, in every form a user may say them, and as they are stored.

mod error;
mod rfc3339;
mod text;

use std::{fmt, time::Duration};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

pub use error::{WhenError, WhenProblem};

/// Numbers up to this are milliseconds from now (10 years of 365 days); larger ones are Unix time in milliseconds.
const LARGEST_DELAY_MS: i128 = 315_360_000_000;

/// The time at which a run or an event is due: as it was given, to be decided by [`resolve`](Self::resolve).
///
/// | form | example |
/// |---|---|
/// | a duration | `minutes(5)` |
/// | a number up to 315,360,000,000 | milliseconds from now |
/// | a larger number | Unix time in milliseconds |
/// | a timestamp | `2022-01-14T17:46:05.811Z`, any RFC 3339 offset, or a [`Timestamp`] |
/// | `<number> <unit>` | `1 hour`, `3 months`: seconds, minutes, hours, days, weeks, months, years |
///
/// Months and years go by the UTC calendar. Nothing is refused before it is resolved, so that a builder can take it.
///
/// # Example: every form
///
/// ```
/// use dacapo_domain::{When, minutes};
/// use jiff::Timestamp;
///
/// let now: Timestamp = "2022-01-31T12:00:00Z".parse()?;
/// for (when, due) in [
///     (When::from(minutes(5)), "2022-01-31T12:05:00Z"),
///     (When::from(300_000), "2022-01-31T12:05:00Z"),
///     (When::from(1_643_630_700_000_i64), "2022-01-31T12:05:00Z"),
///     (When::from("2022-01-31T14:05:00+02:00"), "2022-01-31T12:05:00Z"),
///     (When::from("1 hour"), "2022-01-31T13:00:00Z"),
///     (When::from("1 month"), "2022-02-28T12:00:00Z"),
/// ] {
///     assert_eq!(when.resolve(now)?.to_string(), due);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct When(Given);

/// A time in the form in which it was given.
#[derive(Clone, Debug, PartialEq)]
enum Given {
    Delay(Duration),
    Number(i128),
    /// A number that is not whole; only JSON can hold one.
    Fraction(f64),
    Instant(Timestamp),
    Text(String),
}

struct AnyForm;

/// The given form as an error names it; of a long text its beginning.
impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        match self {
            Self::Delay(delay) => write!(f, "a duration of {delay:?}"),
            Self::Number(number) => number.fmt(f),
            Self::Fraction(number) => number.fmt(f),
            Self::Instant(due) => due.fmt(f),
            Self::Text(text) => match text.char_indices().nth(SHOWN) {
                Some((end, _)) => write!(f, "{:?} and so on", &text[..end]),
                None => write!(f, "{text:?}"),
            },
        }
    }
}

impl When {
    /// The moment itself, where it was given as one.
    pub(crate) fn instant(&self) -> Option<Timestamp> {
        match self.0 {
            Given::Instant(at) => Some(at),
            _ => None,
        }
    }

    /// The moment it means, seen from `now`: later than now, and at most the same UTC date and time next year
    /// (on 29 February: the 28th). In whole milliseconds; what is finer is rounded up, since nothing may start early.
    ///
    /// # Errors
    /// Says what was given, what is allowed, and, where the intent is clear, how to write it.
    ///
    /// ```
    /// use dacapo_domain::When;
    ///
    /// let error = When::from("90 sec").resolve("2026-01-01T00:00:00Z".parse()?).unwrap_err();
    /// assert_eq!(error.instead(), Some("90 seconds"));
    /// assert_eq!(
    ///     error.to_string(),
    ///     "use \"90 sec\" as a time: \"sec\" is not a unit; allowed are second, minute, hour, day, week, month and \
    ///      year, singular or plural (write \"90 seconds\")",
    /// );
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn resolve(&self, now: Timestamp) -> Result<Timestamp, WhenError> {
        let due = self.due(now).and_then(|due| within_a_year(due, now));
        due.map_err(|problem| self.refused(problem))
    }

    /// The moment it means, seen from `now`, wherever that is: for what is only asked.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), but for a moment that is past or far ahead.
    pub fn moment(&self, now: Timestamp) -> Result<Timestamp, WhenError> {
        self.due(now).map_err(|problem| self.refused(problem))
    }

    /// The moment it means where it looks back: a duration, a small number, or a number and a unit is so long ago; a
    /// moment stays what it is.
    ///
    /// # Errors
    /// As [`moment`](Self::moment).
    ///
    /// ```
    /// use dacapo_domain::When;
    ///
    /// let now = "2026-01-01T12:00:00Z".parse()?;
    /// let ago = |when: When| when.ago(now).unwrap().to_string();
    /// assert_eq!(ago("2 hours".into()), "2026-01-01T10:00:00Z");
    /// assert_eq!(ago(60_000.into()), "2026-01-01T11:59:00Z");
    /// assert_eq!(ago(1_767_225_600_000_i64.into()), "2026-01-01T00:00:00Z");
    /// assert_eq!(ago("2025-12-31T00:00:00Z".into()), "2025-12-31T00:00:00Z");
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn ago(&self, now: Timestamp) -> Result<Timestamp, WhenError> {
        let moment = self.moment(now)?;
        let is_moment = match &self.0 {
            Given::Number(number) => *number > LARGEST_DELAY_MS,
            Given::Text(text) => rfc3339::looks_like_one(text),
            Given::Instant(_) => true,
            Given::Delay(_) | Given::Fraction(_) => false,
        };
        Ok(if is_moment { moment } else { now.checked_sub(now.duration_until(moment)).unwrap_or(Timestamp::MIN) })
    }

    fn refused(&self, problem: WhenProblem) -> WhenError {
        let instead = match (&self.0, &problem) {
            (_, WhenProblem::Past { .. } | WhenProblem::TooFar { .. } | WhenProblem::Zero) => None,
            (Given::Text(text), _) => text::instead_of(text),
            _ => None,
        };
        WhenError::new(self.0.to_string(), problem, instead)
    }

    fn due(&self, now: Timestamp) -> Result<Timestamp, WhenProblem> {
        let latest = a_year_after(now);
        match &self.0 {
            Given::Delay(delay) if delay.is_zero() => Err(WhenProblem::Zero),
            Given::Delay(delay) => now.checked_add(*delay).map_err(|_| WhenProblem::TooFar { latest }),
            Given::Number(0) => Err(WhenProblem::Zero),
            Given::Number(number) if *number < 0 => Err(WhenProblem::Negative),
            Given::Number(number) => {
                let start = if *number <= LARGEST_DELAY_MS { i128::from(now.as_millisecond()) } else { 0 };
                let unix_ms = i64::try_from(start + number).ok();
                let due = unix_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                due.ok_or(WhenProblem::TooFar { latest })
            }
            Given::Fraction(number) if *number < 0.0 => Err(WhenProblem::Negative),
            Given::Fraction(_) => Err(WhenProblem::Fractional),
            Given::Instant(due) => Ok(*due),
            Given::Text(text) => text::due(text, now, latest),
        }
    }
}

/// As it was given.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Duration> for When {
    fn from(delay: Duration) -> Self {
        Self(Given::Delay(delay))
    }
}

impl From<Timestamp> for When {
    fn from(due: Timestamp) -> Self {
        Self(Given::Instant(due))
    }
}

impl From<&str> for When {
    fn from(text: &str) -> Self {
        Self(Given::Text(text.to_owned()))
    }
}

impl From<String> for When {
    fn from(text: String) -> Self {
        Self(Given::Text(text))
    }
}

impl From<i32> for When {
    fn from(number: i32) -> Self {
        Self(Given::Number(number.into()))
    }
}

impl From<u32> for When {
    fn from(number: u32) -> Self {
        Self(Given::Number(number.into()))
    }
}

impl From<i64> for When {
    fn from(number: i64) -> Self {
        Self(Given::Number(number.into()))
    }
}

impl From<u64> for When {
    fn from(number: u64) -> Self {
        Self(Given::Number(number.into()))
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Given::Delay(delay) => {
                let ms = delay.as_nanos().div_ceil(1_000_000);
                match u64::try_from(ms) {
                    // The same length as a number would be taken for a point in time.
                    Ok(ms) if i128::from(ms) <= LARGEST_DELAY_MS => serializer.serialize_u64(ms),
                    _ => serializer.collect_str(&format_args!("{} seconds", delay.as_secs())),
                }
            }
            Given::Number(number) => match u64::try_from(*number) {
                Ok(number) => serializer.serialize_u64(number),
                Err(_) => serializer.serialize_i64(i64::try_from(*number).unwrap_or(i64::MIN)),
            },
            Given::Fraction(number) => serializer.serialize_f64(*number),
            Given::Instant(due) => serializer.collect_str(due),
            Given::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

impl Visitor<'_> for AnyForm {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time: a number of milliseconds or a text such as \"5 minutes\"")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<When, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<When, E> {
        Ok(number.into())
    }

    /// JSON has one kind of number, so 5.0 is 5.
    fn visit_f64<E: Error>(self, number: f64) -> Result<When, E> {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and `as` saturates")]
        let given = if number.fract() == 0.0 { Given::Number(number as i128) } else { Given::Fraction(number) };
        Ok(When(given))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<When, E> {
        Ok(text.into())
    }
}

/// A time that is accepted: later than now, and within a year.
fn within_a_year(due: Timestamp, now: Timestamp) -> Result<Timestamp, WhenProblem> {
    let latest = a_year_after(now);
    let due = round_up_to_ms(due).ok_or(WhenProblem::TooFar { latest })?;
    if due <= now {
        return Err(WhenProblem::Past { now });
    }
    if due > latest {
        return Err(WhenProblem::TooFar { latest });
    }
    Ok(due)
}

/// The same UTC date and time next year; the end of time where there is none.
fn a_year_after(now: Timestamp) -> Timestamp {
    now.to_zoned_datetime(TimeZone::UTC).checked_add(1.year()).map_or(Timestamp::MAX, |latest| latest.timestamp())
}

fn round_up_to_ms(due: Timestamp) -> Option<Timestamp> {
    let whole = due.as_nanosecond().div_euclid(1_000_000);
    let up = i128::from(due.as_nanosecond().rem_euclid(1_000_000) != 0);
    Timestamp::from_millisecond(i64::try_from(whole + up).ok()?).ok()
}

/// One number and one unit for what a text says, if it says that clearly.
pub(crate) fn spelled(text: &str) -> Option<String> {
    text::instead_of(text)
}
