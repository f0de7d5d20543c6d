use std::{ops::Deref, sync::Arc};

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
