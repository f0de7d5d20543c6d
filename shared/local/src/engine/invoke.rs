//! How a function is invoked, wherever its code is.

use async_trait::async_trait;
use dacapo_domain::{FunctionEntry, Json};

use crate::sqlite::Received;

/// Invokes functions as Lambda does: in this process, or in processes of their own.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Delivers a batch of messages from the function's queue. Says of each, in its order, whether it is done;
    /// what is not comes back when its visibility ends.
    ///
    /// # Errors
    /// A [`Crash`] of the invocation: all of its messages come back.
    async fn deliver(&self, function: &FunctionEntry, batch: &[Received]) -> Result<Vec<bool>, Crash>;

    /// Invokes the function with a payload of its own.
    ///
    /// # Errors
    /// A [`Crash`]: what the state machine catches.
    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, Crash>;
}

/// An invocation that ended in an error, or in nothing at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Crash {
    /// What is known of it, for people.
    pub cause: String,
}

impl Crash {
    /// A crash and what is known of it.
    #[must_use]
    pub fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into() }
    }
}
