use serde::{Deserialize, Serialize};

use super::{Index, StoredRecord};

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

/// The answer: records, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The records that have not expired, in order, each with the payloads that are stored with it.
    pub records: Vec<StoredRecord>,
    /// The sort text of the last entry that was looked at, where there are more; `None` after the last.
    pub last: Option<String>,
}
