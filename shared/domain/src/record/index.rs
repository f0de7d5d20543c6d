use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RecordKey, StoredRecord};

/// A named index over records. DynamoDB's table has one secondary index for each; adding one is a change of the
/// table, so kinds share them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Index {
    /// Records that belong together, by a sort text that never changes: runs of a task by id, schedules by name.
    List,
    /// Failed runs of a task by id.
    Failed,
    /// Runs that another has started, by id.
    Parent,
    /// Records that the conductor reconciles, by time.
    Reconcile,
}

impl Index {
    /// All indexes.
    pub const ALL: [Self; 4] = [Self::List, Self::Failed, Self::Parent, Self::Reconcile];

    /// The index's name, as in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Failed => "failed",
            Self::Parent => "parent",
            Self::Reconcile => "reconcile",
        }
    }

    /// The name of its sort texts, as in the table.
    #[must_use]
    pub const fn sort_name(self) -> &'static str {
        match self {
            Self::List => "listSort",
            Self::Failed => "failedSort",
            Self::Parent => "parentSort",
            Self::Reconcile => "reconcileSort",
        }
    }

    /// The number of shards that a partition is spread over, where the store has partitions: one takes 1,000 writes a
    /// second on DynamoDB, and an index that takes no write throttles the whole table.
    #[must_use]
    pub const fn shards(self) -> u64 {
        match self {
            Self::List | Self::Failed | Self::Parent => 8,
            Self::Reconcile => 16,
        }
    }
}

/// One record's place in an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// The index.
    pub index: Index,
    /// The records that it is listed with; the store spreads a partition over the index's shards.
    pub partition: String,
    /// The place there, as sortable text.
    pub sort: String,
}

impl IndexEntry {
    /// The partition of all that the conductor reconciles.
    pub const RECONCILED: &str = "due";

    /// The place of a record that the conductor reconciles then.
    #[must_use]
    pub fn reconcile(at: Timestamp) -> Self {
        Self { index: Index::Reconcile, partition: Self::RECONCILED.to_owned(), sort: sort_time(at) }
    }
}

/// A time as sortable text: Unix milliseconds, rounded up, so that nothing is found before it is time.
#[must_use]
pub fn sort_time(at: Timestamp) -> String {
    let millis = at.saturating_add(std::time::Duration::from_nanos(999_999)).unwrap_or(at).as_millisecond();
    format!("{:015}", millis.max(0))
}

/// A question to an index: the records of some partitions, merged in the order of their sort texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// The index.
    pub index: Index,
    /// The partitions.
    pub partitions: Vec<String>,
    /// Sort texts from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Sort texts below this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// Is true where the greatest sort text comes first.
    pub descending: bool,
    /// Records at most, 1 to 1,000.
    pub limit: usize,
}

/// A question for the records of a kind that stand beside another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnedQuery {
    /// The other's key.
    pub owner: RecordKey,
    /// The kind.
    pub kind: String,
    /// Ids after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Records at most.
    pub limit: usize,
}

/// A record that is stored in a form that its store can't read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unreadable {
    /// The text of its key.
    pub key: String,
    /// The time at which the conductor reconciles it, where that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_at: Option<Timestamp>,
    /// The reason.
    pub problem: String,
}

/// The answer: records, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The records that have not expired, in order, each with the payloads that are stored with it.
    pub records: Vec<StoredRecord>,
    /// Those of the page that can't be read: they hide none of the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// The sort text of the last entry that was looked at, where there are more; `None` after the last.
    ///
    /// The next page begins beyond it, so entries that share it across the border of two pages are passed over: sort
    /// texts that are paged are unique.
    pub last: Option<String>,
}
