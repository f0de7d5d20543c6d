//! Times and JSON as people read them, here and on the command line.

use std::{borrow::Cow, time::Duration};

use dacapo::Client;
use dacapo_domain::{Json, Recurrence, Schedule, WaitsFor, until};
use jiff::Timestamp;

/// A moment as seen from now: `just now`, `3 min ago`, `in 2 h`.
///
/// ```
/// use dacapo_dashboard::show::ago;
/// let now = "2026-01-01T12:00:00Z".parse()?;
/// assert_eq!(ago("2026-01-01T11:57:00Z".parse()?, now), "3 min ago");
/// assert_eq!(ago("2026-01-03T12:00:00Z".parse()?, now), "in 2 d");
/// # Ok::<(), jiff::Error>(())
/// ```
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    // To the nearest second, so that what was asked for "in 2 days" isn't shown as 47 hours a moment later.
    let seconds = |span: Duration| (span.as_millis() + 500) / 1_000;
    match (seconds(until(at, now)), seconds(until(now, at))) {
        (0, 0) => "just now".to_owned(),
        (0, ahead) => format!("in {}", coarse(ahead)),
        (past, _) => format!("{} ago", coarse(past)),
    }
}

/// So many seconds by the largest unit, rounded down.
fn coarse(seconds: u128) -> String {
    match seconds {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..172_800 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

/// A duration by its two largest units.
///
/// ```
/// use std::time::Duration;
/// use dacapo_dashboard::show::took;
/// let ms = |ms| took(Duration::from_millis(ms));
/// assert_eq!([ms(40), ms(1_250), ms(30_000)], ["40 ms", "1.2 s", "30 s"]);
/// assert_eq!([ms(184_000), ms(7_500_000), ms(86_400_000)], ["3 min 4 s", "2 h 5 min", "1 d"]);
/// ```
#[must_use]
pub fn took(span: Duration) -> String {
    let s = span.as_secs();
    let both = |large: u64, unit: &str, small: u64, of: &str| match small {
        0 => format!("{large} {unit}"),
        small => format!("{large} {unit} {small} {of}"),
    };
    match s {
        0 => format!("{} ms", span.as_millis()),
        1..60 => match span.subsec_millis() / 100 {
            0 => format!("{s} s"),
            tenths => format!("{s}.{tenths} s"),
        },
        60..3_600 => both(s / 60, "min", s % 60, "s"),
        3_600..86_400 => both(s / 3_600, "h", s % 3_600 / 60, "min"),
        _ => both(s / 86_400, "d", s % 86_400 / 3_600, "h"),
    }
}

/// A number of deliveries as [`Client::health`] counts them: what reaches its bound may be more.
///
/// ```
/// use dacapo_dashboard::show::at_least;
/// assert_eq!([at_least(999), at_least(1_000)], ["999", "1000 or more"]);
/// ```
#[must_use]
pub fn at_least(count: usize) -> String {
    if count < Client::HEALTH_COUNTS { count.to_string() } else { format!("{count} or more") }
}

/// A number of dead letters as [`Client::health`] counts them, in words.
///
/// ```
/// use dacapo_dashboard::show::dead_letters;
/// assert_eq!([dead_letters(1), dead_letters(1_000)], ["1 dead letter", "1000 or more dead letters"]);
/// ```
#[must_use]
pub fn dead_letters(count: usize) -> String {
    if count == 1 { "1 dead letter".to_owned() } else { format!("{} dead letters", at_least(count)) }
}

/// A moment as the clock of a schedule shows it: in its time zone, with that one's name; in UTC where it names none.
///
/// ```
/// use dacapo_dashboard::show::on_clock_of;
/// use dacapo_domain::{cron, every};
/// let at = "2026-01-05T05:00:00Z".parse()?;
/// let daily = cron("0 6 * * ? *").timezone("Europe/Berlin");
/// assert_eq!(on_clock_of(&daily, at), "2026-01-05 06:00:00 Europe/Berlin");
/// assert_eq!(on_clock_of(&every("1 day"), at), "2026-01-05 05:00:00 UTC");
/// # Ok::<(), jiff::Error>(())
/// ```
#[must_use]
pub fn on_clock_of(schedule: &Schedule, at: Timestamp) -> String {
    match schedule.check() {
        Ok(Recurrence::Cron(_, zone)) => at.to_zoned_datetime(zone).strftime("%F %T %Q").to_string(),
        _ => at.strftime("%F %T UTC").to_string(),
    }
}

/// The thing that a run waits for, in words; a time is said elsewhere.
///
/// ```
/// use dacapo_dashboard::show::waits_for;
/// use dacapo_domain::WaitsFor;
/// let now = "2026-01-01T12:00:00Z".parse()?;
/// let token = |until| WaitsFor::Token { name: "approve".to_owned(), until };
/// assert_eq!(waits_for(&token(None), now).unwrap(), "token \"approve\"");
/// let until = Some("2026-01-04T12:00:00Z".parse()?);
/// assert_eq!(waits_for(&token(until), now).unwrap(), "token \"approve\", until 2026-01-04T12:00:00Z (in 3 d)");
/// let place = |key| WaitsFor::Place { scope: "queue.mail".to_owned(), key };
/// assert_eq!(waits_for(&place(None), now).unwrap(), "a place in queue.mail");
/// assert_eq!(waits_for(&place(Some("ada".to_owned())), now).unwrap(), "a place of \"ada\" in queue.mail");
/// let children = |count, ended| waits_for(&WaitsFor::Children { count, ended }, now);
/// assert_eq!(children(Some(12), Some(3)).unwrap(), "its 12 children (3 have ended)");
/// assert_eq!(children(Some(1), None).unwrap(), "its child");
/// assert_eq!(children(None, None).unwrap(), "its children");
/// # Ok::<(), jiff::Error>(())
/// ```
#[must_use]
pub fn waits_for(awaited: &WaitsFor, now: Timestamp) -> Option<String> {
    Some(match awaited {
        WaitsFor::Time(_) => return None,
        WaitsFor::Token { name, until } => {
            let until = until.map(|at| format!(", until {at} ({})", ago(at, now))).unwrap_or_default();
            format!("token {name:?}{until}")
        }
        WaitsFor::Place { scope, key: None } => format!("a place in {scope}"),
        WaitsFor::Place { scope, key: Some(key) } => format!("a place of {key:?} in {scope}"),
        WaitsFor::Children { count, ended } => {
            let children = match count {
                Some(1) => "its child".to_owned(),
                Some(count) => format!("its {count} children"),
                None => "its children".to_owned(),
            };
            match ended {
                Some(1) => format!("{children} (1 has ended)"),
                Some(ended) => format!("{children} ({ended} have ended)"),
                None => children,
            }
        }
    })
}

/// A text without what a terminal would take for commands, or what turns the order of letters around: names, codes and
/// messages come from anywhere. Such a letter is shown by its number.
///
/// ```
/// use dacapo_dashboard::show::plain;
/// assert_eq!(plain("a\tb\n\u{1b}[31mred \u{202e}gpj.exe"), "a\tb\n\\u{1b}[31mred \\u{202e}gpj.exe");
/// ```
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => plain.push(letter),
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                plain.extend(letter.escape_default());
            }
            letter if letter.is_control() => plain.extend(letter.escape_default()),
            letter => plain.push(letter),
        }
    }
    plain
}

