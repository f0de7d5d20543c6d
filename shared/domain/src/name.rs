//! Names of tasks, events, apps and stages, the slugs that AWS sees, and the ids of runs and events.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::limits::{
    APP_CHARS, EVENT_NAME_CHARS, SLUG_BYTES, STAGE_CHARS, STEP_NAME_CHARS, TASK_NAME_CHARS, TOKEN_NAME_CHARS,
};
use crate::text::cut;

/// The crate of the built-in function that delivers what is late and repairs what is stuck.
pub const CONDUCTOR: &str = "conductor";

/// The name of the built-in task that does something to all that a filter names. No other begins with `dacapo.`.
pub const BULK: &str = "dacapo.bulk";

/// A reason to refuse a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A name of no characters, or of too many.
    #[error("{what} name {name:?} has {chars} characters (allowed: 1 to {allowed})")]
    Length {
        /// `task`, `event`, `step` or `token`.
        what: &'static str,
        /// The name as given, cut where it is long.
        name: String,
        /// The length in characters.
        chars: usize,
        /// The largest length.
        allowed: usize,
    },
    /// An event's name begins with what lifecycle events begin with.
    #[error("event name {0:?} begins with `task.`, which is reserved for lifecycle events (choose another first word)")]
    Reserved(String),
    /// A task's name begins with what built-in tasks begin with.
    #[error("task name {0:?} begins with `dacapo.`, which is reserved for built-in tasks (choose another first word)")]
    BuiltIn(String),
    /// An app's or a stage's name is not one that AWS takes.
    #[error("{what} {name:?} is not 1 to {allowed} characters of a-z, 0-9 and single hyphens, beginning with a letter")]
    Plain {
        /// `app` or `stage`.
        what: &'static str,
        /// The name as given, cut where it is long.
        name: String,
        /// The largest length.
        allowed: usize,
    },
}

/// The letters of a slug, one by one: runs of anything else become one hyphen, none at the ends.
struct Letters<'a> {
    bytes: &'a [u8],
    at: usize,
    begun: bool,
}

/// The id of a run or of a published event: a ULID, 26 characters, sortable by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(Ulid);

/// Bytes that are shown of a text that is no name.
const SHOWN_OF_NAME: usize = 300;

/// Bytes that are shown of a text that is no id.
const SHOWN_OF_ID: usize = 100;

/// The text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a run id (an id has 26 characters of 0-9 and A-Z without I, L, O, U)")]
pub struct IdError(String);

impl<'a> Letters<'a> {
    const fn of(name: &'a str) -> Self {
        Self { bytes: name.as_bytes(), at: 0, begun: false }
    }

    const fn next(&mut self) -> Option<u8> {
        let start = self.at;
        while self.at < self.bytes.len() && !self.bytes[self.at].is_ascii_alphanumeric() {
            self.at += 1;
        }
        if self.at == self.bytes.len() {
            return None;
        }
        if self.at > start && self.begun {
            return Some(b'-');
        }
        self.begun = true;
        self.at += 1;
        Some(self.bytes[self.at - 1].to_ascii_lowercase())
    }
}

impl Id {
    /// An id of a moment: 48 bits of milliseconds, then 80 bits of the given randomness.
    #[must_use]
    pub fn new(now: Timestamp, random: u128) -> Self {
        Self(Ulid::from_parts(now.as_millisecond().max(0).cast_unsigned(), random))
    }

    /// The id's 16 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 16] {
        self.0.to_bytes()
    }

    /// The id of 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Ulid::from_bytes(bytes))
    }

    /// The moment that the id is of.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let ms = i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Ulid::from_string(text).map(Self).map_err(|_| IdError(cut(text.to_owned(), SHOWN_OF_ID)))
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.to_string()
    }
}

/// Checks a task's name: 1 to 64 characters of any text that doesn't begin with `dacapo.`.
///
/// # Errors
/// [`NameError::Length`] otherwise.
pub fn check_task_name(name: &str) -> Result<(), NameError> {
    if name.starts_with("dacapo.") {
        return Err(NameError::BuiltIn(shown(name)));
    }
    check_length("task", name, TASK_NAME_CHARS)
}

