//! A function as the runner and the manifest see it: its types have ended here.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use dacapo_domain::{AttemptError, AttemptOutcome, FunctionEntry, Json, RunView, Subscription, TaskEntry};

use crate::{
    attempt::{EventAttempt, TaskAttempt},
    hook::HookName,
};

/// The handlers of a function.
#[derive(Clone)]
pub enum Handlers {
    /// One task's.
    Task(Arc<dyn ErasedTask>),
    /// Those of events, in the order of their definition.
    Events(Vec<Arc<dyn ErasedEventHandler>>),
}

impl Handlers {
    /// The manifest's entry of the function in this crate.
    #[must_use]
    pub fn entry(&self, crate_name: &str, memory_mb: u32) -> FunctionEntry {
        match self {
            Self::Task(task) => FunctionEntry::task(crate_name, memory_mb, task.entry()),
            Self::Events(handlers) => {
                let subscriptions = handlers.iter().map(|handler| handler.subscription()).collect();
                FunctionEntry::events(crate_name, memory_mb, subscriptions)
            }
        }
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(task) => f.debug_tuple("Task").field(&task.entry().name).finish(),
            Self::Events(handlers) => {
                let events: Vec<String> = handlers.iter().map(|handler| handler.subscription().event).collect();
                f.debug_tuple("Events").field(&events).finish()
            }
        }
    }
}

/// A task whose types are known to it alone.
#[async_trait]
pub trait ErasedTask: Send + Sync {
    /// The manifest's entry of it.
    fn entry(&self) -> TaskEntry;

    /// The key by which attempts of a run with this body are limited; `None` where the body gives none that can be used:
    /// its attempt says so.
    fn limit_key(&self, body: &Json) -> Option<String> {
        let _ = body;
        None
    }

    /// Makes one attempt: middleware around `init`, `on_start` and the handler, then `handle_error`, `cleanup`.
    ///
    /// The input is the run's body, or what the last `continue` gave. A panic of the author's code unwinds.
    async fn call(self: Arc<Self>, input: Json, attempt: Arc<TaskAttempt>) -> AttemptOutcome;

    /// Decides what becomes of an attempt whose handler panicked or passed its timeout: `handle_error`, `cleanup`.
    async fn handle_failure(&self, error: AttemptError, attempt: Arc<TaskAttempt>) -> AttemptError;

    /// The hooks of this end, in their order.
    fn end_hooks(&self, run: &RunView) -> Vec<HookName>;

    /// Runs one of them, once the final state is stored. An error is logged with the run and ignored.
    ///
    /// In the process that made the last attempt a hook sees what `init` made for it.
    async fn run_end_hook(&self, hook: HookName, attempt: Arc<TaskAttempt>, run: RunView);
}

/// A handler of events whose types are known to it alone.
#[async_trait]
pub trait ErasedEventHandler: Send + Sync {
    /// The manifest's entry of it.
    fn subscription(&self) -> Subscription;

    /// Handles the event once. A panic of the author's code unwinds.
    ///
    /// # Errors
    /// The handler's own, or `BODY_MISMATCH` where the body doesn't fit the event's type.
    async fn call(&self, body: Json, attempt: Arc<EventAttempt>) -> Result<(), AttemptError>;
}
