//! A function as the runner and the manifest see it: its types have ended here.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use dacapo_domain::{Failed, FunctionEntry, Json, Outcome, RunRecord, Subscription, TaskEntry};

use crate::runner::{Attempt, EventAttempt};

/// What a function's crate exports: a task, an event handler, or an array of event handlers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function",
    label = "a function is one task, or any number of event handlers",
    note = "return `task(NAME, handler)`, `on(NAME, handler)`, or `[on(NAME, handler), …]`"
)]
pub trait Function {
    #[doc(hidden)]
    fn define(self) -> Definition;
}

/// A function as the runner and the manifest see it.
#[derive(Clone)]
pub struct Definition {
    /// Its Lambda's memory in MB.
    pub memory_mb: u32,
    /// What it holds.
    pub holds: Defined,
    /// Options that are refused, each with what was given and what is allowed.
    pub problems: Vec<String>,
}

/// What a function holds.
#[derive(Clone)]
pub enum Defined {
    /// One task.
    Task(Arc<dyn ErasedTask>),
    /// Handlers of events, in the order of their definition.
    Events(Vec<Arc<dyn ErasedHandler>>),
}

impl Definition {
    /// The definition of a function.
    #[must_use]
    pub fn of(function: impl Function) -> Self {
        function.define()
    }

    /// What the manifest says of the function in this crate.
    ///
    /// # Errors
    /// All options that are refused, each with what was given and what is allowed.
    pub fn describe(&self, crate_name: &str) -> Result<FunctionEntry, Vec<String>> {
        if !self.problems.is_empty() {
            return Err(self.problems.clone());
        }
        Ok(match &self.holds {
            Defined::Task(task) => FunctionEntry::task(crate_name, self.memory_mb, task.entry()),
            Defined::Events(handlers) => {
                let subscriptions = handlers.iter().map(|handler| handler.subscription()).collect();
                FunctionEntry::events(crate_name, self.memory_mb, subscriptions)
            }
        })
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition")
            .field("memory_mb", &self.memory_mb)
            .field("holds", &self.holds)
            .field("problems", &self.problems)
            .finish()
    }
}

impl fmt::Debug for Defined {
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
    /// What the manifest says of it.
    fn entry(&self) -> TaskEntry;

    /// Makes one attempt: `init`, `on_start`, the handler, `handle_error`, `cleanup`.
    ///
    /// The input is the run's body, or what the last `continue` gave. A panic of the author's code unwinds.
    async fn call(&self, input: Json, attempt: Arc<Attempt>) -> Outcome;

    /// Runs the hooks of the end, once the final state is stored. Their errors are logged with the run and ignored.
    ///
    /// In the process that made the last attempt the hooks see what `init` made for it.
    async fn end(&self, attempt: Arc<Attempt>, record: RunRecord);
}

/// A handler of events whose types are known to it alone.
#[async_trait]
pub trait ErasedHandler: Send + Sync {
    /// What the manifest says of it.
    fn subscription(&self) -> Subscription;

    /// Handles the event once. A panic of the author's code unwinds.
    ///
    /// # Errors
    /// The handler's own, or `BODY_MISMATCH` where the body doesn't fit the event's type.
    async fn call(&self, body: Json, attempt: Arc<EventAttempt>) -> Result<(), Failed>;
}
