//! The hooks after the end of a run.

use dacapo_core::hook::{HookKind, HookName};
use dacapo_domain::{RecordedError, RunView, State, code};

use crate::{
    HookContext, TaskError, TaskRef,
    hooks::{Hook, TaskHooks},
};

/// The hooks of this end that there are, in their order.
pub(super) fn hooks_of<O, V>(hooks: &TaskHooks<O, V>, run: &RunView) -> Vec<HookName> {
    let is_max_iterations = run.error_code.as_deref() == Some(code::MAX_ITERATIONS);
    let of_state = match run.state {
        State::Completed => vec![HookKind::OnSuccess],
        State::Failed if is_max_iterations => vec![HookKind::OnMaxIterations, HookKind::OnFailure],
        State::Failed => vec![HookKind::OnFailure],
        State::Aborted => vec![HookKind::OnAbort],
        _ => vec![],
    };
    of_state.into_iter().chain([HookKind::OnComplete]).flat_map(|kind| hooks.names(kind)).collect()
}

/// Runs one of them. What fails is logged with the run.
pub(super) async fn run_hook<I, O, V>(
    reference: TaskRef<I, O>,
    hooks: &TaskHooks<O, V>,
    name: HookName,
    view: RunView,
    cx: &HookContext<V>,
) {
    let hook_cx = cx.of(name);
    let ran = match name.kind {
        HookKind::OnSuccess if name.of_app => call(hooks.on_success.app.get(name.place), view.result, hook_cx).await,
        HookKind::OnSuccess => match result(reference, &view) {
            Ok(result) => call(hooks.on_success.own.as_ref(), result, hook_cx).await,
            Err(error) => Err(error),
        },
        HookKind::OnMaxIterations => call(hooks.on_max_iterations.get(name), (), hook_cx).await,
        HookKind::OnFailure => call(hooks.on_failure.get(name), recorded_error(&view), hook_cx).await,
        HookKind::OnAbort => call(hooks.on_abort.get(name), view.message.unwrap_or_default(), hook_cx).await,
        _ => call(hooks.on_complete.get(name), view, hook_cx).await,
    };
    if let Err(error) = ran {
        log(name, error, cx).await;
    }
}

async fn call<V, A>(hook: Option<&Hook<V, A>>, argument: A, cx: HookContext<V>) -> Result<(), TaskError> {
    match hook {
        Some(hook) => hook(argument, cx).await,
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
pub(super) async fn log<V>(name: HookName, error: TaskError, cx: &HookContext<V>) {
    let message = error.to_string();
    if let Err(lost) = cx.log_error(format!("the {name} failed"), (), error).await {
        tracing::error!(run = %cx.run_id(), hook = %name, error = message, %lost, "a hook failed, and so did its log");
    }
}

fn recorded_error(view: &RunView) -> RecordedError {
    RecordedError {
        code: view.error_code.clone().unwrap_or_else(|| code::ERROR.to_owned()),
        message: view.error_message.clone().unwrap_or_default(),
        stack: view.error_stack.clone(),
    }
}
