use serde::{Deserialize, Serialize};

use super::{Header, IndexEntry, Payloads};
use crate::{Effect, Json, Version};

/// One write of a record, and what follows once it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Write {
    /// Key, version and times of the record as it is to be.
    pub header: Header,
    /// The document.
    pub document: Json,
    /// The payloads that are replaced; others stay.
    #[serde(default, skip_serializing_if = "Payloads::is_empty")]
    pub payloads: Payloads,
    /// The places in the indexes: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub index: Vec<IndexEntry>,
    /// The effects: in the same transaction where the store can, else after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
}

/// A second record that is written with a new one or not at all, as an idempotency key with its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The second record.
    pub write: Write,
    /// The version that it replaces; `None` where there must be none.
    pub seen: Option<Version>,
}

/// A line of a record's log, which is only ever added to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// The line's place, as sortable text: the same line added twice is one.
    pub sort: String,
    /// The content.
    pub document: Json,
}
