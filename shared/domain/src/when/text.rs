//! `<number> <unit>`, or a timestamp.

use jiff::{Span, Timestamp, ToSpan, tz::TimeZone};

use super::{WhenProblem, rfc3339, suggest};

/// The units, each with the span of one. Months and years have no fixed length, so spans go by the UTC calendar.
fn span_of(unit: &str, number: i64) -> Option<Result<Span, jiff::Error>> {
    let one: Span = match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => 1.second(),
        "minute" => 1.minute(),
        "hour" => 1.hour(),
        "day" => 1.day(),
        "week" => 1.week(),
        "month" => 1.month(),
        "year" => 1.year(),
        _ => return None,
    };
    Some(one.checked_mul(number))
}

/// The moment a text means. Whether it is past or later than `latest` is for the caller to say.
pub(super) fn due(text: &str, now: Timestamp, latest: Timestamp) -> Result<Timestamp, WhenProblem> {
    if text.trim().is_empty() {
        return Err(WhenProblem::Empty);
    }
    if rfc3339::looks_like_one(text) {
        return rfc3339::parse(text);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    if !words[0].starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        return Err(WhenProblem::Unreadable);
    }
    let (number, glued) = words[0].split_at(end_of_number(words[0]));
    if number.starts_with('-') && text.contains(|c: char| c.is_ascii_digit()) {
        return Err(WhenProblem::Negative);
    }
    if !glued.is_empty() {
        return Err(glued_unit(glued, words.len() == 1));
    }
    let &[_, unit] = words.as_slice() else {
        return Err(if words.len() == 1 { WhenProblem::NoUnit } else { more_than_one(&words) });
    };
    if number.contains(['.', ',']) {
        return Err(WhenProblem::Fractional);
    }
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WhenProblem::Unreadable);
    }
    // A number too large for 64 bits is too far in any unit.
    let span = span_of(unit, number.parse().unwrap_or(i64::MAX));
    let span = span.ok_or_else(|| WhenProblem::UnknownUnit(shortened(unit)))?;
    if number.bytes().all(|digit| digit == b'0') {
        return Err(WhenProblem::Zero);
    }
    if text != format!("{number} {unit}") {
        return Err(WhenProblem::Spaces);
    }
    let due = span.and_then(|span| now.to_zoned(TimeZone::UTC).checked_add(span));
    due.map(|due| due.timestamp()).map_err(|_| WhenProblem::TooFar { latest })
}

fn end_of_number(word: &str) -> usize {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | ','));
    word.len() - rest.len()
}

/// The problem of a number that letters follow without a space.
fn glued_unit(glued: &str, alone: bool) -> WhenProblem {
    let letters = glued.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    if alone && letters == glued {
        let exact = span_of(glued, 1).is_some();
        return if exact { WhenProblem::Spaces } else { WhenProblem::UnknownUnit(shortened(glued)) };
    }
    if suggest::is_unit(letters) { WhenProblem::TwoUnits } else { WhenProblem::Unreadable }
}

fn shortened(word: &str) -> String {
    word.chars().take(40).collect()
}

/// Three words and more: two pairs of number and unit, or one with something behind it.
fn more_than_one(words: &[&str]) -> WhenProblem {
    let second = words[1..].iter().any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    if second { WhenProblem::TwoUnits } else { WhenProblem::Unreadable }
}
