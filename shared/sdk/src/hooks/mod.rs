//! The hooks that an author may hang around a handler.

mod app;
mod boxed;
mod chain;
mod init;
mod middleware;
mod options;

use std::sync::Arc;

use dacapo_core::hook::HookKind;
use dacapo_domain::{Json, RecordedError, RunView, When};
use futures::future::BoxFuture;

pub use app::Hooks;
pub(crate) use chain::Chain;
pub(crate) use init::InitValueCache;
pub use init::{InitOf, NoInit, WithInit};
pub use middleware::{Handled, Next};
pub(crate) use middleware::{Layer, Made};

use crate::{HookContext, TaskError};

/// A hook that gets `A`, and gives `R`.
pub(crate) type Hook<V, A, R = ()> =
    Arc<dyn Fn(A, HookContext<V>) -> BoxFuture<'static, Result<R, TaskError>> + Send + Sync>;

/// A task's hooks but `init`: those of the app, and its own.
pub(crate) struct TaskHooks<O, V> {
    pub app_middleware: Vec<Layer>,
    pub middleware: Vec<Layer>,
    pub on_start: Chain<Hook<V, ()>>,
    pub handle_error: Chain<Hook<V, TaskError, OnError>>,
    pub cleanup: Chain<Hook<V, ()>>,
    /// The app's get the result as JSON, where it was kept.
    pub on_success: Chain<Hook<V, O>, Hook<V, Option<Json>>>,
    pub on_failure: Chain<Hook<V, RecordedError>>,
    pub on_abort: Chain<Hook<V, String>>,
    pub on_max_iterations: Chain<Hook<V, ()>>,
    pub on_complete: Chain<Hook<V, RunView>>,
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

impl<O, V> TaskHooks<O, V> {
    pub const fn none() -> Self {
        Self {
            app_middleware: vec![],
            middleware: vec![],
            on_start: Chain::none(),
            handle_error: Chain::none(),
            cleanup: Chain::none(),
            on_success: Chain::none(),
            on_failure: Chain::none(),
            on_abort: Chain::none(),
            on_max_iterations: Chain::none(),
            on_complete: Chain::none(),
        }
    }

    /// Says whether a hook may run apart from its attempt, with what `init` made for it.
    pub fn run_apart(&self) -> bool {
        self.follow_the_end() || !self.handle_error.is_empty() || !self.cleanup.is_empty()
    }

    /// Says whether anything follows the end of a run.
    pub fn follow_the_end(&self) -> bool {
        let kinds = [
            HookKind::OnSuccess,
            HookKind::OnFailure,
            HookKind::OnAbort,
            HookKind::OnMaxIterations,
            HookKind::OnComplete,
        ];
        kinds.into_iter().any(|kind| !self.names(kind).is_empty())
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