/// The beginning of a text that is longer than so many bytes, with its whole size.
///
/// ```
/// use dacapo_dashboard::show::shorten;
/// assert_eq!(shorten("short", 5), "short");
/// assert_eq!(shorten("a text that is longer", 6), "a text … (21 bytes)");
/// ```
#[must_use]
pub fn shorten(text: &str, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes {
        return text.into();
    }
    format!("{} … ({} bytes)", &text[..text.floor_char_boundary(bytes)], text.len()).into()
}

/// The levels by which JSON is indented: one line of a value that is nested deeper takes no more room than the others.
const INDENTED: usize = 16;

/// JSON with a line for each value, in the order and to the digit it was given: a parse would lose both.
///
/// It is at most 34 times as long as what was given, however deep that is.
///
/// ```
/// use dacapo_dashboard::show::pretty;
/// let json = dacapo_domain::Json::from_text(r#"{"b":[1.10,{}],"a":"x, y"}"#)?;
/// assert_eq!(pretty(&json), "{\n  \"b\": [\n    1.10,\n    {}\n  ],\n  \"a\": \"x, y\"\n}");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn pretty(json: &Json) -> String {
    let mut out = String::new();
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    let mut letters = json.text().chars().peekable();
    while let Some(letter) = letters.next() {
        if in_text {
            in_text = escaped || letter != '"';
            escaped = letter == '\\' && !escaped;
            out.push(letter);
            continue;
        }
        match letter {
            ' ' | '\n' | '\r' | '\t' => {}
            '{' | '[' => {
                out.push(letter);
                while letters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                match letters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        new_line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_text = letter == '"';
                out.push(letter);
            }
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth.min(INDENTED)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_in_space_linear_in_its_length_however_deep_it_is() {
        for levels in [1, 17, 300, 100_000] {
            let json = Json::from_text("[".repeat(levels) + &"]".repeat(levels)).unwrap();
            let shown = pretty(&json);
            assert!(shown.len() <= 34 * json.bytes(), "{levels} levels take {} bytes", shown.len());
            assert_eq!(shown.split_whitespace().collect::<String>(), json.text());
        }
        let flat = Json::from_text(format!("{}{}1{}", "[".repeat(17), "[],".repeat(1_000), "]".repeat(17))).unwrap();
        assert!(pretty(&flat).len() <= 34 * flat.bytes());
    }
}
