//! The ways to invoke a function: in a process of its own, or in the engine's, which is how the conductor runs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use axum::body::Bytes;
use dacapo_core::{
    Variables,
    conductor::Conductor,
    function::Handlers,
    port::Ports,
    queues::Gate,
    runner::{EndedAttempt, Runner, Taken, end},
};
use dacapo_domain::{FunctionEntry, Holds, Json};

use crate::{
    InvocationFailed,
    process::{Pool, Program},
    runtime_api::{Ended, Payload, SqsRecord, TaskMessage, batch_event, failed_items},
    sqlite::{APP_DLQ, ReceivedMessage},
};

/// The time within which the engine hears that a queue is paused.
const PAUSED_WITHIN: Duration = Duration::from_millis(100);

/// Invokes functions as Lambda does, the conductor among them.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Delivers a batch of messages from a queue: the function's own, or the app's dead-letter queue for the conductor.
    /// Says of each, in its order, whether it is done; one that is not comes back when its visibility ends.
    ///
    /// # Errors
    /// The failure of the invocation: all of its messages come back.
    async fn deliver(
        &self,
        function: &FunctionEntry,
        queue: &str,
        batch: &[ReceivedMessage],
    ) -> Result<Vec<bool>, InvocationFailed>;

    /// Invokes the function with a payload of its own.
    ///
    /// # Errors
    /// The failure that the state machine catches.
    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, InvocationFailed>;
}

/// The conductor in this process, beside functions that are anywhere.
pub struct WithConductor {
    ports: Ports,
    functions: Arc<dyn Invoke>,
}

impl WithConductor {
    /// The conductor over these ports; all other functions are invoked by the other one.
    #[must_use]
    pub fn new(ports: Ports, functions: Arc<dyn Invoke>) -> Self {
        Self { ports, functions }
    }
}

#[async_trait]
impl Invoke for WithConductor {
    async fn deliver(
        &self,
        function: &FunctionEntry,
        queue: &str,
        batch: &[ReceivedMessage],
    ) -> Result<Vec<bool>, InvocationFailed> {
        if function.holds != Holds::Conductor {
            return self.functions.deliver(function, queue, batch).await;
        }
        let conductor = Conductor::new(self.ports.clone(), None);
        let mut done = vec![];
        for message in batch {
            let delivered = match queue {
                APP_DLQ => conductor.undelivered(&message.text).await,
                _ => conductor.deliver(&message.text).await,
            };
            if let Err(error) = &delivered {
                tracing::warn!(queue, %error, "the conductor leaves a message for redelivery");
            }
            done.push(delivered.is_ok());
        }
        Ok(done)
    }

    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, InvocationFailed> {
        if function.holds != Holds::Conductor {
            return self.functions.call(function, payload).await;
        }
        let answer = Conductor::new(self.ports.clone(), None).invoke(payload).await;
        answer.map_err(|error| InvocationFailed::new(error.to_string()))
    }
}

/// Functions in this process: those of an app in one binary, or of a test.
pub struct InProcess {
    ports: Ports,
    gate: Arc<Gate>,
    functions: HashMap<String, Handlers>,
    variables: BTreeMap<String, String>,
}

impl InProcess {
    /// Functions by their names in the manifest, over these ports.
    #[must_use]
    pub fn new(ports: Ports, functions: HashMap<String, Handlers>) -> Self {
        Self { ports, gate: Arc::new(Gate::open()), functions, variables: BTreeMap::new() }
    }

    /// The same, whose functions' variables have these values, where their definitions name them.
    #[must_use]
    pub fn with(self, variables: BTreeMap<String, String>) -> Self {
        Self { variables, ..self }
    }

    fn runner(&self, function: &FunctionEntry) -> Result<Runner, InvocationFailed> {
        let handlers = self.functions.get(&function.name).ok_or_else(|| unknown(function))?;
        let runner = Runner::new(handlers.clone(), self.ports.clone(), &function.name);
        let variables = Variables::outside_aws(&function.requires, |name| self.variables.get(name).cloned());
        let runner = runner.sending(function.requires.sends.clone()).publishing(function.publishes());
        Ok(runner.with(variables).behind(self.gate.clone()))
    }

    /// Lets a function do what is to be done for a run whose message was taken.
    ///
    /// # Errors
    /// The store could not be asked, or could not store what was done.
    pub async fn deliver_taken(
        &self,
        function: &FunctionEntry,
        taken: Taken,
    ) -> Result<Option<EndedAttempt>, InvocationFailed> {
        let (runner, deadline) = (self.runner(function)?, self.ports.clock.now() + function.lambda_timeout());
        let done = runner.deliver_taken(taken, deadline).await;
        done.map_err(|error| InvocationFailed::new(error.to_string()))
    }
}

#[async_trait]
impl Invoke for InProcess {
    async fn deliver(
        &self,
        function: &FunctionEntry,
        _queue: &str,
        batch: &[ReceivedMessage],
    ) -> Result<Vec<bool>, InvocationFailed> {
        let (runner, deadline) = (self.runner(function)?, self.ports.clock.now() + function.lambda_timeout());
        let mut done = vec![];
        for message in batch {
            let delivered = runner.deliver(&message.text, message.receives, deadline).await;
            if let Err(error) = &delivered {
                tracing::warn!(function = function.name, %error, "a message is left for redelivery");
            }
            done.push(delivered.is_ok());
        }
        Ok(done)
    }

    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, InvocationFailed> {
        let (runner, deadline) = (self.runner(function)?, self.ports.clock.now() + function.lambda_timeout());
        runner.invoke(payload, deadline).await.map_err(|error| InvocationFailed::new(error.to_string()))
    }
}

