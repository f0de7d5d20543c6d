//! Ports that cost next to nothing, so that what is measured is the runner: a map instead of a history, and every run
//! that is asked for has been created before.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use dacapo_core::port::{
    Created, Envelope, ExecutionStatus, ListFilter, LogEntry, Loops, Page, Payloads, PortError, PortErrorKind,
    PortResult, Ports, Queues, Saved, SavedDelivery, ScheduleItem, Schedules, Store, Stored, StoredDelivery,
    SystemClock, Timers, Watched,
};
use dacapo_domain::{Delivery, Id, Json, LoopCall, Manifest, Message, Run, Schedule};
use jiff::Timestamp;

/// The history.
struct Memory {
    runs: Mutex<HashMap<Id, Run>>,
    body: Json,
}

pub fn ports() -> Ports {
    let body = Json::of(&echo::Said::default()).unwrap_or_default();
    let memory = Arc::new(Memory { runs: Mutex::default(), body });
    Ports {
        store: memory.clone(),
        queues: memory.clone(),
        timers: memory.clone(),
        loops: memory.clone(),
        schedules: memory,
        clock: Arc::new(SystemClock),
    }
}

fn unused<T>() -> PortResult<T> {
    Err(PortError::new(PortErrorKind::Refused, "a run of one iteration needs none of this"))
}

#[async_trait]
impl Store for Memory {
    async fn save(&self, seen: &Run, next: &Run, payloads: &Payloads) -> PortResult<Saved> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = |run: &Run, payloads: &Payloads| {
            let Payloads { input, result } = payloads.clone();
            Box::new(Stored { run: run.clone(), body: Some(self.body.clone()), input, result })
        };
        if let Some(current) = runs.get(&next.id).filter(|current| current.version != seen.version) {
            return Ok(Saved::Lost(Some(stored(current, &Payloads::default()))));
        }
        if next.state.is_final() {
            runs.remove(&next.id);
        } else {
            runs.insert(next.id, next.clone());
        }
        Ok(Saved::Done(stored(next, payloads)))
    }

    async fn create(&self, _: &Run, _: &Json, _: Option<Timestamp>) -> PortResult<Created> {
        unused()
    }

    async fn load(&self, _: Id) -> PortResult<Option<Stored>> {
        unused()
    }

    async fn list(&self, _: &ListFilter) -> PortResult<Page> {
        unused()
    }

    async fn overdue(&self, _: Timestamp, _: usize) -> PortResult<Vec<Watched>> {
        unused()
    }

    async fn log(&self, _: Id, _: &[LogEntry]) -> PortResult<()> {
        unused()
    }

    async fn logs(&self, _: Id, _: Option<&str>, _: usize) -> PortResult<Vec<LogEntry>> {
        unused()
    }

    async fn create_delivery(&self, _: &Delivery, _: &Json) -> PortResult<SavedDelivery> {
        unused()
    }

    async fn load_delivery(&self, _: &str) -> PortResult<Option<StoredDelivery>> {
        unused()
    }

    async fn save_delivery(&self, _: &Delivery, _: &Delivery) -> PortResult<SavedDelivery> {
        unused()
    }

    async fn schedule(&self, _: &str) -> PortResult<Option<ScheduleItem>> {
        unused()
    }

    async fn save_schedule(&self, _: Option<&ScheduleItem>, _: &ScheduleItem) -> PortResult<bool> {
        unused()
    }

    async fn delete_schedule(&self, _: &str) -> PortResult<()> {
        unused()
    }

    async fn schedules(&self) -> PortResult<Vec<ScheduleItem>> {
        unused()
    }

    async fn manifest(&self) -> PortResult<Option<Manifest>> {
        unused()
    }

    async fn put_manifest(&self, _: &Manifest) -> PortResult<()> {
        unused()
    }
}

#[async_trait]
impl Queues for Memory {
    async fn send(&self, _: &str, _: &Envelope) -> PortResult<()> {
        unused()
    }

    async fn has_backlog(&self, _: &str) -> PortResult<bool> {
        unused()
    }

    async fn dead_letter(&self, _: &str, _: &str) -> PortResult<()> {
        unused()
    }
}

#[async_trait]
impl Timers for Memory {
    async fn put(&self, _: &str, _: Timestamp, _: &str, _: &Message) -> PortResult<()> {
        unused()
    }

    async fn delete(&self, _: &str) -> PortResult<()> {
        unused()
    }
}

#[async_trait]
impl Loops for Memory {
    async fn start(&self, _: &str, _: &str, _: &LoopCall, _: Timestamp) -> PortResult<()> {
        unused()
    }

    async fn stop(&self, _: &str, _: &str) -> PortResult<()> {
        unused()
    }

    async fn status(&self, _: &str) -> PortResult<ExecutionStatus> {
        unused()
    }
}

#[async_trait]
impl Schedules for Memory {
    async fn put(&self, _: &str, _: &str, _: &Schedule) -> PortResult<()> {
        unused()
    }

    async fn delete(&self, _: &str) -> PortResult<()> {
        unused()
    }
}
