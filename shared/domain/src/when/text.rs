//! `<number> <unit>`, or a timestamp: as it is written, and the probable meaning of what is refused.

use jiff::{Span, SpanRelativeTo, Timestamp, ToSpan, Unit as JiffUnit, tz::TimeZone};

use super::{WhenProblem, rfc3339};

/// A unit as people write it, and what it is in the unit below: seconds, or months.
struct Unit {
    name: &'static str,
    spellings: &'static [&'static str],
    size: Size,
}

#[derive(Clone, Copy)]
enum Size {
    Ms(i64),
    Months(i64),
}

/// Largest first. A lone `m` is left out: a minute or a month.
const UNITS: [Unit; 8] = [
    Unit { name: "year", spellings: &["y", "yr", "yrs"], size: Size::Months(12) },
    Unit { name: "month", spellings: &["mo", "mon", "mos", "mth", "mths"], size: Size::Months(1) },
    Unit { name: "week", spellings: &["w", "wk", "wks"], size: Size::Ms(604_800_000) },
    Unit { name: "day", spellings: &["d"], size: Size::Ms(86_400_000) },
    Unit { name: "hour", spellings: &["h", "hr", "hrs"], size: Size::Ms(3_600_000) },
    Unit { name: "minute", spellings: &["min", "mins"], size: Size::Ms(60_000) },
    Unit { name: "second", spellings: &["s", "sec", "secs"], size: Size::Ms(1_000) },
    Unit { name: "millisecond", spellings: &["ms", "msec", "millis"], size: Size::Ms(1) },
];

/// Words that say a number.
const NUMBERS: [(&str, &str); 14] = [
    ("a", "1"),
    ("an", "1"),
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("ten", "10"),
    ("twelve", "12"),
    ("half", "0.5"),
];

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

/// The moment a text means. The caller says whether it is past or later than `latest`.
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
    let due = span.and_then(|span| now.to_zoned_datetime(TimeZone::UTC).checked_add(span));
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
    if is_unit(letters) { WhenProblem::TwoUnits } else { WhenProblem::Unreadable }
}

fn shortened(word: &str) -> String {
    word.chars().take(40).collect()
}

/// Three words and more: two pairs of number and unit, or one with something behind it.
fn more_than_one(words: &[&str]) -> WhenProblem {
    let second = words[1..].iter().any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    if second { WhenProblem::TwoUnits } else { WhenProblem::Unreadable }
}

/// One number and one unit for what the text says, if it says that clearly: 90 seconds for `90 sec`, 26 hours for
/// `1 day 2 hours`, 1 hour for `in an hour`.
pub(super) fn instead_of(text: &str) -> Option<String> {
    if text.len() > 100 {
        return None;
    }
    let text = text.trim();
    let joined = text.replacen(' ', "T", 1);
    if rfc3339::looks_like_one(&joined) {
        return rfc3339::parse(&joined).is_ok().then_some(joined);
    }
    let text = text.to_lowercase();
    match text.as_str() {
        "tomorrow" => return Some("1 day".to_owned()),
        "next week" => return Some("1 week".to_owned()),
        "next month" => return Some("1 month".to_owned()),
        _ => {}
    }
    if let Some(span) = text.starts_with('p').then(|| text.parse::<Span>().ok()).flatten() {
        return iso8601(&span);
    }
    let words = words(&text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = words.strip_prefix(&["in"]).or_else(|| words.strip_prefix(&["after"])).unwrap_or(&words);
    let words = words.strip_suffix(&["from", "now"]).or_else(|| words.strip_suffix(&["later"])).unwrap_or(words);
    let words: Vec<&str> = words.iter().copied().filter(|word| *word != "and").collect();
    // "half an hour": the article is no second number.
    let words: Vec<&str> = match words.as_slice() {
        ["half", "a" | "an", unit] => vec!["half", unit],
        _ => words,
    };
    // "90 sec" stays in seconds.
    if let &[number, word] = words.as_slice()
        && let (Ok(number), Some(unit)) = (number.trim_start_matches('+').parse::<u32>(), unit(word))
        && unit.name != "millisecond"
    {
        return (number > 0).then(|| said(f64::from(number), unit.name));
    }
    let (mut ms, mut months) = (0_f64, 0_f64);
    if words.is_empty() || words.len() % 2 == 1 {
        return None;
    }
    for pair in words.chunks_exact(2) {
        let number = NUMBERS.iter().find(|(word, _)| *word == pair[0]).map_or(pair[0], |(_, number)| number);
        let number: f64 = number.parse().ok().filter(|number| *number > 0.0)?;
        match unit(pair[1])?.size {
            Size::Ms(size) => ms += number * precise(size),
            Size::Months(size) => months += number * precise(size),
        }
    }
    in_one_unit(ms, months)
}

/// Splits at spaces, commas and wherever letters meet digits, so that `1h30m` is four words.
fn words(text: &str) -> Vec<String> {
    let mut spaced = String::new();
    let mut before = ' ';
    for c in text.replace(", ", " ").chars() {
        if before.is_ascii_digit() && c.is_alphabetic() || before.is_alphabetic() && c.is_ascii_digit() {
            spaced.push(' ');
        }
        spaced.push(c);
        before = c;
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Is true of what people write for a unit.
fn is_unit(word: &str) -> bool {
    word == "m" || unit(&word.to_lowercase()).is_some()
}

fn unit(word: &str) -> Option<&'static Unit> {
    let word = word.strip_suffix('.').unwrap_or(word);
    UNITS.iter().find(|unit| word.strip_suffix('s').unwrap_or(word) == unit.name || unit.spellings.contains(&word))
}

/// The largest unit that says it in a whole number; none for a mixture of days and months, or less than a second.
fn in_one_unit(ms: f64, months: f64) -> Option<String> {
    let largest = UNITS.iter().filter(|unit| unit.name != "millisecond").find_map(|unit| {
        let number = match unit.size {
            Size::Ms(size) if months == 0.0 => ms / precise(size),
            Size::Months(size) if ms == 0.0 => months / precise(size),
            _ => return None,
        };
        (number >= 1.0 && number.fract() == 0.0).then_some((number, unit.name))
    });
    let (number, name) = largest?;
    // What is too far anyway needs no better spelling.
    (number < 1e9).then(|| said(number, name))
}

fn said(number: f64, unit: &str) -> String {
    let plural = if number == 1.0 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

fn iso8601(span: &Span) -> Option<String> {
    let months = f64::from(i32::from(span.get_years()) * 12 + span.get_months());
    let rest = span.years(0).months(0);
    let ms = rest.total((JiffUnit::Millisecond, SpanRelativeTo::days_are_24_hours())).ok()?;
    in_one_unit(ms, months)
}

fn precise(size: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a year in milliseconds fits into 53 bits")]
    let size = size as f64;
    size
}
