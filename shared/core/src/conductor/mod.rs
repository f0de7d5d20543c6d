//! The conductor: delivers what is late, and repairs what is stuck. Everything it does is idempotent.

mod app_dlq;
mod deployed;
mod outside;
mod reconcile;

use std::sync::Arc;

use dacapo_domain::{
    CONDUCTOR, CrashReport, DeferredEvent, DeferredEventInput, DeferredMessage, ExecutionEnded, FunctionEntry, Input,
    Invocation, Json, Manifest, Message, Outside, Policy, RunRecord, State, Task, WaitLoopAnswer, Work, limits,
    run::{RetriedCall, answer},
    slot,
};
use jiff::Timestamp;

pub use deployed::Deployed;
pub use reconcile::Swept;

use crate::{
    App,
    bulk::BulkTask,
    commit::{Committed, PATIENCE, Seen, commit, commit_run, load, pass_on},
    function::Handlers,
    lifecycle::settle,
    port::{PortError, PortErrorKind, PortResult, Ports},
    publish::send,
    runner::{InvokeError, Runner},
    webhook::WebhookKey,
};

/// The built-in function of every app.
pub struct Conductor {
    app: App,
    carried: Option<Manifest>,
    webhooks: Webhooks,
}

/// The requests that the conductor takes at its function URL: nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Webhooks {
    /// Is true where tokens are completed there.
    pub tokens: bool,
    /// The key of those who publish events there.
    pub events: Option<WebhookKey>,
}

impl Conductor {
    /// The conductor over the given ports. `carried` is the manifest that its zip carries, if any.
    #[must_use]
    pub fn new(ports: Ports, carried: Option<Manifest>) -> Self {
        Self { app: App::new(ports), carried, webhooks: Webhooks::default() }
    }

    /// The same, which takes these at its function URL.
    #[must_use]
    pub fn taking(self, webhooks: Webhooks) -> Self {
        Self { webhooks, ..self }
    }

    /// The requests that it takes at its function URL.
    #[must_use]
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// The app that it belongs to.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The manifest's entry of the conductor.
    #[must_use]
    pub fn entry() -> FunctionEntry {
        FunctionEntry::conductor()
    }

