//! The answers of a handler.

use std::time::Duration;

use dacapo_domain::Wait;
use jiff::Timestamp;

use crate::{Awaited, Token};

/// The answer of a handler: the result, the next iteration, or the end.
///
/// Made by [`Done()`], [`Continue()`] and their relatives, and [`Aborted`]. A handler that only ever has a result may
/// return just that.
///
/// # Example: work in pages
///
/// ```
/// use dacapo::prelude::*;
///
/// async fn import(page: u32, _: TaskContext) -> Result<Outcome<u32, String>, TaskError> {
///     match page {
///         0 => Ok(Aborted),
///         1..=9 => Ok(Continue::after(seconds(2), page + 1)),
///         _ => Ok(Done(format!("{page} pages"))),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<I, O> {
    /// The run is completed.
    #[non_exhaustive]
    Done {
        /// The result.
        value: O,
        /// The message about it.
        message: Option<String>,
    },
    /// The handler is called again.
    #[non_exhaustive]
    Continue {
        /// With exactly this input; `None` where it is the one that is stored.
        input: Option<I>,
        /// After this wait.
        wait: Wait,
    },
    /// The run is aborted, which is no error.
    Aborted,
}

pub use Outcome::Aborted;

/// The run is completed with this result.
#[expect(non_snake_case, reason = "it stands for the variant, as `Ok` does in `anyhow`")]
pub fn Done<I, O>(value: O) -> Outcome<I, O> {
    Outcome::Done { value, message: None }
}

/// The handler is called again at once, with exactly this input.
#[expect(non_snake_case, reason = "it stands for the variant, as `Ok` does in `anyhow`")]
pub fn Continue<I, O>(input: I) -> Outcome<I, O> {
    Continue::after(Duration::ZERO, input)
}

/// Ways to complete a run, besides the plain [`Done()`].
#[derive(Debug)]
pub enum Done {}

/// Ways to continue, besides the plain [`Continue()`].
#[derive(Debug)]
pub enum Continue {}

impl Done {
    /// The run is completed with this result, and its record says this of it.
    pub fn with_message<I, O>(value: O, message: impl Into<String>) -> Outcome<I, O> {
        Outcome::Done { value, message: Some(message.into()) }
    }
}

impl Continue {
    /// The handler is called again after this wait, which is 0, or 1 s to 355 days. Any other fails the run with
    /// `WAIT_OUT_OF_RANGE`.
    pub fn after<I, O>(wait: Duration, input: I) -> Outcome<I, O> {
        Outcome::Continue { input: Some(input), wait: Wait::After(wait) }
    }

    /// The handler is called again at this time: at once where it has passed; a time more than 355 days ahead fails
    /// the run with `WAIT_OUT_OF_RANGE`.
    pub fn at<I, O>(time: Timestamp, input: I) -> Outcome<I, O> {
        Outcome::Continue { input: Some(input), wait: Wait::At(time) }
    }

    /// The handler is called again after this wait with the input that is stored: this iteration's, and what
    /// [`update_input`](crate::RunContext::update_input) has merged into it.
    #[must_use]
    pub fn again<I, O>(wait: Duration) -> Outcome<I, O> {
        Outcome::Continue { input: None, wait: Wait::After(wait) }
    }

    /// The handler is called again once all of these runs have ended, well or not: what `cx.run` or `cx.batch` gave, up
    /// to 1,000 of one task or several, as [`Awaited`] takes them. Then [`cx.children`](crate::RunContext::children) has
    /// them. A run that this run's handler has neither started nor found by its key, and more than 1,000, fail the run.
    pub fn when_done<I, O>(children: impl Into<Awaited>, input: I) -> Outcome<I, O> {
        Outcome::Continue { input: Some(input), wait: Wait::Children(children.into().into_children()) }
    }
}

impl Continue {
    /// The handler is called again once the token is completed, or its time has passed: [`told`](crate::RunContext::told)
    /// says which. At once, where either came first. Meanwhile the run costs nothing.
    ///
    /// A token of another run fails this one.
    pub fn when_told<I, O>(token: Token, input: I) -> Outcome<I, O> {
        let Token { run, name, until, .. } = token;
        Outcome::Continue { input: Some(input), wait: Wait::Token { run, name, until } }
    }
}

/// The return value of a task's handler: its result, or an [`Outcome`].
#[diagnostic::on_unimplemented(
    message = "a handler of a task from `{I}` to `{O}` can't return `{Self}`",
    label = "this handler returns `{Self}`",
    note = "return `Result<{O}, TaskError>`, or `Result<Outcome<{I}, {O}>, TaskError>` to continue or abort"
)]
pub trait IntoOutcome<I, O> {
    /// Is false of a type that holds no `continue`: the function's role gets no right to start the wait loop then.
    const MAY_CONTINUE: bool;

    /// The same as an outcome.
    fn into_outcome(self) -> Outcome<I, O>;
}

impl<I, O> IntoOutcome<I, O> for O {
    const MAY_CONTINUE: bool = false;

    fn into_outcome(self) -> Outcome<I, O> {
        Done(self)
    }
}

impl<I, O> IntoOutcome<I, O> for Outcome<I, O> {
    const MAY_CONTINUE: bool = true;

    fn into_outcome(self) -> Self {
        self
    }
}
