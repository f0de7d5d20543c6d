use std::sync::Arc;

use futures::future::BoxFuture;

use crate::{HookContext, TaskError};

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
