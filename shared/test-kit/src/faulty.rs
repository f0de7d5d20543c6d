//! Processes that may die, be throttled, or not hear the reply: the ports as they see them, and their invocations.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use dacapo_core::{
    function::Handlers,
    port::{ExecutionStatus, Outbox, PortError, PortResult, Ports, Probe, Records, post_after},
    queues::Gate,
    runner::{end, take},
};
use dacapo_domain::{
    Claim, Created, Effect, FunctionEntry, Header, Holds, Json, LogLine, Message, OwnedQuery, Page, Query, RecordKey,
    RunMessage, Saved, StoredRecord, TaskEntry, Write,
};
use dacapo_local::{
    InvocationFailed,
    engine::{InProcess, Invoke, WithConductor},
    sqlite::ReceivedMessage,
};
use jiff::Timestamp;

use crate::faults::{
    Dice, FaultPlan, Faults,
    Service::{self, DynamoDb, Lambda, Scheduler, Sqs, StepFunctions},
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
        FaultPlan::new(self.faults, self.dice.clone(), self.ports.clock.clone())
    }

    /// Lets a new process do its work, unless it dies before.
    async fn process<T>(
        &self,
        work: impl AsyncFnOnce(Ports, InProcess) -> Result<T, InvocationFailed>,
    ) -> Result<T, InvocationFailed> {
        let plan = Arc::new(self.plan());
        let ports = FaultyPorts::wrap(&self.ports, &plan);
        let functions = InProcess::new(ports.clone(), self.functions.clone()).with(self.variables.clone());
        tokio::select! {
            biased;
            () = plan.died() => Err(InvocationFailed::new("the process died")),
            done = work(ports, functions) => done,
        }
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
            left = match self.process(work).await? {
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
        if self.plan().is_throttled(Lambda) {
            return Err(InvocationFailed::new("throttled (a fault of the test)"));
        }
        if !self.faults.effects_apart
            && let (Holds::Task(task), [message]) = (&function.holds, batch)
            && let Ok(Message::Run(run)) = Message::from_text(&message.text)
        {
            return self.take_and_deliver(function, run, task).await.map(|()| vec![true]);
        }
        let deliver = async |ports, functions| {
            WithConductor::new(ports, Arc::new(functions)).deliver(function, queue, batch).await
        };
        self.process(deliver).await
    }

    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, InvocationFailed> {
        while self.plan().is_throttled(Lambda) {
            tokio::time::sleep(AGAIN).await;
        }
        let call =
            async |ports, functions| WithConductor::new(ports, Arc::new(functions)).call(function, payload).await;
        self.process(call).await
    }
}

/// The service that an effect is a call of.
const fn service_of(effect: &Effect) -> Service {
    match effect {
        Effect::Send { .. } | Effect::DeadLetter { .. } => Sqs,
        Effect::SendAt { .. }
        | Effect::CancelTimer { .. }
        | Effect::PutSchedule { .. }
        | Effect::DeleteSchedule { .. } => Scheduler,
        Effect::StartWaitLoop { .. } | Effect::StopWaitLoop { .. } => StepFunctions,
    }
}

/// The ports of one process.
struct FaultyPorts {
    ports: Ports,
    plan: Arc<FaultPlan>,
}

impl FaultyPorts {
    fn wrap(ports: &Ports, plan: &Arc<FaultPlan>) -> Ports {
        let faulty = Arc::new(Self { ports: ports.clone(), plan: plan.clone() });
        Ports { records: faulty.clone(), outbox: faulty.clone(), probe: faulty, clock: ports.clock.clone() }
    }

    fn disturb(&self, effects: &[Effect]) -> Vec<Effect> {
        effects.iter().flat_map(|effect| self.plan.disturb(effect)).collect()
    }

    /// A write as it is called for, and the effects that are called for after it.
    fn split(&self, write: &Write) -> (Write, Vec<Effect>) {
        if self.plan.effects_are_apart() {
            return (Write { effects: vec![], ..write.clone() }, write.effects.clone());
        }
        (Write { effects: self.disturb(&write.effects), ..write.clone() }, vec![])
    }
}

#[async_trait]
impl Records for FaultyPorts {
    async fn create(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        let (write, mut after) = self.split(write);
        let claim = claim.map(|claim| {
            let (write, its) = self.split(&claim.write);
            after.extend(its);
            Claim { write, seen: claim.seen }
        });
        let created = self.plan.inject(DynamoDb, self.ports.records.create(&write, claim.as_ref())).await?;
        if created == Created::New {
            post_after(self, &after).await;
        }
        Ok(created)
    }

    async fn load(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        self.plan.inject(DynamoDb, self.ports.records.load(key)).await
    }

    async fn peek(&self, keys: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        self.plan.inject(DynamoDb, self.ports.records.peek(keys)).await
    }