/// Checks an event's name: 1 to 128 characters of any text that doesn't begin with `task.`.
///
/// # Errors
/// [`NameError::Length`] or [`NameError::Reserved`] otherwise.
pub fn check_event_name(name: &str) -> Result<(), NameError> {
    if name.starts_with("task.") {
        return Err(NameError::Reserved(shown(name)));
    }
    check_length("event", name, EVENT_NAME_CHARS)
}

/// Checks a step's name: 1 to 256 characters of any text.
///
/// # Errors
/// [`NameError::Length`] otherwise.
pub fn check_step_name(name: &str) -> Result<(), NameError> {
    check_length("step", name, STEP_NAME_CHARS)
}

/// Checks a token's name: 1 to 256 characters of any text.
///
/// # Errors
/// [`NameError::Length`] otherwise.
pub fn check_token_name(name: &str) -> Result<(), NameError> {
    check_length("token", name, TOKEN_NAME_CHARS)
}

/// Checks the names that a stack `{app}-{stage}` is made of.
///
/// # Errors
/// [`NameError::Plain`] if one of them is too long or has characters that some AWS name refuses.
pub fn check_stack(app: &str, stage: &str) -> Result<(), NameError> {
    for (what, name, allowed) in [("app", app, APP_CHARS), ("stage", stage, STAGE_CHARS)] {
        let plain = name.len() <= allowed
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.ends_with('-')
            && !name.contains("--")
            && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !plain {
            return Err(NameError::Plain { what, name: shown(name), allowed });
        }
    }
    Ok(())
}

/// The part of AWS names that stands for a name: lower-case letters, digits and single hyphens, at most [`SLUG_BYTES`].
///
/// A slug that comes out empty or too long is cut and ends in a hash of the name.
///
/// ```
/// assert_eq!(dacapo_domain::slug("my task 2"), "my-task-2");
/// assert_eq!(dacapo_domain::slug("Send_Invoice!"), "send-invoice");
/// assert_eq!(dacapo_domain::slug("送信"), "x-af0fac79");
/// ```
#[must_use]
pub fn slug(name: &str) -> String {
    let mut letters = Letters::of(name);
    let mut slug = String::new();
    while let Some(letter) = letters.next() {
        slug.push(letter as char);
    }
    if !slug.is_empty() && slug.len() <= SLUG_BYTES {
        return slug;
    }
    slug.truncate(SLUG_BYTES - "-12345678".len());
    let kept = slug.trim_end_matches('-');
    format!("{}-{:08x}", if kept.is_empty() { "x" } else { kept }, hash(name))
}

/// Says at build time whether two names have one slug.
///
/// Names whose slugs end in a hash are told apart by it, so they count as different.
#[must_use]
pub const fn same_slug(one: &str, other: &str) -> bool {
    let (mut ones, mut others) = (Letters::of(one), Letters::of(other));
    let mut length = 0;
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return length > 0 && length <= SLUG_BYTES,
            (Some(a), Some(b)) if a == b => length += 1,
            _ => return false,
        }
    }
}

/// Says at build time whether a name has 1 to 64 characters and doesn't begin with `dacapo.`.
#[must_use]
pub const fn is_task_name(name: &str) -> bool {
    let chars = count_chars(name);
    chars >= 1 && chars <= TASK_NAME_CHARS && !begins_with(name, "dacapo.")
}

/// Says at build time whether a name has 1 to 128 characters and doesn't begin with `task.`.
#[must_use]
pub const fn is_event_name(name: &str) -> bool {
    let chars = count_chars(name);
    chars >= 1 && chars <= EVENT_NAME_CHARS && !begins_with(name, "task.")
}

const fn begins_with(name: &str, start: &str) -> bool {
    let (name, start) = (name.as_bytes(), start.as_bytes());
    let mut at = 0;
    while at < start.len() && at < name.len() && name[at] == start[at] {
        at += 1;
    }
    at == start.len()
}