/// Functions that are binaries, by their names in the manifest: each invocation goes to a process through the Runtime
/// API.
pub(crate) struct Programs {
    ports: Ports,
    gate: Arc<Gate>,
    pools: RwLock<HashMap<String, Arc<Pool>>>,
    new_pool: Box<dyn Fn(Program) -> Pool + Send + Sync>,
}

impl Programs {
    /// No functions yet, over these ports; `new_pool` makes the processes of each.
    pub fn new(ports: Ports, new_pool: impl Fn(Program) -> Pool + Send + Sync + 'static) -> Self {
        let gate = Arc::new(Gate::new(PAUSED_WITHIN));
        Self { ports, gate, pools: RwLock::default(), new_pool: Box::new(new_pool) }
    }

    /// Makes the functions these. What runs of one that has changed, or is gone, runs to its end.
    pub fn deploy(&self, programs: Vec<Program>) {
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        let mut former = std::mem::take(&mut *pools);
        for program in programs {
            let name = program.function.clone();
            let pool = match former.remove(&name) {
                Some(pool) => {
                    pool.replace(program);
                    pool
                }
                None => Arc::new((self.new_pool)(program)),
            };
            pools.insert(name, pool);
        }
        former.values().for_each(|pool| pool.stop());
    }

    /// Ends their processes.
    pub fn stop(&self) {
        self.deploy(vec![]);
    }

    async fn invoke(&self, function: &FunctionEntry, payload: Payload) -> Result<Ended, InvocationFailed> {
        let pool = self.pools.read().unwrap_or_else(PoisonError::into_inner).get(&function.name).cloned();
        pool.ok_or_else(|| unknown(function))?.invoke(payload).await
    }

    /// The payload of a batch. A task's queue gives one message at a time, which may be taken for its function.
    fn payload(
        &self,
        function: &FunctionEntry,
        queue: &str,
        batch: &[ReceivedMessage],
    ) -> Result<Payload, InvocationFailed> {
        if let (Holds::Task(task), [message]) = (&function.holds, batch) {
            return Ok(Payload::Message(Arc::new(TaskMessage {
                queue: queue.to_owned(),
                receipt: message.receipt.to_string(),
                text: message.text.clone(),
                receives: message.receives,
                policy: task.policy.clone(),
                ports: self.ports.clone(),
                gate: self.gate.clone(),
            })));
        }
        let records: Vec<SqsRecord<'_>> = batch.iter().map(record).collect();
        let event = batch_event(queue, &records).map_err(|error| InvocationFailed::new(error.to_string()))?;
        Ok(Payload::Event(event.into()))
    }
}

#[async_trait]
impl Invoke for Programs {
    async fn deliver(
        &self,
        function: &FunctionEntry,
        queue: &str,
        batch: &[ReceivedMessage],
    ) -> Result<Vec<bool>, InvocationFailed> {
        let ids: Vec<String> = batch.iter().map(|message| message.receipt.to_string()).collect();
        let mut payload = self.payload(function, queue, batch)?;
        let answer = loop {
            let attempt = match self.invoke(function, payload).await? {
                Ended::Attempt(attempt) => *attempt,
                ended => break answer(ended)?,
            };
            let until = self.ports.clock.now() + function.lambda_timeout();
            let left = end(&self.ports, attempt, until).await;
            match left.map_err(|error| InvocationFailed::new(error.to_string()))? {
                Some(taken) => payload = Payload::Taken(Arc::new(taken)),
                None => return Ok(vec![true]),
            }
        };
        let failed = failed_items(&answer, &ids.iter().cloned().collect::<BTreeSet<_>>());
        Ok(ids.iter().map(|id| !failed.contains(id)).collect())
    }

    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, InvocationFailed> {
        let failed =
            |what, error: &dyn std::error::Error| InvocationFailed::new(format!("the answer is {what}: {error}"));
        let answer = answer(self.invoke(function, Payload::Event(payload.text().to_owned().into())).await?)?;
        let text = String::from_utf8(answer.into()).map_err(|error| failed("no text", &error))?;
        Json::from_text(text).map_err(|error| failed("no JSON", &error))
    }
}

fn record(message: &ReceivedMessage) -> SqsRecord<'_> {
    let receipt_handle = message.receipt.to_string();
    SqsRecord { message_id: receipt_handle.clone(), receipt_handle, body: &message.text, receives: message.receives }
}

/// The answer of an invocation that was given no run.
fn answer(ended: Ended) -> Result<Bytes, InvocationFailed> {
    match ended {
        Ended::Answered(answer) => Ok(answer),
        _ => Err(InvocationFailed::new("the answer is an attempt at a run that was not given")),
    }
}

fn unknown(function: &FunctionEntry) -> InvocationFailed {
    InvocationFailed::new(format!("no function is named {}", function.name))
}
