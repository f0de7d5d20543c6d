//! One attempt, from JSON to JSON.

use std::sync::Arc;

use async_trait::async_trait;
use dacapo_domain::{Failed, Json, Outcome as Ended, RunRecord, TaskEntry, code};

use super::{Task, end, policy};
use crate::{
    HookContext, RunContext, TaskContext, TaskError, codec::Mismatch, definition::ErasedTask, hooks::InitOf,
    outcome::Outcome, runner::Attempt, task_error::add_line,
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
            schedules: policy::schedules(self).filter_map(Result::ok).collect(),
        });
        entry.clone()
    }

    async fn call(&self, input: Json, attempt: Arc<Attempt>) -> Ended {
        let run = RunContext::new(attempt);
        let input = match self.reference.input.decode(&input) {
            Ok(input) => input,
            Err(error) => return Ended::Failed(mismatch(&run, self.reference.name(), &error)),
        };
        let value = match self.init.make(HookContext::new(run.of_hook("init"), None)).await {
            Ok(value) => value,
            Err(error) => {
                let cx = HookContext::new(run, None);
                return self.close(Err(self.handled(error, Some(code::INIT_ERROR), &cx).await), cx).await;
            }
        };
        if self.policy.has_end_hooks {
            self.kept.keep(run.run_id(), &value);
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

    async fn end(&self, attempt: Arc<Attempt>, record: RunRecord) {
        let run = RunContext::new(attempt);
        let value = self.kept.take(run.run_id());
        end::run_hooks(self.reference, &self.hooks, record, HookContext::new(run, value)).await;
    }
}

impl<I, O, V, N> Task<I, O, V, N>
where
    I: Send + Sync + 'static,
    O: Send + 'static,
    V: Send + Sync + 'static,
    N: InitOf<V>,
{
    async fn started(&self, cx: &HookContext<V>) {
        if let Some(hook) = &self.hooks.on_start
            && let Err(error) = hook((), cx.of("on_start")).await
        {
            end::log("on_start", error, cx).await;
        }
    }

    /// The failure of an attempt that ended in an error, as `handle_error` wants it.
    async fn handled(&self, error: TaskError, code: Option<&str>, cx: &HookContext<V>) -> Failed {
        let error = match code {
            Some(code) => error.code(code),
            None => error,
        };
        let Some(hook) = &self.hooks.handle_error else { return cx.failed(error) };
        match hook(error.clone(), cx.of("handle_error")).await {
            Ok(decision) => cx.failed(decision.apply(error)),
            Err(second) => both(cx.failed(error), &second),
        }
    }

    /// Cleans up, and puts the outcome as the runner wants it.
    async fn close(&self, outcome: Result<Outcome<I, O>, Failed>, cx: HookContext<V>) -> Ended {
        let cleaned = match &self.hooks.cleanup {
            Some(hook) => hook((), cx.of("cleanup")).await,
            None => Ok(()),
        };
        let outcome = match (outcome, cleaned) {
            (Ok(outcome), Ok(())) => outcome,
            (Ok(_), Err(error)) => return Ended::Failed(cx.failed(error.code(code::CLEANUP_ERROR))),
            (Err(failed), Ok(())) => return Ended::Failed(failed),
            (Err(mut failed), Err(error)) => {
                add_line(&mut failed.failure, format!("then `cleanup` failed: {error}"));
                return Ended::Failed(failed);
            }
        };
        match outcome {
            Outcome::Done { value, message } => {
                let result = self.reference.output.encode(&value).map_err(|error| error.to_string());
                Ended::Done { result, message }
            }
            Outcome::Continue { input, wait } => match self.reference.input.encode(&input) {
                Ok(input) => Ended::Continue { input, wait },
                Err(error) => {
                    let message = format!("the input of `continue` can't be serialized: {error}");
                    Ended::Failed(Failed::terminal(code::ERROR, message))
                }
            },
            Outcome::Aborted => Ended::Aborted,
        }
    }
}

/// The first input is the body, which never changes. A later one was written by this task, perhaps by another
/// version of it: a deploy may mend it.
fn mismatch(run: &RunContext, task: &str, error: &Mismatch) -> Failed {
    let (place, cause) = (error.path(), error.inner());
    if run.iteration() == 1 {
        let message = format!("the body is no input of task {task:?}: at {place}: {cause}");
        return Failed::terminal(code::BODY_MISMATCH, message);
    }
    let message = format!("the input that `continue` gave is no input of task {task:?} any more: at {place}: {cause}");
    Failed::retryable(code::INPUT_MISMATCH, message)
}

/// The failure of an attempt whose `handle_error` failed too: it is tried again as the first error says.
fn both(first: Failed, second: &TaskError) -> Failed {
    let Failed { failure: first, retry } = first;
    let mut failure = second.failure();
    failure.code = code::HANDLE_ERROR_ERROR.to_owned();
    failure.message = format!("`handle_error` failed: {} (after: {})", failure.message, first.message);
    add_line(&mut failure, format!("after {}: {}", first.code, first.message));
    if let Some(stack) = &first.stack {
        add_line(&mut failure, stack);
    }
    Failed { failure, retry }
}
