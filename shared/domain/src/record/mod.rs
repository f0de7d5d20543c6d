//! Records: everything that is remembered, whatever its kind, in the one form that stores know.
//!
//! A store knows keys, versions, documents, payloads and index entries; what they mean is known to the
//! [`Machine`](crate::Machine) of the kind alone. The time at which a record expires is written as Unix seconds, as
//! DynamoDB's TTL has it, and is checked by every read, because DynamoDB deletes late.

mod index;
mod key;
mod payloads;
mod write;

pub use index::{Index, IndexEntry, Page, Query, sort_time};
pub use key::{Header, RecordKey, Version};
pub use payloads::{Payload, PayloadNotRead, Payloads, slot};
pub use write::{Claim, Created, LogLine, Saved, Write};

use serde::{Deserialize, Serialize};

use crate::Json;

/// A record as a store gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRecord {
    /// Key, version and times.
    pub header: Header,
    /// The document, in the form of the kind.
    pub document: Json,
    /// The payloads.
    #[serde(default, skip_serializing_if = "Payloads::is_empty")]
    pub payloads: Payloads,
}
