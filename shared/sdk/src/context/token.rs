//! Tokens: what a handler waits for that only the outside knows.

use std::{fmt, future::IntoFuture};

use dacapo_core::attempt::TokenOutcome;
use dacapo_domain::{Id, When};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::RunContext;
use crate::{
    Error, Payload, TaskError,
    payload::{Codec, misfit},
};

/// A token of a run, for [`Continue::when_told`](crate::Continue::when_told). Its text, which `to_string` and `as_ref`
/// give, is what the outside completes it with, and is to be known by no one else: it can't be guessed, and consists of
/// letters that a URL takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub(crate) run: Id,
    pub(crate) name: String,
    pub(crate) until: Option<Timestamp>,
    text: Text,
}

/// The secret is in no log.
#[derive(Clone, PartialEq, Eq)]
struct Text(String);

/// The word from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<T> {
    /// The token was completed with this value.
    Value(T),
    /// The token's time passed before it was completed.
    TimedOut,
}

/// A token to be made: it is when this is awaited.
#[must_use = "a token is made when this is awaited"]
pub struct MakeToken {
    run: RunContext,
    name: String,
    timeout: Option<When>,
}

impl RunContext {
    /// The run's token of this name, 1 to 256 characters, made when this is awaited: the same on every attempt and
    /// iteration. Without [`timeout`](MakeToken::timeout) it can be completed as long as the run lasts.
    ///
    /// # Example: a run that waits for a person's word, three days at most
    ///
    /// ```
    /// # use dacapo::prelude::*;
    /// # async fn ask(_: &str) -> Result<(), std::io::Error> { Ok(()) }
    /// async fn pay(cents: u64, cx: TaskContext) -> Result<Outcome<u64, String>, TaskError> {
    ///     let token = cx.token("approve").timeout(days(3)).await?;
    ///     match cx.told::<bool>("approve").await? {
    ///         None => {
    ///             ask(token.as_ref()).await?; // By mail, with a link to the page that completes it.
    ///             Ok(Continue::when_told(token, cents))
    ///         }
    ///         Some(Told::Value(true)) => Ok(Done(format!("{cents} are paid"))),
    ///         Some(Told::Value(false) | Told::TimedOut) => Ok(Aborted),
    ///     }
    /// }
    /// ```
    pub fn token(&self, name: impl Into<String>) -> MakeToken {
        MakeToken { run: self.clone(), name: name.into(), timeout: None }
    }

    /// The word from outside about the run's token of this name: `None` as long as it can still come. It is the same from
    /// then on, for every attempt and iteration.
    ///
    /// # Errors
    /// Terminal for a name that the run has made no token of, and for a value that is no `T`; any [`Error`] of the store.
    pub async fn told<T: Payload>(&self, name: &str) -> Result<Option<Told<T>>, TaskError> {
        match self.attempt.told(name).await? {
            TokenOutcome::Open => Ok(None),
            TokenOutcome::TimedOut => Ok(Some(Told::TimedOut)),
            TokenOutcome::Value(value) => match Codec::new().decode(&value) {
                Ok(value) => Ok(Some(Told::Value(value))),
                Err(error) => {
                    Err(TaskError::terminal(misfit::<T>(format_args!("the value of token {name:?}"), &error)))
                }
            },
        }
    }
}

impl MakeToken {
    /// The token can be completed for so long, or until then: a duration, a timestamp, "3 days", or milliseconds. Counted
    /// when the token is made: a later call changes nothing.
    pub fn timeout(self, when: impl Into<When>) -> Self {
        Self { timeout: Some(when.into()), ..self }
    }

    async fn make(self) -> Result<Token, Error> {
        let attempt = &self.run.attempt;
        let now = attempt.app().ports().clock.now();
        let until = self.timeout.map(|when| when.resolve(now)).transpose().map_err(Error::usage)?;
        let made = attempt.token(&self.name, until).await?;
        let text = Text(made.text().to_string());
        Ok(Token { run: made.run, name: made.name, until: made.until, text })
    }
}

impl IntoFuture for MakeToken {
    type Output = Result<Token, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

impl Token {
    /// The token's name within its run.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The time from which it can't be completed any more.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }
}

impl AsRef<str> for Token {
    fn as_ref(&self) -> &str {
        &self.text.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text.0)
    }
}

/// The text.
impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
