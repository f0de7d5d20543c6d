//! A time in the form in which it was given.

use std::{fmt, time::Duration};

use jiff::Timestamp;

/// The raw form.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Delay(Duration),
    Number(i128),
    /// A number that is not whole; only JSON can hold one.
    Fraction(f64),
    Instant(Timestamp),
    Text(String),
}

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
