//! One attempt, from JSON to JSON.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use dacapo_core::{
    attempt::{TaskAttempt, panic_text},
    function::ErasedTask,
    hook::{HookKind, HookName},
};
use dacapo_domain::{AttemptError, AttemptOutcome, Json, RunView, TaskEntry, UnreadableJson, code};
use futures::FutureExt;

use super::{Task, end, options};
use crate::{
    HookContext, RunContext, TaskContext, TaskError,
    hooks::{Handled, InitOf, Made, Next},
    outcome::Outcome,
    payload::Mismatch,
};

#[async_trait]
impl<I, O, V, N> ErasedTask for Task<I, O, V, N>
where
    I: Send + Sync + 'static,
    O: Send + 'static,
    V: Send + Sync + 'static,
    N: InitOf<V>,
{
    fn entry(&self) -> TaskEntry {
        let entry = self.entry.get_or_init(|| TaskEntry {
            name: self.reference.name().to_owned(),
            policy: self.policy.clone(),
            private: self.private,
            may_continue: self.may_continue,
            schedules: options::schedules(self),
        });
        entry.clone()
    }

    fn limit_key(&self, body: &Json) -> Option<String> {
        // What panics here does so again in the attempt, which it fails.
        let key = || self.limit_key.as_ref()?.of(&self.reference.input.decode(body).ok()?).ok();
        std::panic::catch_unwind(AssertUnwindSafe(key)).ok().flatten()
    }

    async fn call(self: Arc<Self>, input: Json, attempt: Arc<TaskAttempt>) -> AttemptOutcome {
        let run = RunContext::new(attempt);
        let input = match self.reference.input.decode(&input) {
            Ok(decoded) => decoded,
            Err(error) => {
                let is_body = run.is_body(&input);
                return AttemptOutcome::Failed(mismatch(is_body, self.reference.name(), &error));
            }
        };
        if let Some(error) =
            self.limit_key.as_ref().filter(|_| run.iteration() == 1).and_then(|key| key.of(&input).err())
        {
            return AttemptOutcome::Failed(AttemptError::terminal(code::ERROR, error));
        }
        let made = Arc::new(Made::nothing());
        let handled = self.through_middleware(input, &run, &made).await;
        let cx = HookContext::new(run, made.value.get().cloned());
        let outcome = match handled.and_then(|_| made.outcome()) {
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(self.handled(error, &cx).await),
        };
        self.close(outcome, cx).await
    }

    async fn handle_failure(&self, error: AttemptError, attempt: Arc<TaskAttempt>) -> AttemptError {
        let cx = self.hook_context(attempt);
        let error = match self.hooks.handle_error.is_empty() {
            false => self.handled(TaskError::of_recorded(error), &cx).await,
            true => error,
        };
        self.clean_up(&cx).await.iter().fold(error, with_failed_cleanup)
    }

    fn end_hooks(&self, run: &RunView) -> Vec<HookName> {
        end::hooks_of(&self.hooks, run)
    }

    async fn run_end_hook(&self, hook: HookName, attempt: Arc<TaskAttempt>, run: RunView) {
        end::run_hook(self.reference, &self.hooks, hook, run, &self.hook_context(attempt)).await;
    }
}

