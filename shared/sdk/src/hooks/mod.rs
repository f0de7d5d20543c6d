//! The hooks that an author may hang around a handler.

mod init;
mod options;

use std::sync::Arc;

use dacapo_domain::{RecordedError, RunView, When};
use futures::future::BoxFuture;

pub(crate) use init::InitValueCache;
pub use init::{InitOf, NoInit, WithInit};

use crate::{HookContext, TaskError};

/// A hook that gets `A`, and gives `R`.
pub(crate) type Hook<V, A, R = ()> =
    Arc<dyn Fn(A, HookContext<V>) -> BoxFuture<'static, Result<R, TaskError>> + Send + Sync>;

/// A task's hooks, but `init`.
pub(crate) struct Hooks<O, V> {
    pub on_start: Option<Hook<V, ()>>,
    pub handle_error: Option<Hook<V, TaskError, OnError>>,
    pub cleanup: Option<Hook<V, ()>>,
    pub on_success: Option<Hook<V, O>>,
    pub on_failure: Option<Hook<V, RecordedError>>,
    pub on_abort: Option<Hook<V, String>>,
    pub on_max_iterations: Option<Hook<V, ()>>,
    pub on_complete: Option<Hook<V, RunView>>,
}

/// The decision of a `handle_error` hook on a failed attempt.
#[derive(Clone, Debug)]
pub enum OnError {
    /// The decision of the error and of the task's policy.
    Default,
    /// No further attempt.
    Stop,
    /// Another attempt then, if the policy has one left.
    Retry(When),
    /// Another error in its place, which says itself whether it is tried again.
    Replace(TaskError),
}

impl<O, V> Hooks<O, V> {
    pub const fn none() -> Self {
        Self {
            on_start: None,
            handle_error: None,
            cleanup: None,
            on_success: None,
            on_failure: None,
            on_abort: None,
            on_max_iterations: None,
            on_complete: None,
        }
    }

    /// Says whether a hook may run apart from its attempt, with what `init` made for it.
    pub const fn run_apart(&self) -> bool {
        self.follow_the_end() || self.handle_error.is_some() || self.cleanup.is_some()
    }

    /// Says whether anything follows the end of a run.
    pub const fn follow_the_end(&self) -> bool {
        self.on_success.is_some()
            || self.on_failure.is_some()
            || self.on_abort.is_some()
            || self.on_max_iterations.is_some()
            || self.on_complete.is_some()
    }
}

impl OnError {
    /// Another attempt then, or after that time, if the policy has one left.
    pub fn retry_at(when: impl Into<When>) -> Self {
        Self::Retry(when.into())
    }

    /// The error that the attempt ends with.
    pub(crate) fn apply(self, error: TaskError) -> TaskError {
        match self {
            Self::Default => error,
            Self::Stop => TaskError::terminal(error),
            Self::Retry(when) => error.retry_at(when),
            Self::Replace(other) => other,
        }
    }
}
