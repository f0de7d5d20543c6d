//! Times as arguments: a due time, a time in the past, a duration. A bare number is milliseconds, as the client takes it.

use std::time::Duration;

use dacapo_domain::{When, until};
use jiff::Timestamp;

use crate::output::now;

/// Reads a due time; the client says what is wrong with it.
#[expect(clippy::unnecessary_wraps, reason = "clap's form of a parser")]
pub fn when(text: &str) -> Result<When, String> {
    Ok(text.trim().parse::<i64>().map_or_else(|_| When::from(text), When::from))
}

/// Reads a time in the past: a moment, or how long ago.
pub fn past(text: &str) -> Result<When, String> {
    let when = when(text)?;
    when.ago(now()).map(|_| when).map_err(|error| error.to_string())
}

/// Reads a time that is only asked about: a moment, or how far ahead.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    when(text)?.moment(now()).map_err(|error| error.to_string())
}

/// Reads a duration: a number and a unit, or milliseconds.
pub fn span(text: &str) -> Result<Duration, String> {
    if text.parse::<Timestamp>().is_ok() {
        return Err(format!("{text:?} is a moment (allowed: a duration, such as \"90 seconds\", or milliseconds)"));
    }
    let begin = Timestamp::UNIX_EPOCH;
    when(text)?.moment(begin).map(|end| until(begin, end)).map_err(|error| error.to_string())
}
