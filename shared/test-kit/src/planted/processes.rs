//! The effect of a bug on a delivery, on a call and on their answers.

use dacapo_core::port::Ports;
use dacapo_domain::{Id, Invocation, Json, Message, Purpose, RunMessage, RunRecord, State, WaitLoopAnswer};
use dacapo_local::{InvocationFailed, sqlite::ReceivedMessage};

use super::Bug;

/// A batch as the bug delivers it.
pub async fn delivered(bug: Option<Bug>, ports: &Ports, batch: &[ReceivedMessage]) -> Vec<ReceivedMessage> {
    let mut delivered = batch.to_vec();
    for received in &mut delivered {
        let message = match (bug, Message::from_text(&received.text)) {
            (Some(Bug::PurposeIgnored), Ok(Message::Run(message))) => match run(ports, message.run).await {
                Some(run) if run.due_at <= ports.clock.now() && run.purpose().revision == message.purpose.revision => {
                    let Purpose { iteration, attempt, .. } = run.purpose();
                    let purpose = Purpose { iteration, attempt, ..message.purpose };
                    Message::Run(RunMessage { purpose, seen: None, ..message })
                }
                _ => continue,
            },
            (Some(Bug::FireNamedAnew), Ok(Message::Fire(mut fire))) => {
                fire.time = ports.clock.now();
                Message::Fire(fire)
            }
            _ => continue,
        };
        received.text = message.to_text();
    }
    delivered
}

/// The fate of a batch.
pub fn acknowledged(
    bug: Option<Bug>,
    done: Result<Vec<bool>, InvocationFailed>,
    count: usize,
) -> Result<Vec<bool>, InvocationFailed> {
    match (bug, done) {
        (Some(Bug::AcknowledgedUnsaved), _) => Ok(vec![true; count]),
        (Some(Bug::BatchAcknowledgedWhole), Ok(done)) if done.contains(&true) => Ok(vec![true; count]),
        (_, done) => done,
    }
}

/// A call as the bug makes it.
pub async fn called(bug: Option<Bug>, ports: &Ports, payload: Json) -> Json {
    match (bug, Invocation::read(&payload)) {
        (Some(Bug::OldExecutionAnswered), Some(Ok(Invocation::Loop(mut call)))) => {
            if let Some(run) = run(ports, call.run).await {
                call.generation = run.invoker.generation();
            }
            Json::of(&Invocation::Loop(call)).unwrap_or(payload)
        }
        _ => payload,
    }
}

/// An answer as the bug gives it.
pub fn answered(bug: Option<Bug>, answer: Json) -> Json {
    match answer.parse() {
        Ok(WaitLoopAnswer::Wait { call, .. }) if bug == Some(Bug::AnswerIsStop) => {
            let stop = WaitLoopAnswer::Stop { id: call.run, state: State::Waiting };
            Json::of(&stop).unwrap_or(answer)
        }
        _ => answer,
    }
}

async fn run(ports: &Ports, id: Id) -> Option<RunRecord> {
    let stored = ports.records.load(&RunRecord::key_of(id)).await.ok()??;
    stored.document.parse().ok()
}
