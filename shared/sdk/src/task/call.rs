//! One attempt, from JSON to JSON.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use dacapo_core::{
    attempt::{TaskAttempt, panic_text},
    function::{EndHook, ErasedTask},
};
use dacapo_domain::{AttemptError, AttemptOutcome, Json, RunView, TaskEntry, UnreadableJson, code};
use futures::FutureExt;

use super::{Task, end, options};
use crate::{HookContext, RunContext, TaskContext, TaskError, hooks::InitOf, outcome::Outcome, payload::Mismatch};

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
            schedules: options::schedules(self),
        });
        entry.clone()
    }

    async fn call(&self, input: Json, attempt: Arc<TaskAttempt>) -> AttemptOutcome {
        let run = RunContext::new(attempt);
        let input = match self.reference.input.decode(&input) {
            Ok(input) => input,
            Err(error) => return AttemptOutcome::Failed(mismatch(&run, self.reference.name(), &error)),
        };
        let value = match self.init.make(HookContext::new(run.of_hook("init"), None)).await {
            Ok(value) => value,
            Err(error) => {
                let cx = HookContext::new(run, None);
                return self.close(Err(self.handled(error, Some(code::INIT_ERROR), &cx).await), cx).await;
            }
        };
        if self.hooks.run_apart() {
            self.init_values.keep(run.run_id(), &value);
        }
        let cx = HookContext::new(run.clone(), Some(Arc::clone(&value)));
        if run.iteration() == 1 && run.attempt() == 1 {
            self.started(&cx).await;
        }
        let outcome = match (self.handler)(input, TaskContext::new(run, value)).await {
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(self.handled(error, None, &cx).await),
        };
        self.close(outcome, cx).await
    }

    async fn handle_failure(&self, error: AttemptError, attempt: Arc<TaskAttempt>) -> AttemptError {
        let cx = self.hook_context(attempt);
        let error = match &self.hooks.handle_error {
            Some(_) => self.handled(TaskError::of_recorded(error), None, &cx).await,
            None => error,
        };
        let cleaned = self.clean_up(&cx).await;
        cleaned.map_or_else(|second| with_failed_cleanup(error.clone(), &second), |()| error.clone())
    }

    fn end_hooks(&self, run: &RunView) -> Vec<EndHook> {
        end::hooks_of(&self.hooks, run)
    }

    async fn run_end_hook(&self, hook: EndHook, attempt: Arc<TaskAttempt>, run: RunView) {
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

    async fn started(&self, cx: &HookContext<V>) {
        let Some(hook) = &self.hooks.on_start else { return };
        if let Err(error) = contained(async { hook((), cx.of("on_start")).await }).await {
            end::log("on_start", error, cx).await;
        }
    }

    async fn clean_up(&self, cx: &HookContext<V>) -> Result<(), TaskError> {
        match &self.hooks.cleanup {
            Some(hook) if cx.begins("cleanup") => contained(async { hook((), cx.of("cleanup")).await }).await,
            _ => Ok(()),
        }
    }

    /// The failure of an attempt that ended in an error, as `handle_error` wants it.
    async fn handled(&self, error: TaskError, code: Option<&str>, cx: &HookContext<V>) -> AttemptError {
        let error = match code {
            Some(code) => error.code(code),
            None => error,
        };
        let hook = self.hooks.handle_error.as_ref().filter(|_| cx.begins("handle_error"));
        let Some(hook) = hook else { return cx.attempt_error(error) };
        match contained(async { hook(error.clone(), cx.of("handle_error")).await }).await {
            Ok(decision) => cx.attempt_error(decision.apply(error)),
            Err(second) => both(cx.attempt_error(error), &second),
        }
    }

    /// The JSON of another iteration's input, which must be an input again.
    fn stored_input(&self, input: &I) -> Result<Json, AttemptError> {
        let codec = self.reference.input;
        let failed = |cause: String| AttemptError::terminal(code::ERROR, format!("the input of `continue` {cause}"));
        let json = codec.encode(input).map_err(|error| failed(format!("can't be serialized: {error}")))?;
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
        let outcome = match (outcome, self.clean_up(&cx).await) {
            (Ok(outcome), Ok(())) => outcome,
            (Ok(_), Err(error)) => return AttemptOutcome::Failed(cx.attempt_error(error.code(code::CLEANUP_ERROR))),
            (Err(failed), Ok(())) => return AttemptOutcome::Failed(failed),
            (Err(failed), Err(error)) => return AttemptOutcome::Failed(with_failed_cleanup(failed, &error)),
        };
        match outcome {
            Outcome::Done { value, message } => AttemptOutcome::Done { result: self.kept_result(&value), message },
            Outcome::Continue { input, wait } => match self.stored_input(&input) {
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

/// What a hook comes to: a panic is a failure of its own, and not the handler's.
async fn contained<R>(hook: impl Future<Output = Result<R, TaskError>>) -> Result<R, TaskError> {
    let caught = AssertUnwindSafe(hook).catch_unwind().await;
    caught.unwrap_or_else(|panic| Err(TaskError::from(format!("it panicked: {}", panic_text(&*panic)))))
}

/// The first input is the body, which never changes. A later one was written by this task, perhaps by another
/// version of it: a deploy may mend it.
fn mismatch(run: &RunContext, task: &str, error: &Mismatch) -> AttemptError {
    let (place, cause) = (error.path(), error.inner());
    if run.iteration() == 1 {
        let message = format!("the body is no input of task {task:?}: at {place}: {cause}");
        return AttemptError::terminal(code::BODY_MISMATCH, message);
    }
    let message = format!("the input that `continue` gave is no input of task {task:?} any more: at {place}: {cause}");
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
