//! Runs and events that others than Dacapo's own functions and clients start and publish: by an execution of the wait
//! loop, or by a message in the conductor's queue.

use dacapo_domain::{
    CONDUCTOR, Effect, EventMessage, NewRun, Outside, OutsideError, RunRecord, Start, TaskEntry, Trigger,
    WaitLoopAnswer, WaitLoopCall, limits, run::answer, slot,
};

use super::Conductor;
use crate::{
    commit::{Creation, create},
    port::{PortError, PortErrorKind, PortResult},
    publish::send,
    runner::InvokeError,
};

impl Conductor {
    /// Takes a message from outside, as it was read. One that can't be used goes to the dead-letter queue; `is_dead` is
    /// true where it lies there already.
    ///
    /// # Errors
    /// The message is to be left for redelivery, or in the dead-letter queue for people to look at.
    pub async fn take_from_outside(
        &self,
        text: &str,
        read: Result<Outside, OutsideError>,
        is_dead: bool,
    ) -> PortResult<()> {
        let taken = match read {
            Ok(Outside::Start(start)) => self.start_from_queue(start).await,
            Ok(Outside::Publish(event)) => self.publish_from_queue(&event).await,
            Err(error) => Err(InvokeError::Payload(error.to_string())),
        };
        match taken {
            Ok(()) => Ok(()),
            Err(InvokeError::Port(error)) => Err(error),
            Err(InvokeError::Payload(why)) if is_dead => {
                let text = format!("a message in the dead-letter queue can't be used: {why}");
                Err(PortError::new(PortErrorKind::Refused, text))
            }
            Err(InvokeError::Payload(why)) => self.misdirected(text, &format!("can't be used: {why}")).await,
        }
    }

    /// Makes the run that a message asks for. Received twice, it makes one.
    async fn start_from_queue(&self, start: Start) -> Result<(), InvokeError> {
        let task = self.startable(&start, limits::MESSAGE_BYTES).await?;
        let new = NewRun::at(start.run(), &task, self.ports().clock.now(), Trigger::Direct);
        let decision = RunRecord::create(new, &self.ports().clock.decision_context()).with(slot::BODY, start.body);
        create(self.ports(), &decision, self.deadline()).await?;
        Ok(())
    }

    /// Sends an event to those who subscribe to it. Received twice, it has the same id.
    async fn publish_from_queue(&self, event: &EventMessage) -> Result<(), InvokeError> {
        let manifest = self.app.manifest().await?;
        if send(&self.app, &manifest, event).await? == 0 {
            tracing::warn!(event = event.name, id = %event.id, "no function subscribes to an event from outside");
        }
        Ok(())
    }

    /// A wait loop was started by hand, by `aws stepfunctions start-execution` with `{"task": …, "body": …}`: makes the
    /// run that the execution calls from its beginning. Asked twice, it makes one.
    pub(super) async fn start(&self, start: Start) -> Result<WaitLoopAnswer, InvokeError> {
        let task = self.startable(&start, limits::START_EXECUTION_BYTES).await?;
        let now = self.ports().clock.now();
        let new =
            NewRun { execution: Some(start.execution.clone()), ..NewRun::at(start.run(), &task, now, Trigger::Direct) };
        let cx = self.ports().clock.decision_context();
        let decision = RunRecord::create(new, &cx).with(slot::BODY, start.body);
        let run = match create(self.ports(), &decision, self.deadline()).await? {
            Creation::New => decision.record,
            Creation::Exists(run) => run,
        };
        let call = WaitLoopCall { started: start.started, ..WaitLoopCall::first(&run, now) };
        Ok(answer(&run, &call, now))
    }

    /// The name of the task that may be started so.
    async fn startable(&self, start: &Start, bytes: usize) -> Result<String, InvokeError> {
        let Some(task) = self.app.task(&start.task).await? else {
            let manifest = self.manifest().await?;
            let known: Vec<&str> = manifest.tasks().map(|(_, task)| task.name.as_str()).collect();
            let text = format!("no task is named {:?} (there are: {})", start.task, known.join(", "));
            return Err(InvokeError::Payload(text));
        };
        if task.private {
            let (name, remedy) = (&task.name, TaskEntry::PRIVATE_REMEDY);
            let text = format!("task {name:?} is private: it can't be started by name ({remedy})");
            return Err(InvokeError::Payload(text));
        }
        start.body.check().map_err(|error| InvokeError::Payload(format!("the body can't be used: {error}")))?;
        limits::check_bytes("a run", start.body.bytes(), bytes)
            .map_err(|error| InvokeError::Payload(format!("failed to {error}")))?;
        Ok(task.name)
    }

    /// A message that the conductor can't take is kept where people look for it.
    pub(super) async fn misdirected(&self, text: &str, why: &str) -> PortResult<()> {
        tracing::error!(bytes = text.len(), "a message {why}: moved to the dead-letter queue");
        let (function, text) = (CONDUCTOR.to_owned(), text.to_owned());
        self.ports().outbox.post(&Effect::DeadLetter { function, text }).await
    }
}
