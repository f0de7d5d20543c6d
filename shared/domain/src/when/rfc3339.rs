//! Timestamps by RFC 3339 and nothing more: jiff reads a good deal else, which other readers of a message may not.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};

use super::WhenProblem;

/// Is true of a text that begins as a date does, so that an error should speak of timestamps.
pub(super) fn looks_like_one(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits == 4 && text.as_bytes().get(4) == Some(&b'-') || digits == 8 && text.as_bytes().get(8) == Some(&b'T')
}

/// The moment, to the nanosecond and never earlier than what is written.
pub(super) fn parse(text: &str) -> Result<Timestamp, WhenProblem> {
    let problem = WhenProblem::Timestamp;
    if !text.is_ascii() {
        return Err(problem("it holds characters that no timestamp has"));
    }
    let (date, rest) = text.split_at_checked(10).ok_or(problem("the date is written 2022-01-14"))?;
    let date = shaped(date, "0000-00-00").ok_or(problem("the date is written 2022-01-14"))?;
    if rest.is_empty() {
        return Err(problem("the time of day is missing"));
    }
    let rest = rest.strip_prefix(['T', 't']).ok_or(problem("date and time are joined by a T"))?;
    let (time, rest) = rest.split_at_checked(8).ok_or(problem("the time is written 17:46:05"))?;
    let time = shaped(time, "00:00:00").ok_or(problem("the time is written 17:46:05"))?;
    let (nanos, rest) = fraction(rest).ok_or(problem("a decimal point is followed by digits"))?;
    let offset = offset(rest)?;

    let [hour, minute, second] = [0, 3, 6].map(|at| two_digits(time, at));
    if second == 60 {
        return Err(problem("leap seconds can't be told apart from the next second; write that one"));
    }
    let year = date[..4].parse().unwrap_or_default();
    let date =
        Date::new(year, two_digits(date, 5), two_digits(date, 8)).map_err(|_| problem("there is no such date"))?;
    let clock = DateTime::new(date.year(), date.month(), date.day(), hour, minute, second, 0);
    let clock = clock.map_err(|_| problem("there is no such time of day"))?;
    let whole = offset.to_timestamp(clock).map_err(|_| problem("it is out of range"))?;
    whole.checked_add(SignedDuration::from_nanos(nanos)).map_err(|_| problem("it is out of range"))
}

/// The text if it has this shape, where `0` stands for any digit.
fn shaped<'a>(text: &'a str, shape: &str) -> Option<&'a str> {
    let fits = |(byte, like): (u8, u8)| if like == b'0' { byte.is_ascii_digit() } else { byte == like };
    text.bytes().zip(shape.bytes()).all(fits).then_some(text)
}

fn two_digits(text: &str, at: usize) -> i8 {
    text[at..at + 2].parse().unwrap_or_default()
}

/// Nanoseconds of a decimal fraction, rounded up, and what follows it.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(text) = text.strip_prefix('.') else { return Some((0, text)) };
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    let (kept, dropped) = digits.split_at(digits.len().min(9));
    let nanos: i64 = format!("{kept:0<9}").parse().ok().filter(|_| !digits.is_empty())?;
    Some((nanos + i64::from(dropped.contains(|c| c != '0')), rest))
}

fn offset(text: &str) -> Result<Offset, WhenProblem> {
    let shape = WhenProblem::Timestamp("an offset is written Z or +02:00");
    match text {
        "Z" | "z" => return Ok(Offset::UTC),
        "" => return Err(WhenProblem::Timestamp("the offset is missing, Z or +02:00")),
        _ => {}
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let hours_minutes = text.strip_prefix(['+', '-']).filter(|text| text.len() == 5);
    let hours_minutes = hours_minutes.and_then(|text| shaped(text, "00:00")).ok_or(shape)?;
    let [hours, minutes] = [0, 3].map(|at| i32::from(two_digits(hours_minutes, at)));
    if hours > 23 || minutes > 59 {
        return Err(WhenProblem::Timestamp("there is no such offset"));
    }
    Offset::from_seconds(sign * (hours * 60 + minutes) * 60)
        .map_err(|_| WhenProblem::Timestamp("there is no such offset"))
}
