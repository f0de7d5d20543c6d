//! A token: what a run waits for that only the outside knows, as a person's word. It is a record of its own, made before
//! the run waits and completed once. It stands beside its run's, and is kept as long.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use subtle::ConstantTimeEq;

use crate::{
    Decision, DecisionContext, Header, Id, Json, Machine, RecordKey, RunRecord, Version,
    limits::{self, TooLarge},
    slot,
};

/// The record of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRecord {
    /// The run that made it.
    pub run: Id,
    /// The name there.
    pub name: String,
    /// The name of the last write.
    pub version: Version,
    /// The part of its text that can't be guessed.
    pub secret: Secret,
    /// The state.
    pub state: TokenState,
    /// The time at which it was made.
    pub created_at: Timestamp,
    /// The time from which it can't be completed any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The time from which the record may be deleted, in Unix seconds, unless its run moves it.
    pub expires_at_s: i64,
}

/// The parts of a new token.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// The run that makes it.
    pub run: Id,
    /// The name there.
    pub name: &'a str,
    /// The part of its text that can't be guessed.
    pub secret: Secret,
    /// The time from which it can't be completed any more.
    pub until: Option<Timestamp>,
    /// The time from which the record may be deleted, in Unix seconds, unless its run moves it.
    pub expires_at_s: i64,
}

/// The state of a token. Only an open one changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenState {
    /// It can be completed, until its time has passed.
    Open,
    /// It was completed at this time, with a value that is stored as its payload.
    Completed(Timestamp),
    /// The run was told at this time that it was over: no completion is taken any more.
    TimedOut(Timestamp),
}

/// An input of a token.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenInput {
    /// The outside completes it with a value.
    Completed(Json),
    /// The run asks for the value: once its time has passed, that is the answer for good.
    Asked,
}

/// 128 bits from the system's own source of randomness, which are no part of any other name.
#[derive(Clone, Copy)]
pub struct Secret(u128);

/// The text of a token: run, secret and name, in letters that a URL takes as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenText {
    /// The run.
    pub run: Id,
    /// The secret.
    pub secret: Secret,
    /// The token's name within the run.
    pub name: String,
}

/// The text is no token's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read the token of {0} bytes (take its whole text as `cx.token` gave it: A-Z, a-z, 0-9, - and _)")]
pub struct TokenTextError(usize);

impl TokenRecord {
    /// A new token of a run.
    #[must_use]
    pub fn create(new: &NewToken<'_>, cx: &DecisionContext) -> Decision<Self> {
        let record = Self {
            run: new.run,
            name: new.name.to_owned(),
            version: cx.version(),
            secret: new.secret,
            state: TokenState::Open,
            created_at: cx.now,
            until: new.until,
            expires_at_s: new.expires_at_s,
        };
        Decision::store(record, vec![])
    }

    /// The key of a token's record.
    #[must_use]
    pub fn key_of(run: Id, name: &str) -> RecordKey {
        RecordKey::named(Self::KIND, name, &RunRecord::key_of(run))
    }

    /// The token's text.
    #[must_use]
    pub fn text(&self) -> TokenText {
        TokenText { run: self.run, secret: self.secret, name: self.name.clone() }
    }

    /// Is true once its run has nothing to wait for any more.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.state != TokenState::Open || self.has_passed(now)
    }

    fn has_passed(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Machine for TokenRecord {
    const KIND: &'static str = "token";
    type Input = TokenInput;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        let key = Self::key_of(self.run, &self.name);
        Header { key, version: self.version, reconcile_at: None, expires_at_s: Some(self.expires_at_s) }
    }

    fn decide(&self, input: &TokenInput, (): (), cx: &DecisionContext) -> Decision<Self> {
        let becomes = |state| Decision::store(Self { state, version: cx.version(), ..self.clone() }, vec![]);
        match (self.state, input, self.has_passed(cx.now)) {
            (TokenState::Open, TokenInput::Completed(value), false) => {
                becomes(TokenState::Completed(cx.now)).with(slot::VALUE, value.clone())
            }
            (TokenState::Open, TokenInput::Asked, true) => becomes(TokenState::TimedOut(cx.now)),
            _ => Decision::keep(self, vec![]),
        }
    }
}

/// Checks the bytes of a value that a token is completed with.
///
/// # Errors
/// If they are more than 1,048,576.
pub fn check_token_value(value: &Json) -> Result<(), TooLarge> {
    limits::check_bytes("a token's value", value.bytes(), limits::MESSAGE_BYTES)
}

impl Secret {
    /// The secret of these bits.
    #[must_use]
    pub const fn new(random: u128) -> Self {
        Self(random)
    }
}

/// Takes the same time wherever two differ.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_be_bytes().ct_eq(&other.0.to_be_bytes()).into()
    }
}

impl Eq for Secret {}

/// The secret is in no log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// 32 hexadecimal digits.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(de::Error::custom)
    }
}

impl fmt::Display for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.run.to_bytes()[..], &self.secret.0.to_be_bytes(), self.name.as_bytes()].concat();
        f.write_str(&BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for TokenText {
    type Err = TokenTextError;

    fn from_str(text: &str) -> Result<Self, TokenTextError> {
        let read = || {
            let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
            let (run, rest) = bytes.split_first_chunk()?;
            let (secret, name) = rest.split_first_chunk()?;
            let name = String::from_utf8(name.to_vec()).ok().filter(|name| !name.is_empty())?;
            Some(Self { run: Id::from_bytes(*run), secret: Secret(u128::from_be_bytes(*secret)), name })
        };
        read().ok_or(TokenTextError(text.len()))
    }
}
