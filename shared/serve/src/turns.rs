//! A function on the embedded engine: one exchange an invocation.

use dacapo_core::{
    port::PortResult,
    runner::{InvokeError, Runner},
};
use dacapo_domain::Json;
use dacapo_local::{
    client::Turns,
    turn::{Answer, Ended, Invocation, Work},
};

/// Serves a function's invocations until the engine is gone, or a handler holds its thread past its timeout: then the
/// process is to end, since a thread can't be stopped otherwise.
///
/// # Errors
/// If the engine is gone, or of another version.
pub(crate) async fn serve(runner: &Runner, turns: &Turns) -> PortResult<()> {
    let mut last = None;
    loop {
        let invocation = turns.next(last.take()).await?;
        let answer = answer(runner, invocation).await;
        if runner.must_exit() {
            tracing::warn!("a handler holds its thread past its timeout: this process exits");
            return turns.end(answer).await;
        }
        last = Some(answer);
    }
}

async fn answer(runner: &Runner, invocation: Invocation) -> Answer {
    let Invocation { id, deadline, work } = invocation;
    let ended = match work {
        Work::Run(taken) => match runner.deliver_taken(*taken, deadline).await {
            Ok(Some(attempt)) => Ok(Ended::Attempt(Box::new(attempt))),
            Ok(None) => Ok(Ended::Answered(Json::default())),
            Err(error) => Err(InvokeError::from(error)),
        },
        Work::Event(event) => dacapo_lambda::answer(runner, event, deadline).await.map(Ended::Answered),
    };
    let ended = ended.unwrap_or_else(|error| Ended::Failed(dacapo_lambda::failure(error)));
    Answer { id, ended, leaves: false }
}
