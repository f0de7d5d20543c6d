//! The contexts of a task's handler and of its hooks.

use std::{ops::Deref, sync::Arc};

use dacapo_core::hook::HookName;

use super::RunContext;

/// The context of a task's handler: all of [`RunContext`], and what the `init` hook made.
///
/// It is passed by value and cheap to clone.
///
/// # Example: a handler that uses what `init` made
///
/// ```
/// use dacapo::prelude::*;
///
/// struct Mailer;
/// # impl Mailer { async fn send(&self, _: &str) -> Result<(), std::io::Error> { Ok(()) } }
///
/// async fn send_welcome(email: String, cx: TaskContext<Mailer>) -> Result<(), TaskError> {
///     cx.log_info("sending", &email).await?;
///     cx.init().send(&email).await?;
///     Ok(())
/// }
/// ```
pub struct TaskContext<V = ()> {
    run: RunContext,
    init: Arc<V>,
}

/// The context of a hook: all of [`RunContext`], and what the `init` hook made.
pub struct HookContext<V = ()> {
    run: RunContext,
    init: Option<Arc<V>>,
}

impl<V> TaskContext<V> {
    pub(crate) fn new(run: RunContext, init: Arc<V>) -> Self {
        Self { run, init }
    }

    /// The value that the `init` hook made.
    #[must_use]
    pub fn init(&self) -> &V {
        &self.init
    }
}

impl<V> Deref for TaskContext<V> {
    type Target = RunContext;

    fn deref(&self) -> &RunContext {
        &self.run
    }
}

impl<V> Clone for TaskContext<V> {
    fn clone(&self) -> Self {
        Self { run: self.run.clone(), init: Arc::clone(&self.init) }
    }
}

impl<V> HookContext<V> {
    pub(crate) fn new(run: RunContext, init: Option<Arc<V>>) -> Self {
        Self { run, init }
    }

    /// The context of the hook of this name.
    pub(crate) fn of(&self, hook: HookName) -> Self {
        Self { run: self.run.of_hook(hook), init: self.init.clone() }
    }

    /// The same for a hook of the app, which knows no task's types.
    pub(crate) fn without_init(self) -> HookContext {
        HookContext { run: self.run, init: None }
    }

    /// The value that the `init` hook made. There is none in `init` itself, after an `init` that failed, after a body that
    /// did not parse, and after a crash.
    #[must_use]
    pub fn init(&self) -> Option<&V> {
        self.init.as_deref()
    }
}

impl<V> Deref for HookContext<V> {
    type Target = RunContext;

    fn deref(&self) -> &RunContext {
        &self.run
    }
}

impl<V> Clone for HookContext<V> {
    fn clone(&self) -> Self {
        Self { run: self.run.clone(), init: self.init.clone() }
    }
}
