//! The runner: from a delivery to its acknowledgement.

mod aborted;
mod event;
mod run;
mod taken;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dacapo_domain::{
    Effect, Fire, Invocation, Json, LifecycleEvent, Measured, Message, Metric, Sends, TaskEntry, TraceParent, Work,
};
use jiff::Timestamp;

pub use taken::{EndedAttempt, Taken, end, take};

use crate::{
    App, Variables,
    attempt::Guard,
    commit::retry_until,
    function::{ErasedTask, Handlers},
    metrics,
    port::{PortError, PortErrorKind, PortResult, Ports},
    queues::Gate,
    schedule::{delete_used, run_of_fire},
};

/// The time within which a process hears that a queue is paused.
const PAUSED_WITHIN: Duration = Duration::from_secs(60);

/// Runs one function: its task, or its event handlers.
pub struct Runner {
    handlers: Handlers,
    app: App,
    function: String,
    publishes: BTreeSet<LifecycleEvent>,
    guard: Guard,
    gate: Arc<Gate>,
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
    pub fn new(handlers: Handlers, ports: Ports, function: &str) -> Self {
        let (app, publishes) = (App::new(ports), BTreeSet::new());
        let (guard, gate) = (Guard::default(), Arc::new(Gate::new(PAUSED_WITHIN)));
        Self { handlers, app, function: function.to_owned(), publishes, guard, gate }
    }

    /// The same, which takes as many messages at a time as its task says: there a handler that holds its thread holds no other.
    #[must_use]
    pub fn side_by_side(self) -> Self {
        match &self.handlers {
            Handlers::Task(task) if task.entry().policy.batch > 1 => Self { guard: Guard::shared(), ..self },
            _ => self,
        }
    }

    /// The same, which knows of paused queues by this gate; else it reads them once a minute.
    #[must_use]
    pub fn behind(self, gate: Arc<Gate>) -> Self {
        Self { gate, ..self }
    }

    /// The same, whose handlers may read these variables.
    #[must_use]
    pub fn with(self, variables: Variables) -> Self {
        Self { app: self.app.with(variables), ..self }
    }

    /// The same, whose handlers start and publish this alone, where the function's definition says so.
    #[must_use]
    pub fn sending(self, sends: Option<Sends>) -> Self {
        Self { app: self.app.sending(sends), ..self }
    }

    /// The same, whose task's lifecycle events of these kinds have subscribers.
    #[must_use]
    pub fn publishing(self, publishes: BTreeSet<LifecycleEvent>) -> Self {
        Self { publishes, ..self }
    }

    /// Says of which trace the next deliveries and invocations are a part, where they name none.
    pub fn trace(&self, invocation: Option<TraceParent>) {
        self.app.trace(invocation);
    }

    /// The manifest's entry of the task, with what the manifest alone knows.
    fn entry(&self, task: &Arc<dyn ErasedTask>) -> TaskEntry {
        let mut entry = task.entry();
        entry.policy.publishes.clone_from(&self.publishes);
        entry
    }

    fn ports(&self) -> &Ports {
        self.app.ports()
    }

    /// Is true once a handler holds its thread past its timeout: the process is to be left once it has answered.
    #[must_use]
    pub fn must_exit(&self) -> bool {
        self.guard.is_blocked()
    }

    /// Is true of a function that takes the messages of one invocation side by side, a task's.
    #[must_use]
    pub const fn is_concurrent(&self) -> bool {
        matches!(self.handlers, Handlers::Task(_))
    }

