//! The three indexes. Each holds keys only; what is found is read from the table.

use std::{fmt::Write as _, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{
    Item,
    item::{number, text},
};

/// Shards of a task's runs. One partition takes 1,000 writes a second, and an index that takes no write throttles the
/// whole table.
pub(super) const LIST_SHARDS: u64 = 8;
/// Shards of what somebody must look at.
pub(super) const WATCH_SHARDS: u64 = 16;

/// When somebody must look at an item, in Unix milliseconds.
pub(super) const WATCH_MS: &str = "watchMs";

/// An index, named as the attribute that partitions it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Indexed {
    /// All runs, a task's together, by id and so by age.
    List,
    /// The failed ones, in the same order.
    Failed,
    /// What somebody must look at, by when.
    Watch,
}

impl Indexed {
    /// The index's name, and its partition key's.
    pub(super) const fn partition(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Failed => "failed",
            Self::Watch => "watch",
        }
    }
}

/// The shard of a task's runs that one belongs to.
pub(super) fn list_shard(id: &str) -> u64 {
    hash(id) % LIST_SHARDS
}

/// The name of a shard of what somebody must look at.
pub(super) fn watch_shard(number: u64) -> String {
    let mut name = String::new();
    // Writing to a String never fails.
    let _ = write!(name, "{number:02}");
    name
}

/// Puts an item into the index of what somebody must look at, if somebody must.
pub(super) fn watched(item: &mut Item, pk: &str, watch_at: Option<Timestamp>) {
    if let Some(watch_at) = watch_at {
        let shard = watch_shard(hash(pk) % WATCH_SHARDS);
        item.insert(Indexed::Watch.partition().to_owned(), text(shard));
        item.insert(WATCH_MS.to_owned(), watch_ms(watch_at));
    }
}

/// Rounded up, so that nobody looks before it is time.
fn watch_ms(at: Timestamp) -> AttributeValue {
    let up = Duration::from_nanos(999_999);
    number(at.saturating_add(up).map_or(i64::MAX, |at| at.as_millisecond()))
}

/// FNV-1a, 64 bits, folded: stable over versions and machines, which the standard hasher isn't.
fn hash(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dacapo_domain::Id;

    use super::*;

    #[test]
    fn ids_of_one_millisecond_spread_over_all_shards() {
        let mut shards = BTreeMap::<u64, u32>::new();
        for n in 0..8_000 {
            let id = Id::new(Timestamp::UNIX_EPOCH, n).to_string();
            *shards.entry(list_shard(&id)).or_default() += 1;
        }
        assert_eq!(shards.len(), 8);
        assert!(shards.values().all(|count| (800..1200).contains(count)), "{shards:?}");
    }

    #[test]
    fn nobody_looks_before_it_is_time() {
        let at = "2026-11-21T19:00:00.000000001Z".parse().unwrap();
        assert_eq!(watch_ms(at), number("2026-11-21T19:00:00.001Z".parse::<Timestamp>().unwrap().as_millisecond()));
    }
}
