use std::{ops::Deref, sync::Arc};

use super::RunContext;

/// The context of a hook: all of [`RunContext`], and what the `init` hook made.
pub struct HookContext<V = ()> {
    run: RunContext,
    init: Option<Arc<V>>,
}

impl<V> HookContext<V> {
    pub(crate) fn new(run: RunContext, init: Option<Arc<V>>) -> Self {
        Self { run, init }
    }

    /// The context of the hook of this name.
    pub(crate) fn of(&self, hook: &str) -> Self {
        Self { run: self.run.of_hook(hook), init: self.init.clone() }
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
