use std::{borrow::Cow, ops::Range};

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
    /// Records that belong to another thing: runs that a run or a schedule has started by id, deliveries of a function by
    /// time.
    Parent,
    /// Records by a word that they bear, of which there may be several: runs of a tag by id, deliveries of an event by
    /// time.
    Tag,
    /// Runs of a task that wait for a time, a signal or to be resumed, by when they are due.
    Due,
    /// Records that the conductor reconciles, by time.
    Reconcile,
}

impl Index {
    /// All indexes.
    pub const ALL: [Self; 6] = [Self::List, Self::Failed, Self::Parent, Self::Tag, Self::Due, Self::Reconcile];

    /// The index's name, as in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Failed => "failed",
            Self::Parent => "parent",
            Self::Tag => "tag",
            Self::Due => "due",
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
            Self::Tag => "tagSort",
            Self::Due => "dueSort",
            Self::Reconcile => "reconcileSort",
        }
    }

    /// The shards that a partition is spread over, where the store has partitions: one takes 1,000 writes a second on
    /// DynamoDB, and an index that takes no write throttles the whole table. What the conductor reconciles has 16, of which
    /// the runs that are due have those of their own.
    #[must_use]
    pub fn shards(self, partition: &str) -> Range<u64> {
        match self {
            Self::List | Self::Failed | Self::Parent | Self::Tag | Self::Due => 0..8,
            Self::Reconcile if partition == IndexEntry::DUE_RUNS => 4..16,
            Self::Reconcile if partition == IndexEntry::OTHERS => 0..4,
            Self::Reconcile => 0..16,
        }
    }

    /// The index of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|index| index.name() == name)
    }
}

/// One record's place in an index. A record may have several places in one, but for one that stands beside another.
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
    /// All that the conductor reconciles: the two partitions of it together.
    pub const RECONCILED: &str = "due";
    /// The partition of the runs that it reconciles, and that are due or execute.
    pub const DUE_RUNS: &str = "due/runs";
    /// The partition of all else that it reconciles: runs that are put off, and other kinds.
    pub const OTHERS: &str = "due/others";

    /// The place of a record that the conductor reconciles then, in one of its partitions.
    #[must_use]
    pub fn reconcile(at: Timestamp, partition: &'static str) -> Self {
        Self { index: Index::Reconcile, partition: partition.to_owned(), sort: sort_time(at) }
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
    /// Sort texts from here on, or the place of a page's last entry and a NUL: what follows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Sort texts below this one, or the place of a page's last entry: what comes before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// Is true where the greatest sort text comes first.
    pub descending: bool,
    /// Records at most, 1 to 1,000.
    pub limit: usize,
}

impl Query {
    /// The least sort text that entries may have. Where the bound is a place, others have it too: a store compares whole
    /// places then.
    #[must_use]
    pub fn first_sort(&self) -> Option<&str> {
        self.from.as_deref().map(|from| from.split('\0').next().unwrap_or_default())
    }

    /// The sort text that all entries are below; the same holds of places.
    #[must_use]
    pub fn sort_limit(&self) -> Option<Cow<'_, str>> {
        let below = self.below.as_deref()?;
        Some(below.split_once('\0').map_or(Cow::Borrowed(below), |(sort, _)| Cow::Owned(format!("{sort}\u{1}"))))
    }
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
    /// The place of the last entry that was looked at, where there are more; `None` after the last. It begins with the
    /// entry's sort text and a NUL, and tells it from others of the same sort text.
    pub last: Option<String>,
}
