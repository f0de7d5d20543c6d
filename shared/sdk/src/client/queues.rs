//! Queues: what limits the load of tasks, and is paused and resumed. A task that names none has its own, of its name.

use dacapo_core::{
    commit::{PATIENCE, read_record},
    queues::{pause_queue, resume_queue},
};
use dacapo_domain::{Limits, PoolRecord, Queue, later};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Client, suggestion};
use crate::{Error, ErrorKind};

/// The queues of an app, as a program uses them.
pub struct QueueClient {
    client: Client,
}

/// A queue as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueState {
    /// The name: the queue's, or that of the one task that has it.
    pub name: String,
    /// The tasks that share it.
    pub tasks: Vec<String>,
    /// The limits that they share.
    pub limits: Limits,
    /// Attempts that have a place, where it has `concurrency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executing: Option<usize>,
    /// Is true where runs wait for a place, or for the queue to be resumed.
    pub has_waiting: bool,
    /// The time since which it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
}

impl QueueClient {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// All queues, by name.
    ///
    /// # Errors
    /// `NotDeployed` if the app was never deployed.
    pub async fn list(&self) -> Result<Vec<QueueState>, Error> {
        let queues = self.client.manifest().await?.queues();
        let keys: Vec<_> = queues.values().map(|queue| queue.pool.record_key()).collect();
        let found = self.client.ports().records.peek(&keys).await?.into_iter().map(read_record::<PoolRecord>);
        let found = found.map(|stored| Ok(stored?.record)).collect::<Result<Vec<_>, Error>>()?;
        let state = |(name, queue): (String, Queue)| {
            let record = found.iter().find(|record| record.id == queue.pool);
            QueueState::of(name, queue, record)
        };
        Ok(queues.into_iter().map(state).collect())
    }

    /// Pauses a queue: what executes ends, what is due waits, and a new run is `created`. It stays paused over deploys.
    /// Functions hear of it within a minute; those whose queue has limits at once.
    ///
    /// # Errors
    /// `NotFound` if there is no such queue.
    pub async fn pause(&self, name: &str) -> Result<QueueState, Error> {
        let (queue, until) = self.find(name).await?;
        let record = pause_queue(self.client.ports(), &queue.pool, queue.limits.total, until).await?;
        Ok(QueueState::of(name.to_owned(), queue, Some(&record)))
    }

    /// Resumes a queue: what waits comes in the order in which it was due, as its limits let it; up to a hundred a second
    /// where it has none.
    ///
    /// # Errors
    /// `NotFound` if there is no such queue.
    pub async fn resume(&self, name: &str) -> Result<QueueState, Error> {
        let (queue, until) = self.find(name).await?;
        let record = resume_queue(self.client.ports(), &queue.pool, queue.limits.total, until).await?;
        Ok(QueueState::of(name.to_owned(), queue, Some(&record)))
    }

    /// A queue, and until when it is changed.
    async fn find(&self, name: &str) -> Result<(Queue, Timestamp), Error> {
        let mut queues = self.client.manifest().await?.queues();
        let Some(queue) = queues.remove(name) else {
            let known: Vec<&str> = queues.keys().map(String::as_str).collect();
            let text = format!("find a queue named {name:?}{}", suggestion(name, &known));
            return Err(Error::new(ErrorKind::NotFound, text));
        };
        Ok((queue, later(self.client.ports().clock.now(), PATIENCE)))
    }
}

impl QueueState {
    fn of(name: String, queue: Queue, record: Option<&PoolRecord>) -> Self {
        let Queue { tasks, limits, .. } = queue;
        let executing = limits.total.concurrency.map(|_| record.map_or(0, |record| record.permits.len()));
        let has_waiting = record.is_some_and(|record| record.has_waiting);
        Self { name, tasks, limits, executing, has_waiting, paused_at: record.and_then(|record| record.paused_at) }
    }
}
