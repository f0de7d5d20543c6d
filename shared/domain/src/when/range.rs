//! The times that are accepted: later than now, and within a year.

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::WhenProblem;

pub(super) fn within_a_year(due: Timestamp, now: Timestamp) -> Result<Timestamp, WhenProblem> {
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
pub(super) fn a_year_after(now: Timestamp) -> Timestamp {
    now.to_zoned(TimeZone::UTC).checked_add(1.year()).map_or(Timestamp::MAX, |latest| latest.timestamp())
}

fn round_up_to_ms(due: Timestamp) -> Option<Timestamp> {
    let whole = due.as_nanosecond().div_euclid(1_000_000);
    let up = i128::from(due.as_nanosecond().rem_euclid(1_000_000) != 0);
    Timestamp::from_millisecond(i64::try_from(whole + up).ok()?).ok()
}
