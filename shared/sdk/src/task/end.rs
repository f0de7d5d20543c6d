//! The hooks after the end of a run.

use dacapo_core::function::EndHook;
use dacapo_domain::{RecordedError, RunView, State, code};

use crate::{
    HookContext, TaskError, TaskRef,
    hooks::{Hook, Hooks},
};

/// The hooks of this end that there are, in their order.
pub(super) fn hooks_of<O, V>(hooks: &Hooks<O, V>, run: &RunView) -> Vec<EndHook> {
    let is_max_iterations = run.error_code.as_deref() == Some(code::MAX_ITERATIONS);
    let of_state = match run.state {
        State::Completed => vec![EndHook::Success],
        State::Failed if is_max_iterations => vec![EndHook::MaxIterations, EndHook::Failure],
        State::Failed => vec![EndHook::Failure],
        State::Aborted => vec![EndHook::Abort],
        _ => vec![],
    };
    let is_there = |hook: &EndHook| match hook {
        EndHook::Success => hooks.on_success.is_some(),
        EndHook::MaxIterations => hooks.on_max_iterations.is_some(),
        EndHook::Failure => hooks.on_failure.is_some(),
        EndHook::Abort => hooks.on_abort.is_some(),
        EndHook::Complete => hooks.on_complete.is_some(),
    };
    of_state.into_iter().chain([EndHook::Complete]).filter(is_there).collect()
}

/// Runs one of them. What fails is logged with the run.
pub(super) async fn run_hook<I, O, V>(
    reference: TaskRef<I, O>,
    hooks: &Hooks<O, V>,
    hook: EndHook,
    view: RunView,
    cx: &HookContext<V>,
) {
    let ran = match hook {
        EndHook::Success => match result(reference, &view) {
            Ok(result) => call(hook, hooks.on_success.as_ref(), result, cx).await,
            Err(error) => Err(error),
        },
        EndHook::MaxIterations => call(hook, hooks.on_max_iterations.as_ref(), (), cx).await,
        EndHook::Failure => call(hook, hooks.on_failure.as_ref(), recorded_error(&view), cx).await,
        EndHook::Abort => call(hook, hooks.on_abort.as_ref(), view.message.unwrap_or_default(), cx).await,
        EndHook::Complete => call(hook, hooks.on_complete.as_ref(), view, cx).await,
    };
    if let Err(error) = ran {
        log(hook.name(), error, cx).await;
    }
}

async fn call<V, A>(
    name: EndHook,
    hook: Option<&Hook<V, A>>,
    argument: A,
    cx: &HookContext<V>,
) -> Result<(), TaskError> {
    match hook {
        Some(hook) => hook(argument, cx.of(name.name())).await,
        None => Ok(()),
    }
}

/// The result as its type; one that was left out of the history can't be given any more.
fn result<I, O>(reference: TaskRef<I, O>, view: &RunView) -> Result<O, TaskError> {
    match &view.result {
        Some(result) => reference.output.decode(result).map_err(TaskError::from),
        None => Err(view.result_left_out.clone().unwrap_or_else(|| "there is no result".to_owned()).into()),
    }
}

/// Keeps the error of a hook with the run; where even that fails, in the process's own log.
pub(super) async fn log<V>(name: &str, error: TaskError, cx: &HookContext<V>) {
    let message = error.to_string();
    if let Err(lost) = cx.log_error(format!("the hook `{name}` failed"), (), error).await {
        tracing::error!(run = %cx.run_id(), hook = name, error = message, %lost, "a hook failed, and so did its log");
    }
}

fn recorded_error(view: &RunView) -> RecordedError {
    RecordedError {
        code: view.error_code.clone().unwrap_or_else(|| code::ERROR.to_owned()),
        message: view.error_message.clone().unwrap_or_default(),
        stack: view.error_stack.clone(),
    }
}
