//! The ports as a process sees them that may die, be throttled, or not hear the reply.

use std::sync::Arc;

use async_trait::async_trait;
use dacapo_core::port::{ExecutionStatus, Outbox, PortResult, Ports, Probe, Records, post_after};
use dacapo_domain::{
    Claim, Created, Effect, Header, Json, LogLine, Machine, OwnedQuery, Page, Phase, Query, RecordKey, RunMessage,
    RunRecord, Saved, StoredRecord, Write,
};
use jiff::Timestamp;

use crate::{
    faults::Service::{self, DynamoDb, Scheduler, Sqs, StepFunctions},
    plan::FaultPlan,
    trace::short,
};

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
pub struct FaultyPorts {
    ports: Ports,
    plan: Arc<FaultPlan>,
    messages: Vec<RunMessage>,
}

impl FaultyPorts {
    /// The ports as a process sees them that was given these messages.
    pub fn wrap(ports: &Ports, plan: &Arc<FaultPlan>, messages: Vec<RunMessage>) -> Ports {
        let clock = plan.clock();
        let faulty = Arc::new(Self { ports: ports.clone(), plan: plan.clone(), messages });
        Ports { records: faulty.clone(), outbox: faulty.clone(), probe: faulty, clock }
    }

    /// A call of the records, as the account has it.
    async fn call<T>(
        &self,
        what: impl FnOnce() -> String,
        call: impl Future<Output = PortResult<T>>,
        said: impl FnOnce(&T) -> String,
    ) -> PortResult<T> {
        self.plan.process().call(what, self.plan.inject(DynamoDb, call), said).await
    }

    /// Named for one purpose: an attempt is taken by the message that calls for it alone.
    fn watch_purpose(&self, write: &Write) {
        if self.messages.is_empty() || write.header.key.kind != RunRecord::KIND {
            return;
        }
        let Ok(run) = write.document.parse::<RunRecord>() else { return };
        let is_taken = matches!(run.phase, Phase::Running { lease, .. } if lease.token == run.version);
        let mut purposes = self.messages.iter().filter(|message| message.run == run.id).map(|message| message.purpose);
        let (first, is_meant) = (purposes.clone().next(), purposes.any(|purpose| purpose == run.purpose()));
        if let (true, Some(first), false) = (is_taken, first, is_meant) {
            let what =
                format!("run {} was taken for {:?} by a message that called for {first:?}", run.id, run.purpose());
            self.plan.process().trace().breach(what);
        }
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
        let create = self.ports.records.create(&write, claim.as_ref());
        let created = self.call(|| format!("create {}", told(&write)), create, told_of_creation).await?;
        if created == Created::New {
            post_after(self, &after).await;
        }
        Ok(created)
    }

    async fn load(&self, of: &RecordKey) -> PortResult<Option<StoredRecord>> {
        let load = self.ports.records.load(of);
        self.call(|| format!("load {}", key(of)), load, |found| told_of_load(found.as_ref())).await
    }

    async fn peek(&self, keys: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        self.plan.inject(DynamoDb, self.ports.records.peek(keys)).await
    }

    async fn gather(&self, of: &RecordKey, set: &str, members: &[String]) -> PortResult<Option<StoredRecord>> {
        let gather = self.ports.records.gather(of, set, members);
        self.call(
            || format!("gather {members:?} into {set} of {}", key(of)),
            gather,
            |found| told_of_load(found.as_ref()),
        )
        .await
    }

    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        let (write, after) = self.split(write);
        self.watch_purpose(&write);
        let save = self.ports.records.save(seen, &write);
        let saved = self.call(|| format!("save {}", told(&write)), save, told_of_save).await?;
        if matches!(saved, Saved::Done(_)) {
            post_after(self, &after).await;
        }
        Ok(saved)
    }

    async fn delete(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        if !self.plan.effects_are_apart() {
            let effects = self.disturb(effects);
            let delete = self.ports.records.delete(seen, &effects);
            return self.call(|| format!("delete {}", key(&seen.key)), delete, ToString::to_string).await;
        }
        let delete = self.ports.records.delete(seen, &[]);
        let is_deleted = self.call(|| format!("delete {}", key(&seen.key)), delete, ToString::to_string).await?;
        if is_deleted {
            post_after(self, effects).await;
        }
        Ok(is_deleted)
    }

    async fn postpone(&self, of: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<bool> {
        let postpone = self.ports.records.postpone(of, seen, until);
        self.call(|| format!("postpone {} to {until}", key(of)), postpone, ToString::to_string).await
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

    async fn append(&self, of: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        let append = self.ports.records.append(of, lines);
        self.call(|| format!("append {} lines to the log of {}", lines.len(), key(of)), append, |()| "done".to_owned())
            .await
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
        let posted = self.plan.inject(service_of(effect), post);
        self.plan.process().call(|| effect.to_string(), posted, |()| "done".to_owned()).await
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

fn key(key: &RecordKey) -> String {
    format!("{} {}", key.kind, short(&key.id))
}

/// A record's write, as the account has it: of a run, what it is then.
fn told(write: &Write) -> String {
    format!("{}{}", key(&write.header.key), state(&write.header.key, &write.document))
}

fn state(key: &RecordKey, document: &Json) -> String {
    match document.parse::<RunRecord>() {
        Ok(run) if key.kind == RunRecord::KIND => {
            let abort = if run.abort().is_some() { ", to be aborted" } else { "" };
            format!(" ({:?}, iteration {}, attempt {}{abort})", run.phase.name(), run.iteration, run.attempt)
        }
        _ => String::new(),
    }
}

fn told_of_load(found: Option<&StoredRecord>) -> String {
    found.map_or("none".to_owned(), |found| format!("there{}", state(&found.header.key, &found.document)))
}

fn told_of_creation(created: &Created) -> String {
    match created {
        Created::New => "new".to_owned(),
        Created::Exists(found) => told_of_load(Some(found)),
        Created::Claimed(found) => format!("its key is taken by {}", key(&found.header.key)),
    }
}

fn told_of_save(saved: &Saved) -> String {
    match saved {
        Saved::Done(_) => "done".to_owned(),
        Saved::Lost(found) => format!("lost, {}", told_of_load(found.as_ref())),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use dacapo_core::port::Clock;
    use dacapo_domain::{DeliveryMessage, Message, NewRun, Trigger};
    use dacapo_local::sqlite::{Database, QueueSpec};

    use super::*;
    use crate::{clock::VirtualClock, faults::Faults, plan::Dice};

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
        let ports = FaultyPorts::wrap(&database.ports(), &plan, vec![]);
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
