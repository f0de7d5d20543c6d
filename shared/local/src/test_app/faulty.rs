//! The ports as a process sees them that may die, be throttled, or not hear the answer.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dacapo_core::port::{
    Created, Envelope, ExecutionStatus, ListFilter, LogEntry, Loops, Page, Payloads, PortResult, Ports, Queues, Saved,
    SavedDelivery, ScheduleItem, Schedules, Store, Stored, StoredDelivery, Timers, Watched,
};
use dacapo_domain::{Delivery, Id, Json, LoopCall, Manifest, Message, Run, Schedule, limits};
use jiff::Timestamp;

use super::faults::Fate;

/// How much later than asked for a message comes, at most.
const LATEST_MESSAGE: Duration = Duration::from_secs(5);
/// The same for a timer: Scheduler's precision.
const LATEST_TIMER: Duration = Duration::from_secs(60);

/// Ports that go wrong as fate has it.
pub struct Faulty {
    ports: Ports,
    fate: Arc<Fate>,
}

impl Faulty {
    pub(super) fn wrap(ports: &Ports, fate: &Arc<Fate>) -> Ports {
        let faulty = Arc::new(Self { ports: ports.clone(), fate: fate.clone() });
        Ports {
            store: faulty.clone(),
            queues: faulty.clone(),
            timers: faulty.clone(),
            loops: faulty.clone(),
            schedules: faulty,
            clock: ports.clock.clone(),
        }
    }
}

#[async_trait]
impl Store for Faulty {
    async fn create(&self, run: &Run, body: &Json, key_until: Option<Timestamp>) -> PortResult<Created> {
        self.fate.meet(self.ports.store.create(run, body, key_until)).await
    }

    async fn load(&self, id: Id) -> PortResult<Option<Stored>> {
        self.fate.meet(self.ports.store.load(id)).await
    }

    async fn save(&self, seen: &Run, next: &Run, payloads: &Payloads) -> PortResult<Saved> {
        self.fate.meet(self.ports.store.save(seen, next, payloads)).await
    }

    async fn list(&self, filter: &ListFilter) -> PortResult<Page> {
        self.fate.meet(self.ports.store.list(filter)).await
    }

    async fn overdue(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Watched>> {
        self.fate.meet(self.ports.store.overdue(now, limit)).await
    }

    async fn log(&self, id: Id, entries: &[LogEntry]) -> PortResult<()> {
        self.fate.meet(self.ports.store.log(id, entries)).await
    }

    async fn logs(&self, id: Id, after: Option<&str>, limit: usize) -> PortResult<Vec<LogEntry>> {
        self.fate.meet(self.ports.store.logs(id, after, limit)).await
    }

    async fn create_delivery(&self, delivery: &Delivery, body: &Json) -> PortResult<SavedDelivery> {
        self.fate.meet(self.ports.store.create_delivery(delivery, body)).await
    }

    async fn load_delivery(&self, key: &str) -> PortResult<Option<StoredDelivery>> {
        self.fate.meet(self.ports.store.load_delivery(key)).await
    }

    async fn save_delivery(&self, seen: &Delivery, next: &Delivery) -> PortResult<SavedDelivery> {
        self.fate.meet(self.ports.store.save_delivery(seen, next)).await
    }

    async fn schedule(&self, name: &str) -> PortResult<Option<ScheduleItem>> {
        self.fate.meet(self.ports.store.schedule(name)).await
    }

    async fn save_schedule(&self, seen: Option<&ScheduleItem>, next: &ScheduleItem) -> PortResult<bool> {
        self.fate.meet(self.ports.store.save_schedule(seen, next)).await
    }

    async fn delete_schedule(&self, name: &str) -> PortResult<()> {
        self.fate.meet(self.ports.store.delete_schedule(name)).await
    }

    async fn schedules(&self) -> PortResult<Vec<ScheduleItem>> {
        self.fate.meet(self.ports.store.schedules()).await
    }

    async fn manifest(&self) -> PortResult<Option<Manifest>> {
        self.fate.meet(self.ports.store.manifest()).await
    }

    async fn put_manifest(&self, manifest: &Manifest) -> PortResult<()> {
        self.fate.meet(self.ports.store.put_manifest(manifest)).await
    }
}

#[async_trait]
impl Queues for Faulty {
    async fn send(&self, function: &str, envelope: &Envelope) -> PortResult<()> {
        let later = envelope.delay + self.fate.delay(LATEST_MESSAGE);
        let envelope = Envelope { delay: later.min(limits::MAX_QUEUE_DELAY), ..envelope.clone() };
        let send = async {
            if self.fate.duplicates() {
                self.ports.queues.send(function, &envelope).await?;
            }
            self.ports.queues.send(function, &envelope).await
        };
        self.fate.meet(send).await
    }

    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        self.fate.meet(self.ports.queues.has_backlog(function)).await
    }

    async fn dead_letter(&self, function: &str, text: &str) -> PortResult<()> {
        self.fate.meet(self.ports.queues.dead_letter(function, text)).await
    }
}

#[async_trait]
impl Timers for Faulty {
    async fn put(&self, name: &str, at: Timestamp, function: &str, message: &Message) -> PortResult<()> {
        let at = at + self.fate.delay(LATEST_TIMER);
        self.fate.meet(self.ports.timers.put(name, at, function, message)).await
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        self.fate.meet(self.ports.timers.delete(name)).await
    }
}

#[async_trait]
impl Loops for Faulty {
    async fn start(&self, name: &str, function: &str, call: &LoopCall, until: Timestamp) -> PortResult<()> {
        self.fate.meet(self.ports.loops.start(name, function, call, until)).await
    }

    async fn stop(&self, name: &str, cause: &str) -> PortResult<()> {
        self.fate.meet(self.ports.loops.stop(name, cause)).await
    }

    async fn status(&self, name: &str) -> PortResult<ExecutionStatus> {
        self.fate.meet(self.ports.loops.status(name)).await
    }
}

#[async_trait]
impl Schedules for Faulty {
    async fn put(&self, name: &str, function: &str, schedule: &Schedule) -> PortResult<()> {
        self.fate.meet(self.ports.schedules.put(name, function, schedule)).await
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        self.fate.meet(self.ports.schedules.delete(name)).await
    }
}