    /// Takes a direct invocation: a sweep, a wait loop's report of a crash, one started by hand, the news of a deploy.
    ///
    /// # Errors
    /// If the payload is none of these, or a port failed: the wait loop tries again.
    pub async fn invoke(&self, payload: Json) -> Result<Json, InvokeError> {
        let answer = match Invocation::read(&payload) {
            Some(Ok(Invocation::Crash(crash))) => Json::of(&self.crashed(crash).await?),
            Some(Ok(Invocation::Start(start))) => Json::of(&self.start(start).await?),
            Some(Ok(Invocation::Sweep {})) => Json::of(&self.sweep().await?),
            Some(Ok(Invocation::Deployed {})) => Json::of(&self.deployed().await?),
            Some(Ok(Invocation::Called(RetriedCall { call, .. }) | Invocation::Loop(call)))
                if call.function == CONDUCTOR =>
            {
                return self.runner().invoke(payload, self.invocation_ends()).await;
            }
            Some(Ok(Invocation::Called(_) | Invocation::Loop(_))) => {
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

    /// Takes a message from its own queue: a deferred event is due, or an execution has ended.
    ///
    /// # Errors
    /// The message is to be left for redelivery.
    pub async fn deliver(&self, text: &str) -> PortResult<()> {
        match Message::from_text(text) {
            Ok(Message::Deferred(message)) => self.publish_deferred(&message).await,
            Ok(Message::ExecutionEnded(ended)) => self.execution_ended(ended).await,
            Ok(Message::Run(_)) => self.runner().deliver(text, 1, self.invocation_ends()).await,
            Ok(Message::Pool(message)) => {
                let limit = self.manifest().await?.limit(&message.pool);
                pass_on(self.ports(), &message.pool, limit, vec![], self.deadline()).await
            }
            Ok(other) => self.misdirected(text, &format!("{} is not for the conductor", other.form())).await,
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                let why = format!("can't be read at line {line} column {column} ({})", Outside::EXPECTED);
                self.misdirected(text, &why).await
            }
        }
    }

    /// A deferred event is due: it is sent to those who subscribe now.
    async fn publish_deferred(&self, message: &DeferredMessage) -> PortResult<()> {
        let ports = self.ports();
        let Some(mut stored) = load::<DeferredEvent>(ports, &DeferredEvent::key_of(&message.event)).await? else {
            return Ok(());
        };
        let body = stored.payloads.take(slot::BODY).unwrap_or_default();
        let arrived = commit(ports, stored, &DeferredEventInput::Arrived, (), self.deadline()).await?;
        let Some(Committed { record, work: Some(Work::Publish), .. }) = arrived else { return Ok(()) };
        let subscribed = self.app.current_manifest().await.map_err(as_port_error)?;
        send(&self.app, &subscribed, &record.event_message(body)).await.map_err(as_port_error)?;
        // Where another process was faster, subscribers bear a duplicate.
        commit(ports, Seen::Stored(record), &DeferredEventInput::Published, (), self.deadline()).await?;
        Ok(())
    }

    /// An execution has ended, as the service tells it; as a rule because its run has.
    async fn execution_ended(&self, ended: ExecutionEnded) -> PortResult<()> {
        // What can't be found by its event is found by the sweep.
        let (Some(how), Some((id, generation))) = (ended.how(), ended.run()) else { return Ok(()) };
        if let Some(stored) = load::<RunRecord>(self.ports(), &RunRecord::key_of(id)).await? {
            self.change(stored.record, &Input::ExecutionEnded(generation, how)).await?;
        }
        Ok(())
    }

    /// A call of a function ended in no answer. The record says what comes next.
    async fn crashed(&self, crash: CrashReport) -> PortResult<WaitLoopAnswer> {
        let CrashReport { call, cause, retries } = crash;
        let call = call.retried(limits::CRASH_TRIES.saturating_add(retries));
        let forgotten = WaitLoopAnswer::Stop { id: call.run, state: State::Expired };
        let stored = load::<RunRecord>(self.ports(), &RunRecord::key_of(call.run)).await?;
        let Some(stored) = stored else { return Ok(forgotten) };
        let input = Input::WaitLoopCrashed(call.clone(), cause);
        let Some(run) = self.change(stored.record, &input).await? else { return Ok(forgotten) };
        let run = self.change(run, &Input::WaitLoopAnswered(call.clone())).await?;
        Ok(run.map_or(forgotten, |run| answer(&run, &call, self.ports().clock.now())))
    }

    /// Commits an input of a run with the policy from the manifest. `None` means that the record is gone.
    async fn change(&self, seen: RunRecord, input: &Input) -> PortResult<Option<RunRecord>> {
        let policy = self.policy(&seen.name).await?;
        let task = Task::from(policy.as_ref());
        let committed = commit_run(self.ports(), seen, input, task, self.deadline()).await?;
        let Some(Committed { record, work, .. }) = committed else { return Ok(None) };
        if work == Some(Work::PublishLifecycle) {
            settle(&self.app, &record, self.deadline()).await?;
        }
        Ok(Some(record))
    }

    async fn policy(&self, task: &str) -> PortResult<Option<Policy>> {
        Ok(self.manifest().await?.task(task).map(|(_, task)| task.policy.clone()))
    }

    async fn manifest(&self) -> PortResult<std::sync::Arc<Manifest>> {
        self.app.manifest().await.map_err(as_port_error)
    }

    /// The ports that it works over.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        self.app.ports()
    }

    /// The runner of the built-in task.
    fn runner(&self) -> Runner {
        Runner::new(Handlers::Task(Arc::new(BulkTask)), self.ports().clone(), CONDUCTOR)
    }

    /// The end of this invocation, at the latest.
    fn invocation_ends(&self) -> Timestamp {
        self.ports().clock.now() + limits::CONDUCTOR_TIMEOUT
    }

    fn deadline(&self) -> Timestamp {
        self.ports().clock.now() + PATIENCE
    }
}

impl From<crate::Error> for InvokeError {
    fn from(error: crate::Error) -> Self {
        Self::Port(as_port_error(error))
    }
}

fn as_port_error(error: crate::Error) -> PortError {
    PortError::new(PortErrorKind::Transient, error.to_string())
}
