//! Queues: what limits the load of tasks, and is paused and resumed. A task that names none has its own, of its name.

use std::collections::BTreeMap;

use dacapo_core::{
    commit::{PATIENCE, read_record},
    queues::{pause_queue, resume_queue},
};
use dacapo_domain::{Limit, Limits, Manifest, PoolId, PoolRecord, TaskEntry, later};
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
        let manifest = self.client.manifest().await?;
        let mut all = vec![];
        for (name, tasks) in queues(&manifest) {
            all.push(self.state(name, tasks, None).await?);
        }
        Ok(all)
    }

    /// Pauses a queue: what executes ends, what is due waits, and a new run is `created`. It stays paused over deploys.
    /// Functions hear of it within a minute; those whose queue has limits at once.
    ///
    /// # Errors
    /// `NotFound` if there is no such queue.
    pub async fn pause(&self, name: &str) -> Result<QueueState, Error> {
        self.change(name, true).await
    }

    /// Resumes a queue: what waits comes in the order in which it was due, as its limits let it; up to a hundred a second
    /// where it has none.
    ///
    /// # Errors
    /// `NotFound` if there is no such queue.
    pub async fn resume(&self, name: &str) -> Result<QueueState, Error> {
        self.change(name, false).await
    }

    async fn change(&self, name: &str, pause: bool) -> Result<QueueState, Error> {
        let manifest = self.client.manifest().await?;
        let mut all = queues(&manifest);
        let Some(tasks) = all.remove(name) else {
            let known: Vec<&str> = all.keys().map(String::as_str).collect();
            let text = format!("find a queue named {name:?}{}", suggestion(name, &known));
            return Err(Error::new(ErrorKind::NotFound, text));
        };
        let (pool, limit) = pool_of(&tasks);
        let (ports, until) = (self.client.ports(), later(self.client.ports().clock.now(), PATIENCE));
        let record = match pause {
            true => pause_queue(ports, &pool, limit, until).await?,
            false => resume_queue(ports, &pool, limit, until).await?,
        };
        self.state(name.to_owned(), tasks, Some(record)).await
    }

    async fn state(
        &self,
        name: String,
        tasks: Vec<&TaskEntry>,
        known: Option<PoolRecord>,
    ) -> Result<QueueState, Error> {
        let (pool, limit) = pool_of(&tasks);
        let stored = match known {
            Some(record) => Some(record),
            None => {
                let found = self.client.ports().records.peek(&[pool.record_key()]).await?.pop();
                found.map(read_record::<PoolRecord>).transpose()?.map(|stored| stored.record)
            }
        };
        let record = stored.unwrap_or_else(|| PoolRecord::fresh(pool));
        Ok(QueueState {
            name,
            limits: tasks.first().map(|task| task.policy.limits.clone()).unwrap_or_default(),
            tasks: tasks.iter().map(|task| task.name.clone()).collect(),
            executing: limit.concurrency.map(|_| record.permits.len()),
            has_waiting: record.has_waiting,
            paused_at: record.paused_at,
        })
    }
}

/// The tasks of each queue.
fn queues(manifest: &Manifest) -> BTreeMap<String, Vec<&TaskEntry>> {
    let mut queues = BTreeMap::new();
    for (_, task) in manifest.tasks() {
        let name = task.policy.limits.queue.clone().unwrap_or_else(|| task.name.clone());
        queues.entry(name).or_insert_with(Vec::new).push(task);
    }
    queues
}

fn pool_of(tasks: &[&TaskEntry]) -> (PoolId, Limit) {
    let of = |task: &&TaskEntry| {
        let limits = &task.policy.limits;
        (PoolId { scope: limits.scope(&task.name), key: None }, limits.total)
    };
    tasks.first().map(of).unwrap_or_else(|| (PoolId::of_queue(""), Limit::default()))
}
