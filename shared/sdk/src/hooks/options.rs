use dacapo_domain::{RecordedError, RunView};

use super::{
    Handled, Next, NoInit, OnError, WithInit,
    boxed::{alone, layer, with},
};
use crate::{HookContext, Task, TaskError};

/// The handler's needs.
impl<I, O, V> Task<I, O, V, NoInit> {
    /// Makes what the handler's context holds, before each attempt. If it fails, the attempt fails with
    /// `INIT_ERROR`, and is tried again as the error says.
    pub fn init<W>(self, hook: impl Fn(HookContext) -> W + Send + Sync + 'static) -> Task<I, O, V, WithInit<V>>
    where
        W: Future<Output = Result<V, TaskError>> + Send + 'static,
        V: Send + 'static,
    {
        self.with_init(WithInit::hook(hook))
    }

    /// The same, ready made: all attempts share it. For tests, and for what is cheap to have.
    pub fn value(self, value: V) -> Task<I, O, V, WithInit<V>>
    where
        V: Send + 'static,
    {
        self.with_init(WithInit::value(value))
    }
}

/// Hooks around an attempt.
impl<I, O, V, N> Task<I, O, V, N> {
    /// Runs around `init`, `on_start` and the handler of each attempt. If it fails, the attempt fails as if the handler
    /// had. Any number: the first one is outermost.
    ///
    /// # Example: a lock that is held meanwhile
    ///
    /// ```
    /// # use dacapo::prelude::*;
    /// # struct Lock;
    /// # impl Lock { async fn take(_: &str) -> Result<Lock, std::io::Error> { Ok(Lock) } }
    /// async fn locked(next: Next, cx: HookContext) -> Result<Handled, TaskError> {
    ///     let _lock = Lock::take(cx.name()).await?;
    ///     next.run().await
    /// }
    /// # const GREET: TaskRef<String> = TaskRef::new("greet");
    /// # async fn greet(_: String, _: TaskContext) -> Result<(), TaskError> { Ok(()) }
    /// # fn function() -> impl Function {
    /// task(GREET, greet).middleware(locked)
    /// # }
    /// # dacapo::Definition::of(function()).describe("greet").unwrap();
    /// ```
    pub fn middleware<W>(mut self, hook: impl Fn(Next, HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<Handled, TaskError>> + Send + 'static,
    {
        self.hooks.middleware.push(layer(hook));
        self
    }

    /// Runs before the handler in the first attempt of a run. If it fails, that is logged with the run and ignored.
    pub fn on_start<W>(mut self, hook: impl Fn(HookContext<V>) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.hooks.on_start.own = Some(alone(hook));
        self
    }

    /// Decides what becomes of an attempt that failed: by an error of `init` or of the handler, by a panic, or by its
    /// timeout; after the latter two it has up to 5 s, and [`init`](HookContext::init) may be gone. A crash never reaches it,
    /// nor does an input that doesn't parse. If it fails itself, the attempt fails with
    /// both errors, code `HANDLE_ERROR_ERROR`, and is tried again as the first one says.
    pub fn handle_error<W>(mut self, hook: impl Fn(TaskError, HookContext<V>) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<OnError, TaskError>> + Send + 'static,
    {
        self.hooks.handle_error.own = Some(with(hook));
        self
    }

    /// Runs after each attempt, before its outcome is stored, also after a panic or a timeout; not after a crash. If it fails, the attempt fails with `CLEANUP_ERROR`.
    pub fn cleanup<W>(mut self, hook: impl Fn(HookContext<V>) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.hooks.cleanup.own = Some(alone(hook));
        self
    }
}

/// Hooks after the end of a run, once its final state is stored: at least once, nearly always once. If one fails,
/// that is logged with the run and ignored.
impl<I, O, V, N> Task<I, O, V, N> {
    /// Runs after a run is completed, with its result. A result that was left out of the history, as too large or
    /// because it can't be serialized, can't be given any more: that is logged in the hook's stead.
    pub fn on_success<W>(mut self, hook: impl Fn(O, HookContext<V>) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.hooks.on_success.own = Some(with(hook));
        self
    }

    /// Runs after a run has failed, also by a crash, a timeout, or a body that did not parse.
    pub fn on_failure<W>(mut self, hook: impl Fn(RecordedError, HookContext<V>) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.hooks.on_failure.own = Some(with(hook));
        self
    }

    /// Runs after a run is aborted, with the message of who asked for it; an empty one, where the handler did.
    pub fn on_abort<W>(mut self, hook: impl Fn(String, HookContext<V>) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.hooks.on_abort.own = Some(with(hook));
        self
    }

    /// Runs after a run has failed because it said `continue` once too often, before `on_failure`.
    pub fn on_max_iterations<W>(mut self, hook: impl Fn(HookContext<V>) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.hooks.on_max_iterations.own = Some(alone(hook));
        self
    }

    /// Runs last, after every end of a run, with its record.
    pub fn on_complete<W>(mut self, hook: impl Fn(RunView, HookContext<V>) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.hooks.on_complete.own = Some(with(hook));
        self
    }
}
