//! The runner: what happens between a delivery and its acknowledgement.

pub(crate) mod apply;
mod attempt;
mod event;
mod event_attempt;
pub(crate) mod fire;
mod guard;
mod limit;
mod run;

use dacapo_domain::{Answer, Invocation, Json, Message};
use jiff::Timestamp;

use apply::patiently;
pub use attempt::{Attempt, ScheduledFire};
pub use event_attempt::EventAttempt;
use guard::Guard;

use crate::{
    client::Client,
    definition::{Defined, Definition},
    port::{PortError, PortErrorKind, PortResult, Ports},
};

/// Runs one function: its task, or its event handlers.
pub struct Runner {
    definition: Definition,
    ports: Ports,
    client: Client,
    function: String,
    guard: Guard,
}

/// A direct invocation failed before there was a run to tell of it.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The payload is none that this function takes.
    #[error("{0}")]
    Payload(String),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Runner {
    /// The runner of a function, named as in the manifest.
    #[must_use]
    pub fn new(definition: Definition, ports: Ports, function: &str) -> Self {
        Self {
            definition,
            client: Client::new(ports.clone()),
            ports,
            function: function.to_owned(),
            guard: Guard::default(),
        }
    }

    /// Whether a handler holds its thread past its timeout: the process is to be left once it has answered.
    #[must_use]
    pub fn must_exit(&self) -> bool {
        self.guard.is_blocked()
    }

    /// Takes a message from the function's queue, received for the n-th time.
    ///
    /// # Errors
    /// The message is to be left for redelivery: the store could not be asked what it is for, or it is no message.
    pub async fn deliver(&self, text: &str, receives: u32, deadline: Timestamp) -> PortResult<()> {
        match (Message::from_text(text), &self.definition.holds) {
            (Ok(Message::Run(message)), Defined::Task(task)) => self.deliver_run(task, message, deadline).await,
            (Ok(Message::Fire(fire)), Defined::Task(task)) => {
                // Nothing else knows of the fire until its run is stored, and the message comes back late.
                patiently(&self.ports, deadline, || self.fire(task, fire.clone(), deadline)).await
            }
            (Ok(Message::Event(event)), Defined::Events(handlers)) => {
                self.deliver_event(handlers, event, receives).await
            }
            (Ok(Message::Delivery(message)), Defined::Events(handlers)) => {
                self.deliver_recorded(handlers, &message, receives).await
            }
            (Ok(_), _) => self.misdirected(text, "is for another kind of function").await,
            (Err(error), _) => self.misdirected(text, &format!("can't be read: {error}")).await,
        }
    }

    /// Takes a direct invocation: the loop's call, or any other JSON as the body of a run that starts in place.
    ///
    /// # Errors
    /// If the payload is not for this function, or a port failed: the loop tries again.
    pub async fn invoke(&self, payload: Json, deadline: Timestamp) -> Result<Json, InvokeError> {
        let Defined::Task(task) = &self.definition.holds else {
            let text = format!("function {} holds event handlers: publish an event instead", self.function);
            return Err(InvokeError::Payload(text));
        };
        match Invocation::read(&payload) {
            None => self.run_direct(task, payload, deadline).await,
            Some(Ok(Invocation::Loop(call))) => {
                let answer: Answer = self.called(task, &call, deadline).await?;
                Json::of(&answer).map_err(|error| InvokeError::Payload(error.to_string()))
            }
            Some(Ok(_)) => Err(InvokeError::Payload("this call is for the conductor".to_owned())),
            Some(Err(error)) => Err(InvokeError::Payload(format!("the call can't be read: {error}"))),
        }
    }

    /// A message that nobody can handle is kept where people look for it.
    async fn misdirected(&self, text: &str, why: &str) -> PortResult<()> {
        tracing::error!(function = %self.function, message = text, "a message {why}: moved to the dead-letter queue");
        self.ports.queues.dead_letter(&self.function, text).await
    }
}

fn gone(what: &str) -> PortError {
    PortError::new(PortErrorKind::Refused, format!("the record of {what} has gone while it was in use"))
}
