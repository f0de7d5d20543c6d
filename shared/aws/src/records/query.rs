//! Lists of runs: keys from an index, newest first, then the records in one batch.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use dacapo::port::{ListFilter, Page, PortError, PortErrorKind, PortResult, Stored};
use dacapo_domain::{Id, State};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    DynamoStore, Item,
    cursor::Cursor,
    index::{Indexed, LIST_SHARDS},
    item::{PK, RUN, key, read_run, run_pk, text, text_of},
};
use crate::error::What;

/// Shards that are asked at once.
const AT_ONCE: usize = 32;
/// Records of one batch, at most.
const BATCH: usize = 100;
/// Rounds of one page: a filter that fits few runs gives a short page and a cursor, not a long wait.
const ROUNDS: u32 = 10;
/// The pause before keys that a batch left out are asked for again, at first, and how often they are.
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: u32 = 6;
/// The longest page.
const LIMIT: usize = 1_000;

impl DynamoStore {
    pub(super) async fn list_runs(&self, filter: &ListFilter) -> PortResult<Page> {
        let limit = filter.limit.clamp(1, LIMIT);
        let index = if filter.state == Some(State::Failed) { Indexed::Failed } else { Indexed::List };
        let tasks = match &filter.task {
            Some(task) => vec![task.clone()],
            None => self.tasks().await?,
        };
        let mut before = filter.cursor.as_deref().map(Cursor::read).transpose()?.map(|cursor| cursor.before);
        let mut runs: Vec<Stored> = vec![];
        for _ in 0..ROUNDS {
            let (ids, more) = self.ids(index, &tasks, before, limit - runs.len()).await?;
            let Some(last) = ids.last().copied() else { return Ok(Page { runs, cursor: None }) };
            let now = self.clock.now();
            let found = self.records(&ids).await?;
            let fits = |stored: &Stored| filter.state.is_none_or(|state| stored.run.state_at(now) == state);
            runs.extend(found.into_iter().filter(|stored| !stored.run.is_gone(now) && fits(stored)));
            before = Some(last);
            if !more {
                return Ok(Page { runs, cursor: None });
            }
            if runs.len() >= limit {
                break;
            }
        }
        Ok(Page { runs, cursor: before.map(|before| Cursor { before }.text()) })
    }

    /// All tasks that are deployed.
    async fn tasks(&self) -> PortResult<Vec<String>> {
        let manifest = self.read_manifest().await?;
        Ok(manifest.iter().flat_map(|manifest| manifest.tasks()).map(|(_, task)| task.name.clone()).collect())
    }

    /// The next ids of all shards of the tasks, newest first, and whether there are more.
    async fn ids(
        &self,
        index: Indexed,
        tasks: &[String],
        before: Option<Id>,
        limit: usize,
    ) -> PortResult<(Vec<Id>, bool)> {
        let shards = (0..LIST_SHARDS).flat_map(|shard| tasks.iter().map(move |task| format!("{task}/{shard}")));
        let shards: Vec<String> = shards.collect();
        let pages: Vec<(Vec<Id>, bool)> = stream::iter(shards)
            .map(|shard| self.shard(index, shard, before, limit))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(merge(pages, limit))
    }

    async fn shard(
        &self,
        index: Indexed,
        shard: String,
        before: Option<Id>,
        limit: usize,
    ) -> PortResult<(Vec<Id>, bool)> {
        let query = self
            .client
            .query()
            .table_name(self.table())
            .index_name(index.partition())
            .expression_attribute_names("#shard", index.partition())
            .expression_attribute_values(":shard", text(shard))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let query = match before {
            None => query.key_condition_expression("#shard = :shard"),
            Some(before) => query
                .key_condition_expression("#shard = :shard AND #pk < :before")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":before", text(run_pk(before))),
        };
        let reply = query.send().await.map_err(|error| self.failed(What::new("list runs"), error))?;
        let ids = reply.items().iter().filter_map(id_of).collect();
        Ok((ids, reply.last_evaluated_key.is_some()))
    }

    /// The records of these runs, in this order; one that is gone is left out.
    async fn records(&self, ids: &[Id]) -> PortResult<Vec<Stored>> {
        let mut found: HashMap<Id, Stored> = HashMap::new();
        for batch in ids.chunks(BATCH) {
            let keys = batch.iter().map(|id| key(run_pk(*id), RUN)).collect();
            for item in self.batch(keys).await? {
                let stored = read_run(item)?;
                found.insert(stored.run.id, stored);
            }
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Reads up to 100 items. The service may leave some out, which are asked for again.
    async fn batch(&self, mut keys: Vec<Item>) -> PortResult<Vec<Item>> {
        let mut items = vec![];
        for attempt in 0..TRIES {
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let wanted = wanted.map_err(|error| {
                PortError::new(PortErrorKind::Refused, "failed to describe a batch of keys").caused_by(error)
            })?;
            let reply = self.client.batch_get_item().request_items(self.table(), wanted).send().await;
            let mut reply = reply.map_err(|error| self.failed(What::new("read a page of runs"), error))?;
            items.extend(reply.responses.take().and_then(|mut tables| tables.remove(self.table())).unwrap_or_default());
            let left = reply.unprocessed_keys.take().and_then(|mut tables| tables.remove(self.table()));
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(items);
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await;
        }
        let message =
            format!("failed to read a page of runs: {} were left out again and again (throttled)", keys.len());
        Err(PortError::new(PortErrorKind::Transient, message))
    }
}

fn id_of(item: &Item) -> Option<Id> {
    text_of(item, PK)?.strip_prefix("run/")?.parse().ok()
}

/// The newest of all shards. There are more where a shard has more, or gave more than is taken.
fn merge(pages: Vec<(Vec<Id>, bool)>, limit: usize) -> (Vec<Id>, bool) {
    let more = pages.iter().any(|(_, more)| *more);
    let mut ids: Vec<Id> = pages.into_iter().flat_map(|(ids, _)| ids).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let more = more || ids.len() > limit;
    ids.truncate(limit);
    (ids, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> Id {
        Id::new(jiff::Timestamp::UNIX_EPOCH, n)
    }

    #[test]
    fn shards_are_merged_newest_first() {
        let pages = vec![(vec![id(9), id(4)], true), (vec![id(7), id(5)], false), (vec![], false)];
        assert_eq!(merge(pages, 3), (vec![id(9), id(7), id(5)], true));
    }

    #[test]
    fn a_list_ends_where_every_shard_does() {
        let pages = || vec![(vec![id(9)], false), (vec![id(7)], false)];
        assert_eq!(merge(pages(), 2), (vec![id(9), id(7)], false));
        assert_eq!(merge(pages(), 1), (vec![id(9)], true));
    }
}
