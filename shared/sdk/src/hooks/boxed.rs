//! Hooks as they are kept: behind one type for each kind.

use std::sync::Arc;

use super::{Handled, Hook, Layer, Next};
use crate::{HookContext, TaskError};

pub(super) fn with<V, A, R, W>(hook: impl Fn(A, HookContext<V>) -> W + Send + Sync + 'static) -> Hook<V, A, R>
where
    W: Future<Output = Result<R, TaskError>> + Send + 'static,
{
    Arc::new(move |argument, cx| Box::pin(hook(argument, cx)))
}

pub(super) fn alone<V, W>(hook: impl Fn(HookContext<V>) -> W + Send + Sync + 'static) -> Hook<V, ()>
where
    W: Future<Output = Result<(), TaskError>> + Send + 'static,
{
    with(move |(), cx| hook(cx))
}

pub(super) fn layer<W>(hook: impl Fn(Next, HookContext) -> W + Send + Sync + 'static) -> Layer
where
    W: Future<Output = Result<Handled, TaskError>> + Send + 'static,
{
    Arc::new(move |next, cx| Box::pin(hook(next, cx)))
}