impl<I, O, V, N> Task<I, O, V, N>
where
    I: Send + Sync + 'static,
    O: Send + 'static,
    V: Send + Sync + 'static,
    N: InitOf<V>,
{
    /// The context of a hook that runs apart from its attempt: with what `init` made, where this process made it.
    fn hook_context(&self, attempt: Arc<TaskAttempt>) -> HookContext<V> {
        let run = RunContext::new(attempt);
        let value = self.init_values.get(run.run_id());
        HookContext::new(run, value)
    }

    /// Runs the attempt through the middleware of the app, then of the task.
    async fn through_middleware(
        self: &Arc<Self>,
        input: I,
        run: &RunContext,
        made: &Arc<Made<I, O, V>>,
    ) -> Result<Handled, TaskError> {
        let (task, inner, kept) = (Arc::clone(self), run.clone(), Arc::clone(made));
        let handler = Next::new(move || Box::pin(async move { task.handle(input, inner, &kept).await }));
        let layers = [(true, &self.hooks.app_middleware), (false, &self.hooks.middleware)];
        let layers = layers.into_iter().flat_map(|(of_app, layers)| {
            layers
                .iter()
                .enumerate()
                .map(move |(place, layer)| (HookName { kind: HookKind::Middleware, of_app, place }, layer))
        });
        let layers: Vec<_> = layers.collect();
        let next = layers.into_iter().rev().fold(handler, |next, (name, layer)| {
            next.behind(Arc::clone(layer), HookContext::new(run.of_hook(name), None))
        });
        next.run().await
    }

    /// Runs `init`, `on_start` and the handler.
    async fn handle(&self, input: I, run: RunContext, made: &Made<I, O, V>) -> Result<Handled, TaskError> {
        let init = self.init.make(HookContext::new(run.of_hook(HookKind::Init.of_task()), None)).await;
        let value = init.map_err(|error| error.code(code::INIT_ERROR))?;
        if self.hooks.run_apart() {
            self.init_values.keep(run.run_id(), &value);
        }
        let value = made.value.get_or_init(|| value);
        if run.iteration() == 1 && run.attempt() == 1 {
            self.started(&HookContext::new(run.clone(), Some(Arc::clone(value)))).await;
        }
        let outcome = (self.handler)(input, TaskContext::new(run, Arc::clone(value))).await?;
        Ok(made.keep(outcome))
    }

    async fn started(&self, cx: &HookContext<V>) {
        for (name, hook) in self.hooks.on_start.named(HookKind::OnStart) {
            if let Err(error) = contained(async { hook((), cx.of(name)).await }).await {
                end::log(name, error, cx).await;
            }
        }
    }

    /// Cleans up, and gives what failed.
    async fn clean_up(&self, cx: &HookContext<V>) -> Vec<TaskError> {
        let mut failed = vec![];
        for (name, hook) in self.hooks.cleanup.named(HookKind::Cleanup).filter(|(name, _)| cx.begins(*name)) {
            failed.extend(contained(async { hook((), cx.of(name)).await }).await.err());
        }
        failed
    }

    /// The failure of an attempt that ended in an error, as `handle_error` wants it: the task's own hook gets what the
    /// app's leaves.
    async fn handled(&self, mut error: TaskError, cx: &HookContext<V>) -> AttemptError {
        let mut failed = vec![];
        for (name, hook) in self.hooks.handle_error.named(HookKind::HandleError).filter(|(name, _)| cx.begins(*name)) {
            match contained(async { hook(error.clone(), cx.of(name)).await }).await {
                Ok(decision) => error = decision.apply(error),
                Err(second) => failed.push(second),
            }
        }
        failed.iter().fold(cx.attempt_error(error), both)
    }

    /// The JSON of another iteration's input, which must be an input again: the one that is stored, where none is given.
    async fn next_input(&self, input: Option<&I>, cx: &HookContext<V>) -> Result<Json, AttemptError> {
        let codec = self.reference.input;
        let failed = |cause: String| AttemptError::terminal(code::ERROR, format!("the input of `continue` {cause}"));
        let json = match input {
            Some(input) => codec.encode(input).map_err(|error| failed(format!("can't be serialized: {error}")))?,
            None => cx.stored_input().await.map_err(|error| cx.attempt_error(error.into()))?,
        };
        json.check().map_err(|error| failed(format!("can't be used: {error}")))?;
        match codec.decode(&json) {
            Ok(_) => Ok(json),
            Err(error) => Err(failed(format!("can't be read back: at {}: {}", error.path(), error.inner()))),
        }
    }

    /// The result as its readers take it, or why it is left out. What is nested deeper than a body may be is kept: most
    /// readers take it.
    fn kept_result(&self, value: &O) -> Result<Json, String> {
        let json = self.reference.output.encode(value).map_err(|error| error.to_string())?;
        match json.check() {
            Err(error @ UnreadableJson::NoValue(_)) => Err(error.to_string()),
            Ok(()) | Err(_) => Ok(json),
        }
    }

    /// Cleans up, and puts the outcome as the runner wants it.
    async fn close(&self, outcome: Result<Outcome<I, O>, AttemptError>, cx: HookContext<V>) -> AttemptOutcome {
        let mut cleanup = self.clean_up(&cx).await.into_iter();
        let outcome = match outcome {
            Ok(outcome) => match cleanup.next() {
                None => outcome,
                Some(first) => {
                    let first = cx.attempt_error(first.code(code::CLEANUP_ERROR));
                    return AttemptOutcome::Failed(cleanup.as_slice().iter().fold(first, with_failed_cleanup));
                }
            },
            Err(failed) => return AttemptOutcome::Failed(cleanup.as_slice().iter().fold(failed, with_failed_cleanup)),
        };
        match outcome {
            Outcome::Done { value, message } => AttemptOutcome::Done { result: self.kept_result(&value), message },
            Outcome::Continue { input, wait } => match self.next_input(input.as_ref(), &cx).await {
                Ok(input) => AttemptOutcome::Continue { input, wait },
                Err(error) => AttemptOutcome::Failed(error),
            },
            Outcome::Aborted => AttemptOutcome::Aborted,
        }
    }
}

fn with_failed_cleanup(mut failed: AttemptError, error: &TaskError) -> AttemptError {
    failed.error.add_line(format!("then `cleanup` failed: {error}"));
    failed
}

/// The outcome of a hook: a panic is a failure of its own, and not the handler's.
async fn contained<R>(hook: impl Future<Output = Result<R, TaskError>>) -> Result<R, TaskError> {
    let caught = AssertUnwindSafe(hook).catch_unwind().await;
    caught.unwrap_or_else(|panic| Err(TaskError::from(format!("it panicked: {}", panic_text(&*panic)))))
}

/// The first input is the body, which never changes. A later one was written by this task, perhaps by another
/// version of it: a deploy may mend it.
fn mismatch(is_body: bool, task: &str, error: &Mismatch) -> AttemptError {
    let (place, cause) = (error.path(), error.inner());
    if is_body {
        let message = format!("the body is no input of task {task:?}: at {place}: {cause}");
        return AttemptError::terminal(code::BODY_MISMATCH, message);
    }
    let message = format!("the stored input is no input of task {task:?} any more: at {place}: {cause}");
    AttemptError::retryable(code::INPUT_MISMATCH, message)
}

/// The failure of an attempt whose `handle_error` failed too: it is tried again as the first error says.
fn both(first: AttemptError, second: &TaskError) -> AttemptError {
    let AttemptError { error: first, retry } = first;
    let mut error = second.recorded();
    error.code = code::HANDLE_ERROR_ERROR.to_owned();
    error.message = format!("`handle_error` failed: {} (after: {})", error.message, first.message);
    error.add_line(format!("after {}: {}", first.code, first.message));
    if let Some(stack) = &first.stack {
        error.add_line(stack);
    }
    AttemptError { error, retry }
}
