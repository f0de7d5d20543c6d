//! The failure of an invocation, wherever the function's code is.

/// An invocation that ended in an error, or in nothing at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct InvocationFailed {
    /// The cause as far as it is known, for people.
    pub cause: String,
}

impl InvocationFailed {
    /// A failure and its cause.
    #[must_use]
    pub fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into() }
    }
}
