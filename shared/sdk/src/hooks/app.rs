use std::sync::Arc;

use dacapo_domain::{Json, RecordedError, RunView};

use super::{
    Chain, Handled, Hook, Next, OnError, TaskHooks,
    boxed::{alone, layer, with},
};
use crate::{HookContext, TaskError};

/// Hooks of a whole app, around every task of it: they are declared once, in the crate that the app's functions share,
/// and each function is served within them.
///
/// Each runs before the task's own hook of its kind; middleware of the app is outside the task's. They know no task's
/// types: results are JSON, and there is no [`init`](HookContext::init) value. Handlers of events have no hooks.
///
/// # Example: every failure is counted
///
/// ```
/// use dacapo::prelude::*;
///
/// // shared/app/src/lib.rs
/// pub fn hooks() -> Hooks {
///     Hooks::new().middleware(timed).on_failure(async |failure, cx| {
///         eprintln!("{} {} failed: {}", cx.target(), cx.run_id(), failure.message);
///         Ok(())
///     })
/// }
///
/// async fn timed(next: Next, cx: HookContext) -> Result<Handled, TaskError> {
///     let handled = next.run().await?;
///     println!("{} took {:?}", cx.target(), dacapo::Timestamp::now().duration_since(cx.time()));
///     Ok(handled)
/// }
///
/// # const GREET: TaskRef<String> = TaskRef::new("greet");
/// # fn function() -> impl Function { task(GREET, async |_: String, _: TaskContext| Ok::<(), TaskError>(())) }
/// // functions/greet/src/main.rs: dacapo_serve::serve(app::hooks().around(greet::function()))
/// let served = hooks().around(function());
/// # dacapo::Definition::of(served).describe("greet").unwrap();
/// ```
#[must_use = "hooks are in force around the functions that are served within them"]
pub struct Hooks(TaskHooks<Option<Json>, ()>);

impl Hooks {
    /// No hooks.
    pub const fn new() -> Self {
        Self(TaskHooks::none())
    }

    /// Runs around `init`, `on_start` and the handler of each attempt. The first one is outermost.
    pub fn middleware<W>(mut self, hook: impl Fn(Next, HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<Handled, TaskError>> + Send + 'static,
    {
        self.0.middleware.push(layer(hook));
        self
    }

    /// Runs before the handler in the first attempt of a run.
    pub fn on_start<W>(mut self, hook: impl Fn(HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.0.on_start.own = Some(alone(hook));
        self
    }

    /// Decides what becomes of an attempt that failed; the task's own hook gets the error as this one leaves it.
    pub fn handle_error<W>(mut self, hook: impl Fn(TaskError, HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<OnError, TaskError>> + Send + 'static,
    {
        self.0.handle_error.own = Some(with(hook));
        self
    }

    /// Runs after each attempt, before its outcome is stored.
    pub fn cleanup<W>(mut self, hook: impl Fn(HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.0.cleanup.own = Some(alone(hook));
        self
    }

    /// Runs after a run is completed, with its result: none where that was left out of the history.
    pub fn on_success<W>(mut self, hook: impl Fn(Option<Json>, HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.0.on_success.own = Some(with(hook));
        self
    }

    /// Runs after a run has failed.
    pub fn on_failure<W>(mut self, hook: impl Fn(RecordedError, HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.0.on_failure.own = Some(with(hook));
        self
    }

    /// Runs after a run is aborted, with the message of who asked for it.
    pub fn on_abort<W>(mut self, hook: impl Fn(String, HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.0.on_abort.own = Some(with(hook));
        self
    }

    /// Runs after a run has failed because it said `continue` once too often, before `on_failure`.
    pub fn on_max_iterations<W>(mut self, hook: impl Fn(HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.0.on_max_iterations.own = Some(alone(hook));
        self
    }

    /// Runs after every end of a run, with its record.
    pub fn on_complete<W>(mut self, hook: impl Fn(RunView, HookContext) -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.0.on_complete.own = Some(with(hook));
        self
    }
}

impl Default for Hooks {
    fn default() -> Self {
        Self::new()
    }
}

impl<O, V: 'static> TaskHooks<O, V> {
    /// Puts the app's hooks before what there is.
    pub fn within(&mut self, Hooks(app): &Hooks) {
        self.app_middleware.splice(0..0, app.middleware.iter().cloned());
        outermost(&mut self.on_start, &app.on_start);
        outermost(&mut self.handle_error, &app.handle_error);
        outermost(&mut self.cleanup, &app.cleanup);
        outermost(&mut self.on_success, &app.on_success);
        outermost(&mut self.on_failure, &app.on_failure);
        outermost(&mut self.on_abort, &app.on_abort);
        outermost(&mut self.on_max_iterations, &app.on_max_iterations);
        outermost(&mut self.on_complete, &app.on_complete);
    }
}

fn outermost<H, V: 'static, A: 'static, R: 'static, X>(
    chain: &mut Chain<H, Hook<V, A, R>>,
    app: &Chain<Hook<(), A, R>, X>,
) {
    if let Some(hook) = app.own.clone() {
        let hook: Hook<V, A, R> = Arc::new(move |argument, cx: HookContext<V>| hook(argument, cx.without_init()));
        chain.app.insert(0, hook);
    }
}
