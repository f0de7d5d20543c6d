//! The shape of a handler, and the compiler's words for a function that has another.

use crate::TaskError;

/// The future that an `async fn` gives when it is called.
#[diagnostic::on_unimplemented(
    message = "a handler must be an `async fn`",
    label = "this handler is not async: calling it gives `{Self}`, not a future",
    note = "write `async fn` where the handler is defined"
)]
pub trait IsAsync: Future {}

impl<W: Future> IsAsync for W {}

/// The result that an author's `async fn` ends in.
#[diagnostic::on_unimplemented(
    message = "expected a `Result<_, TaskError>`, found `{Self}`",
    label = "gives `{Self}`",
    note = "let it return `Result<_, TaskError>`: `?` makes a `TaskError` of every error"
)]
pub trait IsResult {
    /// The value if all goes well.
    type Value;

    /// The result itself.
    ///
    /// # Errors
    /// The result's own.
    fn into_result(self) -> Result<Self::Value, TaskError>;
}

impl<T> IsResult for Result<T, TaskError> {
    type Value = T;

    fn into_result(self) -> Self {
        self
    }
}
