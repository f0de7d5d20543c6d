//! The conductor: delivers what is late, and repairs what is stuck. Everything it does is idempotent.

mod deployed;
mod look;
mod start;
mod undelivered;

use std::time::Duration;

use dacapo_domain::{
    Answer, CONDUCTOR, DeliveryMessage, DeliveryState, Ended, Event, ExecutionEnd, FunctionEntry, Id, Invocation, Json,
    Manifest, Message, Policy, Run, run::answer,
};
use jiff::Timestamp;

pub use deployed::Deployed;
pub use look::Swept;

use crate::{
    client::{Client, publish},
    port::{PortError, PortErrorKind, PortResult, Ports, SavedDelivery},
    runner::{
        InvokeError,
        apply::{apply, perform},
    },
};

/// How long the conductor goes on trying one write.
const PATIENCE: Duration = Duration::from_secs(10);

/// The built-in function of every app.
pub struct Conductor {
    ports: Ports,
    client: Client,
    carried: Option<Manifest>,
}

impl Conductor {
    /// The conductor over the given ports. `carried` is the manifest that its zip carries, if any.
    #[must_use]
    pub fn new(ports: Ports, carried: Option<Manifest>) -> Self {
        Self { client: Client::new(ports.clone()), ports, carried }
    }

    /// What the manifest says of the conductor.
    #[must_use]
    pub fn entry() -> FunctionEntry {
        FunctionEntry::conductor()
    }

    /// Takes a direct invocation: a sweep, a loop's report of a crash, a loop started by hand, the news of a deploy.
    ///
    /// # Errors
    /// If the payload is none of these, or a port failed: the loop tries again.
    pub async fn invoke(&self, payload: Json) -> Result<Json, InvokeError> {
        let answer = match Invocation::read(&payload) {
            Some(Ok(Invocation::Crash(crash))) => Json::of(&self.crashed(crash).await?),
            Some(Ok(Invocation::Start(start))) => Json::of(&self.start(start).await?),
            Some(Ok(Invocation::Sweep {})) => Json::of(&self.sweep().await?),
            Some(Ok(Invocation::Deployed {})) => Json::of(&self.deployed().await?),
            Some(Ok(Invocation::Loop(_))) => {
                return Err(InvokeError::Payload("this call is for a task's function".to_owned()));
            }
            Some(Err(error)) => return Err(InvokeError::Payload(format!("the call can't be read: {error}"))),
            None => {
                let text = "the conductor takes {\"sweep/1\": {}}, {\"deployed/1\": {}}, and the loop's calls";
                return Err(InvokeError::Payload(text.to_owned()));
            }
        };
        answer.map_err(|error| InvokeError::Payload(error.to_string()))
    }

    /// Takes a message from its own queue: an event that was held back is due, or an execution has ended.
    ///
    /// # Errors
    /// The message is to be left for redelivery.
    pub async fn deliver(&self, text: &str) -> PortResult<()> {
        match Message::from_text(text) {
            Ok(Message::Delivery(message)) => self.publish_held(&message).await,
            Ok(Message::Ended(ended)) => self.ended(ended).await,
            _ => {
                tracing::error!(message = text, "the conductor can't read a message: moved to the dead-letter queue");
                self.ports.queues.dead_letter(CONDUCTOR, text).await
            }
        }
    }

    /// An event that was held back is due: it is sent to those who subscribe now.
    async fn publish_held(&self, message: &DeliveryMessage) -> PortResult<()> {
        let Some(stored) = self.ports.store.load_delivery(&message.delivery).await? else { return Ok(()) };
        let held = &stored.delivery;
        let now = self.ports.clock.now();
        if held.function != CONDUCTOR || held.state != DeliveryState::Retrying {
            return Ok(());
        }
        if now < held.due_at {
            crate::delivery::perform(&self.ports, held, &stored.body, &[held.carry(now)]).await;
            return Ok(());
        }
        let manifest = self.manifest().await?;
        publish::send(&self.ports, &manifest, &stored.message()).await.map_err(as_port_error)?;
        let next = held.delivered(&self.ports.clock.moment());
        // Somebody else was faster: subscribers bear a duplicate.
        let (SavedDelivery::Done | SavedDelivery::Lost(_)) = self.ports.store.save_delivery(held, &next).await?;
        Ok(())
    }

    /// An execution has ended, as the service tells it; as a rule because its run has.
    async fn ended(&self, ended: Ended) -> PortResult<()> {
        let how = match ended.status.as_str() {
            "ABORTED" => ExecutionEnd::Stopped,
            "FAILED" | "TIMED_OUT" => match ended.error.as_deref() {
                Some("States.Runtime" | "States.ExceedToleratedFailureThreshold" | "States.Timeout") | None => {
                    ExecutionEnd::Exhausted
                }
                Some(error) => ExecutionEnd::Failed(format!("{error}: {}", ended.cause.unwrap_or_default())),
            },
            _ => return Ok(()),
        };
        // The name is made of run and generation; one started by hand bears another and is found by the sweep.
        let Some((id, generation)) = ended.execution.rsplit_once('-') else { return Ok(()) };
        let (Ok(id), Ok(generation)) = (id.parse::<Id>(), generation.parse::<u32>()) else { return Ok(()) };
        if let Some(stored) = self.ports.store.load(id).await? {
            self.change(&stored.run, Event::LoopEnded(generation, how)).await?;
        }
        Ok(())
    }

    /// A call of a function ended in no answer. The record says what comes next.
    async fn crashed(&self, crash: dacapo_domain::Crash) -> PortResult<Answer> {
        let forgotten = Answer::Stop { id: crash.call.run, state: dacapo_domain::State::Expired };
        let Some(stored) = self.ports.store.load(crash.call.run).await? else { return Ok(forgotten) };
        let Some(run) = self.change(&stored.run, Event::LoopCrashed(&crash.call, crash.cause.clone())).await? else {
            return Ok(forgotten);
        };
        Ok(answer(&run, &crash.call, self.ports.clock.now()))
    }

    /// Decides, stores and does what follows, with the policy from the manifest.
    async fn change(&self, seen: &Run, event: Event<'_>) -> PortResult<Option<Run>> {
        let policy = self.policy(&seen.name).await?;
        let applied = apply(&self.ports, seen, event, policy.as_ref(), self.deadline()).await?;
        let Some(applied) = applied else { return Ok(None) };
        perform(&self.ports, &applied.run, &applied.effects).await;
        Ok(Some(applied.run))
    }

    async fn policy(&self, task: &str) -> PortResult<Option<Policy>> {
        Ok(self.manifest().await?.task(task).map(|(_, task)| task.policy.clone()))
    }

    async fn manifest(&self) -> PortResult<std::sync::Arc<Manifest>> {
        self.client.manifest().await.map_err(as_port_error)
    }

    fn deadline(&self) -> Timestamp {
        self.ports.clock.now() + PATIENCE
    }
}

fn as_port_error(error: crate::Error) -> PortError {
    PortError::new(PortErrorKind::Transient, error.to_string())
}
