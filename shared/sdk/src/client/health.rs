//! The health of an app, from a bounded number of reads.

use dacapo_domain::{DeliveryFilter, DeliveryState, Health, HealthFacts, ListFilter};
use futures::{StreamExt, TryStreamExt, stream};

use super::Client;
use crate::Error;

/// Last runs of a task that tell how many fail.
const LAST: usize = 50;
/// Lists that are read at once.
const AT_ONCE: usize = 8;

impl Client {
    /// The records of a list that [`Client::health`] counts, at most: where it tells of so many, there may be more.
    pub const HEALTH_COUNTS: usize = 1_000;

    /// The health of the app: its unfinished runs, up to 1,000 of those that are due first, the last 50 runs of each task,
    /// queues, and deliveries, up to 1,000 of a state. It takes as long at a million runs as at a thousand.
    ///
    /// # Errors
    /// `NotDeployed` if the app was never deployed; an error of the store.
    ///
    /// # Example: what to look at first
    ///
    /// ```
    /// use dacapo::{Client, Error, Finding};
    ///
    /// async fn is_failing(client: &Client) -> Result<bool, Error> {
    ///     let health = client.health().await?;
    ///     Ok(health.findings.iter().any(|finding| matches!(finding, Finding::Failing { .. })))
    /// }
    /// ```
    pub async fn health(&self) -> Result<Health, Error> {
        let unfinished = ListFilter { unfinished: true, limit: Self::HEALTH_COUNTS, ..ListFilter::default() };
        let unfinished = self.list(unfinished).await?;
        let manifest = self.manifest().await?;
        let tasks: Vec<String> = manifest.tasks().map(|(_, task)| task.name.clone()).collect();
        let last = stream::iter(tasks).map(|task| self.last_of(task)).buffered(AT_ONCE).try_collect().await?;
        let queues = self.queues().list().await?;
        let paused = queues.into_iter().filter(|queue| queue.paused_at.is_some() && queue.has_waiting);
        let facts = HealthFacts {
            has_more: unfinished.cursor.is_some(),
            unfinished: unfinished.runs,
            last,
            paused: paused.map(|queue| queue.name).collect(),
            retrying: self.count_deliveries(DeliveryState::Retrying).await?,
            dead_letters: self.count_deliveries(DeliveryState::Dropped).await?,
        };
        Ok(Health::of(facts, self.ports().clock.now()))
    }

    /// The states of a task's last runs.
    async fn last_of(&self, task: String) -> Result<(String, Vec<dacapo_domain::State>), Error> {
        let filter = ListFilter { task: Some(task.clone()), limit: LAST, ..ListFilter::default() };
        let states = self.list(filter).await?.runs.iter().map(|run| run.state).collect();
        Ok((task, states))
    }

    async fn count_deliveries(&self, state: DeliveryState) -> Result<usize, Error> {
        let filter = DeliveryFilter { state: Some(state), limit: Self::HEALTH_COUNTS, ..DeliveryFilter::default() };
        Ok(self.deliveries().list(filter).await?.deliveries.len())
    }
}
