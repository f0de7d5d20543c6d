//! The figure that a text begins with, as in `1.53 ms` or `$5.40 (list price)`.

/// A number and its unit. A time is in seconds, however it is shown.
#[derive(Clone, Copy)]
pub struct Figure<'a> {
    pub value: f64,
    pub unit: &'a str,
    /// The figure as it is shown.
    pub shown: &'a str,
}

impl<'a> Figure<'a> {
    /// Reads it; `None` where the text begins with no number.
    pub fn read(text: &'a str) -> Option<Self> {
        let start = text.len() - text.trim_start_matches('$').len();
        let is_digit = |letter: char| letter.is_ascii_digit() || ".,".contains(letter);
        let end = text[start..].find(|letter| !is_digit(letter)).map_or(text.len(), |end| start + end);
        let value: f64 = text[start..end].replace(',', "").parse().ok()?;
        let rest = text[end..].trim_start();
        let unit = rest.split([' ', '(', ',']).next().unwrap_or_default();
        let shown = &text[..text.len() - rest.len() + unit.len()];
        let (value, unit) = match unit {
            "µs" => (value / 1e6, "s"),
            "ms" => (value / 1e3, "s"),
            "" => (value, &text[..start]),
            unit => (value, unit),
        };
        Some(Self { value, unit, shown: shown.trim_end() })
    }
}
