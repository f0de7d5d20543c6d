//! The payload of an invocation, made once a process is there that gets it.

use std::sync::Arc;

use axum::body::Bytes;
use dacapo_core::{
    port::{PortError, PortErrorKind, PortResult, Ports},
    queues::Gate,
    runner::{Taken, take},
};
use dacapo_domain::{Message, Policy};
use jiff::Timestamp;

use super::sqs::{SqsRecord, batch_event};
use crate::turn::Work;

/// The payload of an invocation. Cheap to clone.
#[derive(Clone)]
pub enum Payload {
    /// An event, as JSON.
    Event(Bytes),
    /// A message of a task's queue.
    Message(Arc<TaskMessage>),
    /// The work that is left for a run.
    Taken(Arc<Taken>),
}

/// A message of a task's queue, with all that its attempt is taken with.
pub struct TaskMessage {
    /// The queue.
    pub queue: String,
    /// The message's receipt.
    pub receipt: String,
    /// The message.
    pub text: String,
    /// The number of its receives, this one included.
    pub receives: u32,
    /// The task's.
    pub policy: Policy,
    /// The engine's.
    pub ports: Ports,
    /// The paused queues.
    pub gate: Arc<Gate>,
}

impl Payload {
    /// The event as Lambda brings it: the function takes the attempt by itself.
    ///
    /// # Errors
    /// None in practice: all of it is text.
    pub fn event(&self) -> Result<Bytes, serde_json::Error> {
        match self {
            Self::Event(event) => Ok(event.clone()),
            Self::Message(message) => {
                let TaskMessage { queue, receipt, text, receives, .. } = &**message;
                event_of(queue, receipt, text, *receives)
            }
            Self::Taken(taken) => event_of(&taken.run.function(), "", &taken.run.message().to_text(), 1),
        }
    }

    /// The work for a process that takes turns; `None` where its message leaves nothing to do.
    ///
    /// # Errors
    /// An error of the store once `until` has passed: the message is left in its queue.
    pub async fn work(&self, until: Timestamp) -> PortResult<Option<Work>> {
        if let Self::Message(message) = self
            && !message.policy.limits.are_keyed() // Its function alone knows the key.
            && let Ok(Message::Run(run)) = Message::from_text(&message.text)
        {
            let taken = take(&message.ports, &message.gate, run, &message.policy, until).await?;
            return Ok(taken.map(|taken| Work::Run(Box::new(taken))));
        }
        if let Self::Taken(taken) = self {
            return Ok(Some(Work::Run(Box::new((**taken).clone()))));
        }
        let unusable = |error: serde_json::Error| {
            PortError::new(PortErrorKind::Refused, format!("the payload is no JSON: {error}"))
        };
        let event = self.event().map_err(unusable)?;
        Ok(Some(Work::Event(serde_json::from_slice(&event).map_err(unusable)?)))
    }
}

fn event_of(queue: &str, receipt: &str, body: &str, receives: u32) -> Result<Bytes, serde_json::Error> {
    let (message_id, receipt_handle) = (receipt.to_owned(), receipt.to_owned());
    Ok(batch_event(queue, &[SqsRecord { message_id, receipt_handle, body, receives }])?.into())
}

#[cfg(test)]
mod tests {
    use dacapo_core::port::{Clock, SystemClock};
    use dacapo_domain::{NewRun, Payloads, RunRecord, Trigger};

    use super::*;

    #[tokio::test]
    async fn work_that_is_left_for_a_run_comes_in_a_turn_as_it_is_and_by_the_runtime_api_as_the_runs_message() {
        let new = NewRun::at(SystemClock.new_id(), "greet", SystemClock.now(), Trigger::Run);
        let run = RunRecord::create(new, &SystemClock.decision_context()).record;
        let taken = Taken { run, payloads: Payloads::none(), work: dacapo_domain::Work::RunEndHooks };
        let payload = Payload::Taken(Arc::new(taken.clone()));
        assert_eq!(payload.work(Timestamp::MAX).await.unwrap(), Some(Work::Run(Box::new(taken.clone()))));

        let event: serde_json::Value = serde_json::from_slice(&payload.event().unwrap()).unwrap();
        let message = Message::from_text(event["Records"][0]["body"].as_str().unwrap()).unwrap();
        assert_eq!(message, taken.run.message());
    }
}
