//! The value that a handler's context holds: its source, and its keeping for the hooks of the end.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dacapo_domain::Id;
use futures::future::BoxFuture;

use crate::{HookContext, TaskError};

/// Attempts whose values are kept at once: more than one process has at a time.
const SIZE: usize = 64;

/// A task without an `init` hook: its handler takes a plain `TaskContext`.
#[derive(Clone, Copy, Debug)]
pub struct NoInit;

/// A task with an `init` hook that makes a `V`, or with a value that is ready made.
pub struct WithInit<V>(Made<V>);

enum Made<V> {
    Before(Arc<V>),
    ByHook(Box<dyn Fn(HookContext) -> BoxFuture<'static, Result<V, TaskError>> + Send + Sync>),
}

/// The source of the value that a handler's context holds.
#[diagnostic::on_unimplemented(
    message = "the handler asks for a `TaskContext<{V}>`, but no `init` hook makes a `{V}`",
    label = "this task has no `init`",
    note = "add `.init(|_| async {{ Ok(…) }})` that returns a `{V}`, or let the handler take a plain `TaskContext`"
)]
pub trait InitOf<V>: Send + Sync + 'static {
    #[doc(hidden)]
    fn make(&self, cx: HookContext) -> BoxFuture<'static, Result<Arc<V>, TaskError>>;
}

/// The values that `init` made for the latest attempts: for the hooks of the end, where an attempt turns out to be the
/// last.
pub(crate) struct InitValueCache<V>(Mutex<VecDeque<(Id, Arc<V>)>>);

impl<V: Send + 'static> WithInit<V> {
    pub(crate) fn value(value: V) -> Self {
        Self(Made::Before(Arc::new(value)))
    }

    pub(crate) fn hook<W>(hook: impl Fn(HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<V, TaskError>> + Send + 'static,
    {
        Self(Made::ByHook(Box::new(move |cx| Box::pin(hook(cx)))))
    }
}

impl InitOf<()> for NoInit {
    fn make(&self, _: HookContext) -> BoxFuture<'static, Result<Arc<()>, TaskError>> {
        Box::pin(async { Ok(Arc::new(())) })
    }
}

impl<V: Send + Sync + 'static> InitOf<V> for WithInit<V> {
    fn make(&self, cx: HookContext) -> BoxFuture<'static, Result<Arc<V>, TaskError>> {
        match &self.0 {
            Made::Before(value) => {
                let value = Arc::clone(value);
                Box::pin(async { Ok(value) })
            }
            Made::ByHook(hook) => {
                let value = hook(cx);
                Box::pin(async { value.await.map(Arc::new) })
            }
        }
    }
}

impl<V> InitValueCache<V> {
    pub const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    pub fn keep(&self, run: Id, value: &Arc<V>) {
        let mut kept = self.lock();
        kept.retain(|(other, _)| *other != run);
        kept.truncate(SIZE - 1);
        kept.push_front((run, Arc::clone(value)));
    }

    pub fn get(&self, run: Id) -> Option<Arc<V>> {
        self.lock().iter().find(|(other, _)| *other == run).map(|(_, value)| Arc::clone(value))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Id, Arc<V>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
