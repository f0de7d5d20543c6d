//! Records: everything that is remembered, whatever its kind, in the one form that stores know.
//!
//! A store knows keys, versions, documents, payloads and index entries; what they mean is known to the
//! [`Machine`](crate::Machine) of the kind alone. The time at which a record expires is written as Unix seconds, as
//! DynamoDB's TTL has it, and is checked by every read, because DynamoDB deletes late.

mod index;
mod key;
mod payloads;
mod query;
mod write;

pub use index::{Index, IndexEntry, sort_time};
pub use key::{Header, RecordKey};
pub use payloads::{Payload, Payloads, slot};
pub use query::{Page, Query};
pub use write::{Claim, LogLine, Write};

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

/// The reply to a create.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Created {
    /// The record is stored, and its claim with it.
    New,
    /// A record of this key was there before.
    Exists(StoredRecord),
    /// The claim's record was there, in another version than the one seen.
    Claimed(StoredRecord),
}

/// The reply to a save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Saved {
    /// The record is stored: its payloads as they are now, as far as they are stored with it.
    Done(Payloads),
    /// Another writer came first: the record as it stands now, or nothing.
    Lost(Option<StoredRecord>),
}
