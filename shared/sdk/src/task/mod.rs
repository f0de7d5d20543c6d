//! A task: its handler, and everything it says about itself.

mod call;
mod end;
mod options;
mod shape;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use dacapo_core::function::Handlers;
use dacapo_domain::{Policy, Requirements, Schedule, TaskEntry};
use futures::future::BoxFuture;

pub use options::{Machine, Memory, Pause, WhenExhausted};
pub use shape::{Per, per};

use shape::LimitKey;

use crate::{
    TaskContext, TaskError, TaskRef,
    definition::{Definition, Function},
    handler::{IsAsync, IsResult},
    hooks::{Hooks, InitOf, InitValueCache, NoInit, TaskHooks, WithInit},
    outcome::{IntoOutcome, Outcome},
};

type Handler<I, O, V> =
    Box<dyn Fn(I, TaskContext<V>) -> BoxFuture<'static, Result<Outcome<I, O>, TaskError>> + Send + Sync>;

/// A task: a named async function, and everything it says about itself.
///
/// Made by [`task()`]; all options have defaults, and none is checked before the function is described or served,
/// so that all that is wrong is said at once.
#[must_use = "a task is part of an app where its crate's `function()` returns it"]
pub struct Task<I, O = (), V = (), N = NoInit> {
    reference: TaskRef<I, O>,
    handler: Handler<I, O, V>,
    init: N,
    pub(crate) hooks: TaskHooks<O, V>,
    init_values: InitValueCache<V>,
    policy: Policy,
    /// The key of a body, where attempts are limited by key.
    limit_key: Option<LimitKey<I>>,
    /// As it was given; else it follows from the timeout.
    max_timeout: Option<Duration>,
    memory: Memory,
    pub(crate) requires: Requirements,
    private: bool,
    may_continue: bool,
    schedules: Vec<(Schedule, I)>,
    /// The manifest's entry of it, once it was asked for: its options don't change any more.
    entry: OnceLock<TaskEntry>,
}

/// A task of this name, handled by this `async fn`.
///
/// The handler gets the input and a [`TaskContext`]; it returns `Result<O, TaskError>`, or
/// `Result<Outcome<I, O>, TaskError>` if it continues or aborts.
///
/// # Example: a task with options
///
/// ```
/// use dacapo::prelude::*;
///
/// const SEND_WELCOME: TaskRef<String> = TaskRef::new("send-welcome");
///
/// pub fn function() -> impl Function {
///     task(SEND_WELCOME, send_welcome).timeout(minutes(1)).retry(Retry::attempts(5))
/// }
///
/// async fn send_welcome(email: String, cx: TaskContext) -> Result<(), TaskError> {
///     cx.log_info("welcome", email).await?;
///     Ok(())
/// }
/// ```
pub fn task<I, O, V, F, W, R>(task: TaskRef<I, O>, handler: F) -> Task<I, O, V>
where
    F: Fn(I, TaskContext<V>) -> W + Send + Sync + 'static,
    W: IsAsync<Output = R> + Send + 'static,
    R: IsResult<Value: IntoOutcome<I, O>>,
{
    Task {
        reference: task,
        handler: Box::new(move |input, cx| {
            let answer = handler(input, cx);
            Box::pin(async { answer.await.into_result().map(IntoOutcome::into_outcome) })
        }),
        init: NoInit,
        hooks: TaskHooks::none(),
        init_values: InitValueCache::new(),
        policy: Policy::default(),
        limit_key: None,
        max_timeout: None,
        memory: Memory::DEFAULT,
        requires: Requirements::default(),
        private: false,
        may_continue: <R::Value as IntoOutcome<I, O>>::MAY_CONTINUE,
        schedules: vec![],
        entry: OnceLock::new(),
    }
}

impl<I, O, V> Task<I, O, V, NoInit> {
    pub(crate) fn with_init(self, init: WithInit<V>) -> Task<I, O, V, WithInit<V>> {
        Task {
            reference: self.reference,
            handler: self.handler,
            init,
            hooks: self.hooks,
            init_values: self.init_values,
            policy: self.policy,
            limit_key: self.limit_key,
            max_timeout: self.max_timeout,
            memory: self.memory,
            requires: self.requires,
            private: self.private,
            may_continue: self.may_continue,
            schedules: self.schedules,
            entry: self.entry,
        }
    }
}

impl<I, O, V, N> Function for Task<I, O, V, N>
where
    I: Send + Sync + 'static,
    O: Send + 'static,
    V: Send + Sync + 'static,
    N: InitOf<V>,
{
    fn define(mut self) -> Definition {
        self.policy.has_end_hooks = self.hooks.follow_the_end();
        self.policy.max_timeout = self.max_timeout.unwrap_or(self.policy.max_timeout.max(self.policy.timeout));
        let problems = options::problems(&self);
        let (memory_mb, requires) = (self.memory.mb(), self.requires.clone());
        Definition { memory_mb, requires, handlers: Handlers::Task(Arc::new(self)), problems }
    }

    fn within(mut self, hooks: &Hooks) -> Self {
        self.hooks.within(hooks);
        self
    }
}
