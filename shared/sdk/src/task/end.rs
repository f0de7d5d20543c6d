//! The hooks after the end of a run.

use dacapo_domain::{Failure, RunRecord, State, code};

use crate::{
    HookContext, TaskError, TaskRef,
    hooks::{Hook, Hooks},
};

/// The hook of this end, then `on_complete`. What fails is logged with the run, and the next one runs.
pub(super) async fn run_hooks<I, O, V>(
    reference: TaskRef<I, O>,
    hooks: &Hooks<O, V>,
    record: RunRecord,
    cx: HookContext<V>,
) {
    match record.state {
        State::Completed => succeeded(reference, hooks, &record, &cx).await,
        State::Failed => {
            let failure = failure(&record);
            if failure.code == code::MAX_ITERATIONS {
                run("on_max_iterations", hooks.on_max_iterations.as_ref(), (), &cx).await;
            }
            run("on_failure", hooks.on_failure.as_ref(), failure, &cx).await;
        }
        State::Aborted => {
            let message = record.message.clone().unwrap_or_default();
            run("on_abort", hooks.on_abort.as_ref(), message, &cx).await;
        }
        _ => {}
    }
    run("on_complete", hooks.on_complete.as_ref(), record, &cx).await;
}

async fn succeeded<I, O, V>(reference: TaskRef<I, O>, hooks: &Hooks<O, V>, record: &RunRecord, cx: &HookContext<V>) {
    let Some(hook) = &hooks.on_success else { return };
    let result = match &record.result {
        Some(result) => reference.output.decode(result).map_err(TaskError::from),
        None => Err(record.result_left_out.clone().unwrap_or_else(|| "there is no result".to_owned()).into()),
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

fn failure(record: &RunRecord) -> Failure {
    Failure {
        code: record.error_code.clone().unwrap_or_else(|| code::ERROR.to_owned()),
        message: record.error_message.clone().unwrap_or_default(),
        stack: record.error_stack.clone(),
    }
}
