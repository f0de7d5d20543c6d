//! What somebody should have looked at by now.

use dacapo::port::{PortResult, Watched};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    DynamoStore, Item,
    index::{Indexed, WATCH_MS, WATCH_SHARDS, watch_shard},
    item::{PK, number, number_of, text, text_of},
};
use crate::error::What;

/// Items of one answer, at most.
const LIMIT: usize = 1_000;

impl DynamoStore {
    pub(super) async fn overdue_items(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Watched>> {
        let limit = limit.clamp(1, LIMIT);
        let shards = stream::iter((0..WATCH_SHARDS).map(watch_shard));
        let found: Vec<Vec<(i64, Watched)>> = shards
            .map(|shard| self.overdue_in(shard, now, limit))
            .buffer_unordered(usize::try_from(WATCH_SHARDS).unwrap_or(1))
            .try_collect()
            .await?;
        let mut found: Vec<(i64, Watched)> = found.into_iter().flatten().collect();
        found.sort_by_key(|(watch_ms, _)| *watch_ms);
        Ok(found.into_iter().take(limit).map(|(_, watched)| watched).collect())
    }

    async fn overdue_in(&self, shard: String, now: Timestamp, limit: usize) -> PortResult<Vec<(i64, Watched)>> {
        let index = Indexed::Watch.partition();
        let query = self
            .client
            .query()
            .table_name(self.table())
            .index_name(index)
            .key_condition_expression("#shard = :shard AND #watchMs <= :now")
            .expression_attribute_names("#shard", index)
            .expression_attribute_names("#watchMs", WATCH_MS)
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let reply = query.send().await.map_err(|error| self.failed(What::new("list what is overdue"), error))?;
        Ok(reply.items().iter().filter_map(|item| Some((number_of(item, WATCH_MS)?, watched(item)?))).collect())
    }
}

fn watched(item: &Item) -> Option<Watched> {
    let (kind, name) = text_of(item, PK)?.split_once('/')?;
    match kind {
        "run" => name.parse().ok().map(Watched::Run),
        "delivery" => Some(Watched::Delivery(name.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        item::{of_delivery, of_run},
        samples,
    };

    #[test]
    fn what_is_watched_is_named_by_its_item() {
        let (run, delivery) = (samples::run(), samples::delivery());
        assert_eq!(watched(&of_run(&run).unwrap()), Some(Watched::Run(run.id)));
        assert_eq!(watched(&of_delivery(&delivery).unwrap()), Some(Watched::Delivery(delivery.key())));
    }
}