    /// Takes a message from the function's queue, received for the n-th time.
    ///
    /// # Errors
    /// The message is to be left for redelivery: the store could not be asked what it is for, or it is no message.
    pub async fn deliver(&self, text: &str, receives: u32, deadline: Timestamp) -> PortResult<()> {
        match (Message::from_text(text), &self.handlers) {
            (Ok(Message::Run(message)), Handlers::Task(task)) => self.deliver_run(task, message, deadline).await,
            (Ok(Message::Fire(fire)), Handlers::Task(task)) => {
                // Nothing else knows of the fire until its run is stored, and the message comes back late.
                retry_until(self.ports(), deadline, || self.fire(task, fire.clone(), deadline)).await
            }
            (Ok(Message::Event(event)), Handlers::Events(handlers)) => {
                self.deliver_event(handlers, event, receives, deadline).await
            }
            (Ok(Message::Delivery(message)), Handlers::Events(handlers)) => {
                self.deliver_recorded(handlers, &message, deadline).await
            }
            (Ok(other), handlers) => {
                let takes = match handlers {
                    Handlers::Task(_) => "a task takes run/1 and fire/1",
                    Handlers::Events(_) => "event handlers take event/1 and delivery/1",
                };
                self.misdirected(text, &format!("{} is for another kind of function ({takes})", other.form())).await
            }
            (Err(error), _) => {
                let (line, column) = (error.line(), error.column());
                let remedy = "what others than Dacapo send belongs into the conductor's queue";
                self.misdirected(text, &format!("can't be read at line {line} column {column} ({remedy})")).await
            }
        }
    }

    /// Does what is to be done for a run whose message its [engine has taken](take). Gives the attempt that was made, for
    /// the engine to [commit its end](end).
    ///
    /// # Errors
    /// The store could not be asked, or could not store what was done: once the lease has ended, it is done again.
    pub async fn deliver_taken(&self, taken: Taken, deadline: Timestamp) -> PortResult<Option<EndedAttempt>> {
        match &self.handlers {
            Handlers::Task(task) if task.entry().name == taken.run.name => match taken.work {
                Work::CallHandler => self.call_handler(task, taken.run, taken.payloads, deadline).await,
                _ => self.work_on(task, taken, deadline).await.map(|()| None),
            },
            _ => {
                let text = format!(
                    "run {} is for task {:?}, which function {} doesn't hold",
                    taken.run.id, taken.run.name, self.function
                );
                Err(PortError::new(PortErrorKind::Refused, text))
            }
        }
    }

    /// Takes a direct invocation: the loop's call, or any other JSON as the body of a run that starts in place.
    ///
    /// # Errors
    /// If the payload is not for this function, or a port failed: the loop tries again.
    pub async fn invoke(&self, payload: Json, deadline: Timestamp) -> Result<Json, InvokeError> {
        let Handlers::Task(task) = &self.handlers else {
            let text = format!("function {} holds event handlers: publish an event instead", self.function);
            return Err(InvokeError::Payload(text));
        };
        match Invocation::read(&payload) {
            None => self.run_direct(task, payload, deadline).await,
            Some(Ok(Invocation::Called(call))) => self.answer(task, &call.into(), deadline).await,
            Some(Ok(Invocation::Loop(call))) => self.answer(task, &call, deadline).await,
            Some(Ok(_)) => Err(InvokeError::Payload("this call is for the conductor (invoke its function)".to_owned())),
            Some(Err(error)) => Err(InvokeError::Payload(format!("the call can't be read: {error}"))),
        }
    }

    /// Makes the run of a fire and takes its first attempt.
    async fn fire(&self, task: &Arc<dyn ErasedTask>, fire: Fire, deadline: Timestamp) -> PortResult<()> {
        let Some(fired) = run_of_fire(self.ports(), &self.entry(task), fire, deadline).await? else { return Ok(()) };
        self.start_in_place(task, fired.new, fired.body, deadline).await?;
        delete_used(self.ports(), fired.once, deadline).await
    }

    /// A message that this function can't handle is kept where people look for it.
    async fn misdirected(&self, text: &str, why: &str) -> PortResult<()> {
        // The message itself is in that queue: a log shows no body.
        tracing::error!(function = %self.function, bytes = text.len(), "a message {why}: moved to the dead-letter queue");
        let (function, text) = (self.function.clone(), text.to_owned());
        metrics::record(&Measured { function: function.clone(), values: vec![(Metric::DeadLetters, 1)] });
        self.ports().outbox.post(&Effect::DeadLetter { function, text }).await
    }
}