    async fn gather(&self, key: &RecordKey, set: &str, members: &[String]) -> PortResult<Option<StoredRecord>> {
        self.plan.inject(DynamoDb, self.ports.records.gather(key, set, members)).await
    }

    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        let (write, after) = self.split(write);
        let saved = self.plan.inject(DynamoDb, self.ports.records.save(seen, &write)).await?;
        if matches!(saved, Saved::Done(_)) {
            post_after(self, &after).await;
        }
        Ok(saved)
    }

    async fn delete(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        if !self.plan.effects_are_apart() {
            return self.plan.inject(DynamoDb, self.ports.records.delete(seen, &self.disturb(effects))).await;
        }
        let is_deleted = self.plan.inject(DynamoDb, self.ports.records.delete(seen, &[])).await?;
        if is_deleted {
            post_after(self, effects).await;
        }
        Ok(is_deleted)
    }

    async fn postpone(&self, key: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<bool> {
        self.plan.inject(DynamoDb, self.ports.records.postpone(key, seen, until)).await
    }

    async fn expire_overflow(&self, seen: &Header) -> PortResult<()> {
        self.plan.inject(DynamoDb, self.ports.records.expire_overflow(seen)).await
    }

    async fn query(&self, query: &Query) -> PortResult<Page> {
        self.plan.inject(DynamoDb, self.ports.records.query(query)).await
    }

    async fn owned(&self, query: &OwnedQuery) -> PortResult<Vec<StoredRecord>> {
        self.plan.inject(DynamoDb, self.ports.records.owned(query)).await
    }

    async fn append(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        self.plan.inject(DynamoDb, self.ports.records.append(key, lines)).await
    }

    async fn read_log(&self, key: &RecordKey, after: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.plan.inject(DynamoDb, self.ports.records.read_log(key, after, limit)).await
    }

    async fn read_log_back(&self, key: &RecordKey, before: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.plan.inject(DynamoDb, self.ports.records.read_log_back(key, before, limit)).await
    }
}

#[async_trait]
impl Outbox for FaultyPorts {
    async fn post(&self, effect: &Effect) -> PortResult<()> {
        let post = async {
            for effect in self.plan.disturb(effect) {
                self.ports.outbox.post(&effect).await?;
            }
            Ok(())
        };
        self.plan.inject(service_of(effect), post).await
    }
}

#[async_trait]
impl Probe for FaultyPorts {
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        self.plan.inject(Sqs, self.ports.probe.has_backlog(function)).await
    }

    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus> {
        self.plan.inject(StepFunctions, self.ports.probe.execution_status(execution)).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dacapo_core::port::Clock;
    use dacapo_domain::{DeliveryMessage, Machine, NewRun, RunRecord, Trigger};
    use dacapo_local::sqlite::{Database, QueueSpec};

    use super::*;
    use crate::clock::VirtualClock;

    /// A process that stores a record with two messages; says whether it is stored, and how many messages are sent.
    async fn store(seed: u64, effects_apart: bool) -> (bool, usize) {
        let clock = Arc::new(VirtualClock::new(seed));
        let database = Database::memory(clock.clone()).unwrap();
        let (function, visibility) = ("greet".to_owned(), Duration::from_secs(30));
        let queue = QueueSpec { function, visibility, max_receives: None, has_dead_letters: false };
        database.declare_queue(&queue).await.unwrap();
        let message = |id: &str| Message::Delivery(DeliveryMessage { delivery: id.to_owned(), attempt: 1 });
        let new = NewRun::at(clock.new_id(), "greet", clock.now(), Trigger::Run);
        let mut decision = RunRecord::create(new, &clock.decision_context());
        decision.effects = ["a", "b"].map(|id| Effect::send("greet", &message(id))).into();

        let faults = Faults { crash: 0.3, throttle: 0.3, effects_apart, ..Faults::none() };
        let plan = Arc::new(FaultPlan::new(faults, Dice::new(seed), clock.clone()));
        let ports = FaultyPorts::wrap(&database.ports(), &plan);
        let write = decision.write().unwrap();
        tokio::select! {
            _ = ports.records.create(&write, None) => {}
            () = plan.died() => {}
        }
        let is_stored = database.load(&decision.record.header().key).await.unwrap().is_some();
        (is_stored, database.receive("greet", 10).await.unwrap().len())
    }

    async fn outcomes(effects_apart: bool) -> BTreeSet<(bool, usize)> {
        let mut outcomes = BTreeSet::new();
        for seed in 0..200 {
            outcomes.insert(store(seed, effects_apart).await);
        }
        outcomes
    }

    #[tokio::test]
    async fn effects_of_a_write_are_lost_one_by_one_where_they_come_after_it() {
        assert_eq!(outcomes(true).await, [(false, 0), (true, 0), (true, 1), (true, 2)].into());
    }

    #[tokio::test]
    async fn effects_of_a_write_are_there_with_it_where_they_are_part_of_it() {
        assert_eq!(outcomes(false).await, [(false, 0), (true, 2)].into());
    }
}
