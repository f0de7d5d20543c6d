//! The hooks after the end of a run.

use dacapo_domain::{RecordedError, RunView, State, code};

use crate::{
    HookContext, TaskError, TaskRef,
    hooks::{Hook, Hooks},
};

/// The hook of this end, then `on_complete`. What fails is logged with the run, and the next one runs.
pub(super) async fn run_hooks<I, O, V>(
    reference: TaskRef<I, O>,
    hooks: &Hooks<O, V>,
    view: RunView,
    cx: HookContext<V>,
) {
    match view.state {
        State::Completed => succeeded(reference, hooks, &view, &cx).await,
        State::Failed => {
            let error = recorded_error(&view);
            if error.code == code::MAX_ITERATIONS {
                run("on_max_iterations", hooks.on_max_iterations.as_ref(), (), &cx).await;
            }
            run("on_failure", hooks.on_failure.as_ref(), error, &cx).await;
        }
        State::Aborted => {
            let message = view.message.clone().unwrap_or_default();
            run("on_abort", hooks.on_abort.as_ref(), message, &cx).await;
        }
        _ => {}
    }
    run("on_complete", hooks.on_complete.as_ref(), view, &cx).await;
}

async fn succeeded<I, O, V>(reference: TaskRef<I, O>, hooks: &Hooks<O, V>, view: &RunView, cx: &HookContext<V>) {
    let Some(hook) = &hooks.on_success else { return };
    let result = match &view.result {
        Some(result) => reference.output.decode(result).map_err(TaskError::from),
        None => Err(view.result_left_out.clone().unwrap_or_else(|| "there is no result".to_owned()).into()),
    };
    match result {
        Ok(result) => run("on_success", Some(hook), result, cx).await,
        Err(error) => log("on_success", error, cx).await,
    }
}

async fn run<V, A>(name: &str, hook: Option<&Hook<V, A>>, argument: A, cx: &HookContext<V>) {
    if let Some(hook) = hook
        && let Err(error) = hook(argument, cx.of(name)).await
    {
        log(name, error, cx).await;
    }
}

/// Keeps the error of a hook with the run; where even that fails, in the process's own log.
pub(super) async fn log<V>(name: &str, error: TaskError, cx: &HookContext<V>) {
    let said = error.to_string();
    if let Err(lost) = cx.log_error(format!("the hook `{name}` failed"), (), error).await {
        tracing::error!(run = %cx.run_id(), hook = name, error = said, %lost, "a hook failed, and so did its log");
    }
}

fn recorded_error(view: &RunView) -> RecordedError {
    RecordedError {
        code: view.error_code.clone().unwrap_or_else(|| code::ERROR.to_owned()),
        message: view.error_message.clone().unwrap_or_default(),
        stack: view.error_stack.clone(),
    }
}
