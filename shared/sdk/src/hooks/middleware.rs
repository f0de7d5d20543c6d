//! Middleware: layers around `init`, `on_start` and the handler.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures::future::BoxFuture;

use crate::{HookContext, TaskError, outcome::Outcome};

/// One layer of middleware.
pub(crate) type Layer = Arc<dyn Fn(Next, HookContext) -> BoxFuture<'static, Result<Handled, TaskError>> + Send + Sync>;

/// The rest of an attempt, as middleware sees it: further middleware, `init`, `on_start` and the handler.
#[must_use = "the handler is not called unless this is run"]
pub struct Next(Box<dyn FnOnce() -> BoxFuture<'static, Result<Handled, TaskError>> + Send>);

/// The word of a handler that returned without an error, as middleware sees it: whether it is done, not with what.
#[derive(Debug)]
pub struct Handled(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Done,
    Continue,
    Aborted,
}

/// The parts of an attempt that its middleware doesn't see.
pub(crate) struct Made<I, O, V> {
    /// The value that `init` made.
    pub value: OnceLock<Arc<V>>,
    outcome: Mutex<Option<Outcome<I, O>>>,
}

impl Next {
    pub(crate) fn new(rest: impl FnOnce() -> BoxFuture<'static, Result<Handled, TaskError>> + Send + 'static) -> Self {
        Self(Box::new(rest))
    }

    /// The same behind another layer.
    pub(crate) fn behind(self, layer: Layer, cx: HookContext) -> Self {
        Self::new(move || layer(self, cx))
    }

    /// Runs it.
    ///
    /// # Errors
    /// An error of `init` or of the handler.
    pub async fn run(self) -> Result<Handled, TaskError> {
        (self.0)().await
    }
}

impl Handled {
    /// Is true where the handler returned a value.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0 == Kind::Done
    }

    /// Is true where the handler wants to be called again.
    #[must_use]
    pub fn is_continue(&self) -> bool {
        self.0 == Kind::Continue
    }

    /// Is true where the handler ended the run without an error.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.0 == Kind::Aborted
    }
}

impl<I, O, V> Made<I, O, V> {
    pub fn nothing() -> Self {
        Self { value: OnceLock::new(), outcome: Mutex::default() }
    }

    /// Keeps what the handler came to, and says what middleware may know of it.
    pub fn keep(&self, outcome: Outcome<I, O>) -> Handled {
        let kind = match outcome {
            Outcome::Done { .. } => Kind::Done,
            Outcome::Continue { .. } => Kind::Continue,
            Outcome::Aborted => Kind::Aborted,
        };
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        Handled(kind)
    }

    /// The outcome of the handler of this attempt.
    ///
    /// # Errors
    /// If it was not called: a middleware kept what another attempt came to.
    pub fn outcome(&self) -> Result<Outcome<I, O>, TaskError> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        outcome.ok_or_else(|| TaskError::terminal("a middleware answered without running `next` (return its result)"))
    }
}
