//! Index entries as attributes. Each index holds keys only; the records of what is found are read from the table.

use dacapo_domain::{Index, IndexEntry};
use jiff::Timestamp;

use super::attribute::{Item, text, text_of};

/// The names of both attributes of every index.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    Index::ALL.into_iter().flat_map(|index| [index.name(), index.sort_name()])
}

/// A record's entries as attributes: the first of each index. An index that a record has no entry of has no attributes
/// there, and doesn't hold it.
pub(super) fn attributes(entries: &[IndexEntry], pk: &str) -> Item {
    let attributes = entries.iter().rev().flat_map(|IndexEntry { index, partition, sort }| {
        let shard = shard(*index, partition, pk, sort);
        [
            (index.name().to_owned(), text(shard_name(*index, partition, shard))),
            (index.sort_name().to_owned(), text(sort)),
        ]
    });
    attributes.collect()
}

/// The partition attribute of every shard of a partition.
pub(super) fn shard_names(index: Index, partition: &str) -> impl Iterator<Item = String> {
    index.shards(partition).map(move |shard| shard_name(index, partition, shard))
}

/// The time at which the conductor reconciles the record of an item, to the millisecond.
pub(super) fn reconcile_at(item: &Item) -> Option<Timestamp> {
    let millis = text_of(item, Index::Reconcile.sort_name())?.parse().ok()?;
    Timestamp::from_millisecond(millis).ok()
}

/// The parts of what is reconciled are shards of it.
fn shard_name(index: Index, partition: &str, shard: u64) -> String {
    let partition = if index == Index::Reconcile { IndexEntry::RECONCILED } else { partition };
    format!("{partition}/{shard:02}")
}

/// The shard of an entry. Where the sort text changes from write to write, the key keeps the record in one.
fn shard(index: Index, partition: &str, pk: &str, sort: &str) -> u64 {
    let shards = index.shards(partition);
    let hash = fnv1a(if index == Index::Reconcile { pk } else { sort });
    // The low bits of the hash hang on the low bits of each character alone, so the upper half is folded in.
    shards.start + (hash ^ (hash >> 32)) % (shards.end - shards.start)
}

/// The hash that shards and names are made of: FNV-1a, 64 bits, stable over versions and machines, which the standard
/// hasher isn't.
pub(crate) fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dacapo_domain::Id;

    use super::*;

    #[test]
    fn ids_of_one_millisecond_spread_over_all_shards_of_every_index() {
        let partitions = Index::ALL.map(|index| (index, "run/a"));
        let parts = [IndexEntry::DUE_RUNS, IndexEntry::OTHERS].map(|part| (Index::Reconcile, part));
        for (index, partition) in partitions.into_iter().chain(parts) {
            let all = index.shards(partition);
            let mut shards = BTreeMap::<u64, u64>::new();
            for n in 0..8_000 {
                let id = Id::new(Timestamp::UNIX_EPOCH, n).to_string();
                *shards.entry(shard(index, partition, &format!("kind/{id}"), &id)).or_default() += 1;
            }
            assert!(shards.keys().copied().eq(all.clone()), "{partition}: {shards:?}");
            let even = 8_000 / (all.end - all.start);
            assert!(shards.values().all(|count| (even * 8 / 10..even * 12 / 10).contains(count)), "{shards:?}");
        }
    }

    #[test]
    fn entry_has_a_shard_that_stays_and_its_sort_text() {
        let entry = IndexEntry { index: Index::List, partition: "flock/north".to_owned(), sort: "0042".to_owned() };
        let attributes = attributes(&[entry], "sheep/42");
        assert_eq!(attributes.len(), 2);
        assert_eq!(text_of(&attributes, "list"), Some("flock/north/02"));
        assert_eq!(text_of(&attributes, "listSort"), Some("0042"));
    }

    #[test]
    fn reconciled_record_stays_in_its_shard_whenever_it_is_due() {
        let at =
            |text: &str| attributes(&[IndexEntry::reconcile(text.parse().unwrap(), IndexEntry::OTHERS)], "sheep/42");
        let (sooner, later) = (at("2026-11-21T19:00:00Z"), at("2026-11-21T20:00:00.000000001Z"));
        assert_eq!(sooner["reconcile"], later["reconcile"]);
        assert!(text_of(&sooner, "reconcile").unwrap().starts_with("due/"));
        assert_eq!(reconcile_at(&later), Some("2026-11-21T20:00:00.001Z".parse().unwrap()), "never too early");
    }

    #[test]
    fn shard_names_are_those_of_the_entries() {
        let names = |partition| shard_names(Index::Reconcile, partition).collect::<Vec<String>>();
        let [all, runs, others] = [IndexEntry::RECONCILED, IndexEntry::DUE_RUNS, IndexEntry::OTHERS].map(names);
        assert_eq!((all.len(), &*all[0], &*all[15]), (16, "due/00", "due/15"));
        assert_eq!([others, runs].concat(), all, "a sweep asks no more of them than if there were one");
    }
}
