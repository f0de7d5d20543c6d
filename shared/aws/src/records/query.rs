//! Questions to an index: entries of all shards, merged, then their records in batches.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use dacapo_core::port::PortResult;
use dacapo_domain::{Page, Query, Unreadable};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    DynamoRecords,
    attribute::{Item, PK, PLACE, RECORD, SK, is_expired, key, text, text_of},
    index, item,
};
use crate::error::Operation;

/// Shards that are asked at once.
const AT_ONCE: usize = 32;
/// The longest page.
const LIMIT: usize = 1_000;

/// An entry that was found, and the key of its record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    sort: String,
    pk: String,
    sk: String,
}

impl Entry {
    /// The place that entries are ordered by.
    fn place(&self) -> String {
        format!("{}\0{}\0{}", self.sort, self.pk, self.sk)
    }

    /// Is true of one between the bounds of a query, of which the service takes the sort texts alone.
    fn is_between(&self, query: &Query) -> bool {
        let place = self.place();
        query.from.as_ref().is_none_or(|from| place >= *from) && query.below.as_ref().is_none_or(|below| place < *below)
    }
}

impl DynamoRecords {
    pub(super) async fn query_index(&self, query: &Query) -> PortResult<Page> {
        let limit = query.limit.clamp(1, LIMIT);
        let partitions = query.partitions.iter();
        let shards: Vec<String> = partitions.flat_map(|partition| index::shard_names(query.index, partition)).collect();
        let found: Vec<Vec<Entry>> = stream::iter(shards)
            .map(|shard| self.query_shard(query, shard, limit))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let (entries, last) = merge(found, query.descending, limit);

        // A record that is at several of these places, while an index follows it, is read once.
        let of: HashSet<(&str, &str)> = entries.iter().map(|entry| (&*entry.pk, &*entry.sk)).collect();
        let keys: Vec<Item> = of.into_iter().map(|(pk, sk)| key(pk, sk)).collect();
        let items = self.read_all(Operation::of("read the records of the index", query.index.name()), &keys).await?;
        let items = items.into_iter().filter(|item| !is_expired(item, self.now_s()));
        let place = |item: &Item| Some((text_of(item, PK)?.to_owned(), text_of(item, SK)?.to_owned()));
        let mut items: HashMap<(String, String), Item> = items.filter_map(|item| Some((place(&item)?, item))).collect();
        let mut page = Page { last, ..Page::default() };
        // A record that is gone, or listed twice while an index follows it, is left out.
        for (pk, item) in entries.into_iter().filter_map(|Entry { pk, sk, .. }| {
            let item = items.remove(&(pk.clone(), sk))?;
            Some((pk, item))
        }) {
            match item::read(&item) {
                Ok(record) => page.records.push(record),
                Err(error) => page.unreadable.push(Unreadable {
                    key: pk,
                    reconcile_at: index::reconcile_at(&item),
                    problem: error.to_string(),
                }),
            }
        }
        Ok(page)
    }

    /// The entries of a shard: one more than the page takes, because the service names a last key also where nothing
    /// follows it.
    async fn query_shard(&self, query: &Query, shard: String, limit: usize) -> PortResult<Vec<Entry>> {
        let mut entries = vec![];
        let mut from = None;
        while entries.len() <= limit {
            let ask = self
                .shard_range(query, &shard)
                .scan_index_forward(!query.descending)
                .limit(i32::try_from(limit + 1 - entries.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(from);
            let operation = Operation::of("query the index", query.index.name());
            let reply = ask.send().await.map_err(|error| self.failed(operation, error))?;
            let found = reply.items().iter().filter_map(|item| entry(query, item));
            entries.extend(found.filter(|entry| entry.is_between(query)));
            from = reply.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(entries)
    }

    fn shard_range(&self, query: &Query, shard: &str) -> QueryFluentBuilder {
        // The service takes one condition on the sort key: what it includes too much is left out afterwards.
        let condition = match (&query.from, &query.below) {
            (None, None) => "#shard = :shard",
            (Some(_), None) => "#shard = :shard AND #sort >= :from",
            (None, Some(_)) => "#shard = :shard AND #sort < :below",
            (Some(_), Some(_)) => "#shard = :shard AND #sort BETWEEN :from AND :below",
        };
        let limit = query.sort_limit();
        let bounds = [(":from", query.first_sort()), (":below", limit.as_deref())];
        let bounds = bounds.into_iter().filter_map(|(name, bound)| Some((name.to_owned(), text(bound?))));
        let values: HashMap<String, AttributeValue> = bounds.chain([(":shard".to_owned(), text(shard))]).collect();
        let mut names = HashMap::from([("#shard".to_owned(), query.index.name().to_owned())]);
        if values.len() > 1 {
            names.insert("#sort".to_owned(), query.index.sort_name().to_owned());
        }
        self.client
            .query()
            .table_name(self.table())
            .index_name(query.index.name())
            .key_condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
    }
}

fn entry(query: &Query, item: &Item) -> Option<Entry> {
    let sort = text_of(item, query.index.sort_name())?.to_owned();
    let sk = text_of(item, SK).map(|sk| if sk.starts_with(PLACE) { RECORD } else { sk })?;
    Some(Entry { sort, pk: text_of(item, PK)?.to_owned(), sk: sk.to_owned() })
}

/// The first entries of all shards, and the place of the last one where more follow.
fn merge(shards: Vec<Vec<Entry>>, descending: bool, limit: usize) -> (Vec<Entry>, Option<String>) {
    let mut entries: Vec<Entry> = shards.into_iter().flatten().collect();
    entries.sort_unstable();
    if descending {
        entries.reverse();
    }
    let more = entries.len() > limit;
    entries.truncate(limit);
    let last = entries.last().filter(|_| more).map(Entry::place);
    (entries, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(sorts: &[&str]) -> Vec<Entry> {
        sorts
            .iter()
            .map(|sort| Entry { sort: (*sort).to_owned(), pk: format!("sheep/{sort}"), sk: "record".to_owned() })
            .collect()
    }

    #[test]
    fn shards_are_merged_in_the_order_asked_for() {
        let shards = || vec![entries(&["4", "9"]), entries(&["5", "7"]), vec![]];
        assert_eq!(merge(shards(), true, 3), (entries(&["9", "7", "5"]), Some("5\0sheep/5\0record".to_owned())));
        assert_eq!(merge(shards(), false, 3), (entries(&["4", "5", "7"]), Some("7\0sheep/7\0record".to_owned())));
    }

    #[test]
    fn page_that_takes_the_last_entry_of_every_shard_is_the_last() {
        let shards = || vec![entries(&["9"]), entries(&["7"])];
        assert_eq!(merge(shards(), true, 2), (entries(&["9", "7"]), None));
        assert_eq!(merge(shards(), true, 1), (entries(&["9"]), Some("9\0sheep/9\0record".to_owned())));
    }
}
