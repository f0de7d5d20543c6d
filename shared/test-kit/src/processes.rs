//! Processes that may die, be throttled, or not hear the reply, and their invocations.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use dacapo_core::{
    function::Handlers,
    port::{PortError, Ports},
    queues::Gate,
    runner::{end, take},
};
use dacapo_domain::{FunctionEntry, Holds, Invocation, Json, Message, RunMessage, TaskEntry, WaitLoopAnswer};
use dacapo_local::{
    InvocationFailed,
    engine::{InProcess, Invoke, WithConductor},
    sqlite::ReceivedMessage,
};
use futures::future::join;

#[cfg(feature = "planted-bugs")]
use crate::planted;
use crate::{
    faults::{Faults, Service::Lambda},
    plan::{Dice, FaultPlan},
    ports::FaultyPorts,
    trace::short,
};

/// The pause of a state machine before it invokes a function again that was throttled.
const AGAIN: Duration = Duration::from_secs(1);

/// Invokes functions and the conductor, each time in a new process as far as they can tell.
pub struct FaultyProcesses {
    ports: Ports,
    functions: HashMap<String, Handlers>,
    variables: BTreeMap<String, String>,
    faults: Faults,
    dice: Dice,
}

impl FaultyProcesses {
    pub fn new(
        ports: Ports,
        functions: HashMap<String, Handlers>,
        variables: BTreeMap<String, String>,
        faults: Faults,
        dice: Dice,
    ) -> Self {
        Self { ports, functions, variables, faults, dice }
    }

    fn plan(&self) -> FaultPlan {
        FaultPlan::new(self.faults.clone(), self.dice.clone(), self.ports.clock.clone())
    }

    /// Lets a new process do its work on messages, or on none, unless it dies before.
    async fn process<T>(
        &self,
        what: impl FnOnce() -> String,
        function: &FunctionEntry,
        messages: Vec<RunMessage>,
        work: impl AsyncFnOnce(Ports, InProcess) -> Result<T, InvocationFailed>,
    ) -> Result<T, InvocationFailed> {
        let plan = Arc::new(self.plan());
        plan.process().note(what);
        let ports = FaultyPorts::wrap(&self.ports, &plan, messages);
        let functions = InProcess::new(ports.clone(), self.functions.clone()).with(self.variables.clone());
        let done = tokio::select! {
            biased;
            () = plan.died() => Err(InvocationFailed::new("the process died")),
            () = tokio::time::sleep(function.lambda_timeout()) => Err(InvocationFailed::new("its time is over")),
            done = work(ports, functions) => done,
        };
        plan.process().note(|| match &done {
            Ok(_) => "ends".to_owned(),
            Err(failed) => format!("fails: {failed}"),
        });
        done
    }

    /// Takes a run's message for its function and commits the end of its attempt, as the embedded engine does; processes
    /// do what is to be done.
    async fn take_and_deliver(
        &self,
        function: &FunctionEntry,
        run: RunMessage,
        task: &TaskEntry,
    ) -> Result<(), InvocationFailed> {
        let failed = |error: PortError| InvocationFailed::new(error.to_string());
        let until = self.ports.clock.now() + function.lambda_timeout();
        let mut left = take(&self.ports, &Gate::open(), run, &task.policy, until).await.map_err(failed)?;
        while let Some(taken) = left {
            let work = async |_, functions: InProcess| functions.deliver_taken(function, taken).await;
            left = match self.process(|| "does what was taken".to_owned(), function, vec![], work).await? {
                Some(attempt) => end(&self.ports, attempt, until).await.map_err(failed)?,
                None => None,
            };
        }
        Ok(())
    }
}

#[async_trait]
impl Invoke for FaultyProcesses {
    async fn deliver(
        &self,
        function: &FunctionEntry,
        queue: &str,
        batch: &[ReceivedMessage],
    ) -> Result<Vec<bool>, InvocationFailed> {
        let messages: Vec<Message> =
            batch.iter().filter_map(|message| Message::from_text(&message.text).ok()).collect();
        let what = || format!("{queue} gets {}", messages.iter().map(told).collect::<Vec<_>>().join("; "));
        let plan = self.plan();
        if plan.is_throttled(Lambda) {
            plan.process().note(what);
            return Err(InvocationFailed::new("throttled (a fault of the test)"));
        }
        if !self.faults.effects_apart
            && let (Holds::Task(task), [Message::Run(run)]) = (&function.holds, &messages[..])
        {
            plan.process().note(what);
            return self.take_and_deliver(function, run.clone(), task).await.map(|()| vec![true]);
        }
        let runs = messages.iter().filter_map(|message| match message {
            Message::Run(run) => Some(run.clone()),
            _ => None,
        });
        #[cfg(feature = "planted-bugs")]
        let batch = &planted::delivered(self.faults.bug, &self.ports, batch).await[..];
        let deliver = async |ports, functions| {
            WithConductor::new(ports, Arc::new(functions)).deliver(function, queue, batch).await
        };
        let done = self.process(what, function, runs.collect(), deliver).await;
        #[cfg(feature = "planted-bugs")]
        let done = planted::acknowledged(self.faults.bug, done, batch.len());
        done
    }

    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, InvocationFailed> {
        while self.plan().is_throttled(Lambda) {
            tokio::time::sleep(AGAIN).await;
        }
        let given = payload.clone();
        #[cfg(feature = "planted-bugs")]
        let given = planted::called(self.faults.bug, &self.ports, given).await;
        let answer = match self.plan().called_again() {
            // The first one goes on, and its answer comes to nobody.
            Some(after) => {
                let again = async {
                    tokio::time::sleep(after).await;
                    self.call_once(function, &given).await
                };
                join(self.call_once(function, &given), again).await.1
            }
            None => self.call_once(function, &given).await,
        };
        let answer = answer?;
        #[cfg(feature = "planted-bugs")]
        let answer = planted::answered(self.faults.bug, answer);
        self.watch_answer(&payload, &answer);
        Ok(answer)
    }
}

impl FaultyProcesses {
    async fn call_once(&self, function: &FunctionEntry, payload: &Json) -> Result<Json, InvocationFailed> {
        let what = || format!("{} is called with {}", function.name, payload.text());
        let called = payload.clone();
        let call = async |ports, functions| WithConductor::new(ports, Arc::new(functions)).call(function, called).await;
        self.process(what, function, vec![], call).await
    }

    /// One driver: an execution goes on as that of its own generation, or not at all.
    fn watch_answer(&self, payload: &Json, answer: &Json) {
        let Some(trace) = &self.faults.trace else { return };
        trace.note(|| format!("  is answered {}", answer.text()));
        if let (Some(Ok(Invocation::Loop(call))), Ok(WaitLoopAnswer::Wait { call: next, .. })) =
            (Invocation::read(payload), answer.parse())
            && next.generation != call.generation
        {
            let (run, generation) = (call.run, call.generation);
            trace.breach(format!("execution {generation} of run {run} goes on as {}", next.generation));
        }
    }
}

/// A message, as the account has it.
fn told(message: &Message) -> String {
    match message {
        Message::Run(RunMessage { run, purpose: p, .. }) => format!(
            "run {} (iteration {}, attempt {}, generation {}, revision {})",
            short(&run.to_string()),
            p.iteration,
            p.attempt,
            p.generation,
            p.revision
        ),
        Message::Event(event) => format!("event {} {} {}", event.name, short(&event.id.to_string()), event.body.text()),
        Message::Delivery(delivery) => format!("delivery {}, attempt {}", delivery.delivery, delivery.attempt),
        other => other.to_json().text().to_owned(),
    }
}
