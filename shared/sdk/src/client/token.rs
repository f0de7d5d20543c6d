//! Completing tokens from outside.

use dacapo_domain::{Id, TokenText};

use super::{
    Client,
    check::{check_body, unserializable},
};
use crate::{Error, Payload, payload::Codec};

/// A token that was completed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completed {
    /// The run that made it.
    pub run: Id,
    /// The name there.
    pub token: String,
}

impl Client {
    /// Completes a token, by the text that its handler made of it, with a value of up to 1,048,576 bytes as JSON: its run
    /// goes on, or doesn't wait when it comes to wait for it.
    ///
    /// # Errors
    /// `Usage` for a text that is no token's and a value that can't be used; `NotFound` if there is no such token;
    /// `Refused` if it was completed before, its time has passed, or its run has ended; any error of the store, on which
    /// the call may be made again.
    ///
    /// # Example: a page that a person's mail links to
    ///
    /// ```
    /// # use dacapo::{Client, Error};
    /// async fn approved(client: &Client, token: &str) -> Result<String, Error> {
    ///     let completed = client.complete(token, true).await?;
    ///     Ok(format!("run {} goes on", completed.run))
    /// }
    /// ```
    pub async fn complete(&self, token: impl AsRef<str>, value: impl Payload) -> Result<Completed, Error> {
        let text: TokenText = token.as_ref().parse().map_err(Error::usage)?;
        let value = Codec::new().encode(&value).map_err(|error| unserializable("the value", &error))?;
        check_body("the value", &value)?;
        self.ports().clock.synchronize().await?;
        dacapo_core::complete(self.ports(), &text, value).await?;
        Ok(Completed { run: text.run, token: text.name })
    }
}