/// 128 bits of a text, stable over versions and machines (FNV-1a): what is named by it gets the same id each time.
#[must_use]
pub fn hash128(text: &str) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

fn check_length(what: &'static str, name: &str, allowed: usize) -> Result<(), NameError> {
    let chars = name.chars().count();
    if (1..=allowed).contains(&chars) {
        return Ok(());
    }
    Err(NameError::Length { what, name: shown(name), chars, allowed })
}

/// A name as a refusal shows it: what comes from outside may have any length.
fn shown(name: &str) -> String {
    cut(name.to_owned(), SHOWN_OF_NAME)
}

const fn count_chars(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut chars) = (0, 0);
    while at < bytes.len() {
        // Every byte but a continuation byte begins a character.
        if bytes[at] & 0b1100_0000 != 0b1000_0000 {
            chars += 1;
        }
        at += 1;
    }
    chars
}

/// FNV-1a, 32 bits: stable over versions and machines, which the standard hasher isn't.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slug_of_any_name_is_what_every_aws_name_takes(name in "\\PC{1,64}") {
            let slug = slug(&name);
            prop_assert!((1..=SLUG_BYTES).contains(&slug.len()), "{slug:?}");
            prop_assert!(slug.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')), "{slug:?}");
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"), "{slug:?}");
        }

        #[test]
        fn slug_at_build_time_is_the_slug_at_run_time(one in "[a-cA-C .]{1,5}", other in "[a-cA-C .]{1,5}") {
            prop_assert_eq!(same_slug(&one, &other), one.contains(char::is_alphabetic) && slug(&one) == slug(&other));
        }

        #[test]
        fn name_taken_at_build_time_is_taken_at_run_time(name in "((task|dacapo)\\.)?\\PC{0,130}") {
            prop_assert_eq!(is_task_name(&name), check_task_name(&name).is_ok());
            prop_assert_eq!(is_event_name(&name), check_event_name(&name).is_ok());
        }
    }

    #[test]
    fn name_of_any_length_is_refused_in_few_words() {
        let long = "\u{f3eb}".repeat(100_000);
        let refused = |refused: Result<(), NameError>| refused.unwrap_err().to_string();
        for said in [
            refused(check_task_name(&long)),
            refused(check_event_name(&long)),
            refused(check_task_name(&format!("dacapo.{long}"))),
            refused(check_event_name(&format!("task.{long}"))),
            refused(check_stack(&long, "dev")),
        ] {
            assert!(said.len() < 1_500 && said.contains("bytes)"), "{} bytes: {said}", said.len());
        }
        assert!(refused(check_event_name(&"a".repeat(129))).contains(&format!("{:?} has 129", "a".repeat(129))));
    }

    #[test]
    fn slug_of_a_long_name_is_cut_and_ends_in_a_hash_of_it() {
        let (a, b) = (slug(&"a".repeat(63)), slug(&"a".repeat(64)));
        assert_eq!((a.len(), b.len()), (SLUG_BYTES, SLUG_BYTES));
        assert_ne!(a, b);
    }

    #[test]
    fn stack_is_named_by_what_every_aws_name_takes() {
        assert_eq!(check_stack("shop", "dev"), Ok(()));
        for (app, stage) in [
            ("", "dev"),
            ("Shop", "dev"),
            ("1shop", "dev"),
            ("shop-", "dev"),
            ("shop", "a--b"),
            ("shop", "production-eu"),
        ] {
            assert!(check_stack(app, stage).is_err(), "{app}-{stage}");
        }
    }

    #[test]
    fn name_that_is_refused_says_what_is_allowed() {
        assert_eq!(
            check_event_name("task.done").unwrap_err().to_string(),
            "event name \"task.done\" begins with `task.`, which is reserved for lifecycle events (choose another first word)"
        );
        assert_eq!(check_task_name("").unwrap_err().to_string(), "task name \"\" has 0 characters (allowed: 1 to 64)");
    }
}
