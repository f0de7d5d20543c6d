//! A function on the embedded engine: one exchange an invocation.

use dacapo_core::{
    port::PortResult,
    runner::{InvokeError, Runner},
};
use dacapo_domain::Json;
use dacapo_local::{
    client::Turns,
    turn::{Answer, Invocation, Work},
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
    let done = match work {
        Work::Run(taken) => {
            let done = runner.deliver_taken(*taken, deadline).await;
            done.map(|()| Json::default()).map_err(InvokeError::from)
        }
        Work::Event(event) => dacapo_lambda::answer(runner, event, deadline).await,
    };
    Answer { id, answer: done.map_err(dacapo_lambda::failure), leaves: false }
}
