//! Records: everything that is remembered, whatever its kind, in the one form that stores know.
//!
//! A store knows keys, versions, documents, payloads and index entries; what they mean is known to the
//! [`Machine`](crate::Machine) of the kind alone. The time at which a record expires is written as Unix seconds, as
//! DynamoDB's TTL has it, and is checked by every read, because DynamoDB deletes late.

mod cursor;
mod format;
mod index;
mod payloads;
mod write;

use std::{borrow::Cow, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use cursor::{Cursor, CursorError};
pub(crate) use format::read_version;
pub use format::{FORMAT, read_document};
pub use index::{Index, IndexEntry, OwnedQuery, Page, Query, Unreadable, sort_time};
pub use payloads::{Payload, PayloadNotRead, Payloads, slot};
pub use write::{Claim, Created, LogLine, Saved, Write};

use crate::{Json, hash128};

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

/// Bytes of a name that is part of a key beside another as it is: a sort key of DynamoDB has 1,024 at most.
const NAME_BYTES: usize = 512;

/// The key of a record: its kind, and its id within the kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The kind: a name without a slash, as [`Machine::KIND`](crate::Machine::KIND) has it.
    pub kind: Cow<'static, str>,
    /// The id: any text, unique within the kind, or within the owner where there is one.
    pub id: String,
    /// The text of the key of the record that it stands beside, whose id has no slash. It is deleted with that record,
    /// and its expiry is its first write's until it is moved with that one's: see [`Write::expiry_beside_s`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The part that every record has, whatever its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// The record's key.
    pub key: RecordKey,
    /// The name of its last write.
    pub version: Version,
    /// The time at which the conductor reconciles it: never later than it could need repair, plus a grace. `None` where
    /// it never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_at: Option<Timestamp>,
    /// The time from which it may be deleted, in Unix seconds. `None` while it is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_s: Option<i64>,
}

/// The name of one write of a record. Every write demands the version it has seen and leaves a new random one,
/// so a writer whose reply was lost finds its own version on the record and knows that it has won.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub u64);

impl RecordKey {
    /// The key of a record of this kind.
    #[must_use]
    pub fn new(kind: &'static str, id: impl Into<String>) -> Self {
        Self { kind: Cow::Borrowed(kind), id: id.into(), owner: None }
    }

    /// The key of the same kind and id beside the record of this key.
    #[must_use]
    pub fn owned_by(self, owner: impl Into<String>) -> Self {
        Self { owner: Some(owner.into()), ..self }
    }

    /// The key of the record of this kind and name, which may be long, beside the record of this key.
    #[must_use]
    pub fn named(kind: &'static str, name: &str, owner: &Self) -> Self {
        let is_short = name.len() <= NAME_BYTES;
        let id = if is_short { name.to_owned() } else { format!("{:032x}", hash128(name)) };
        Self::new(kind, id).owned_by(owner.to_string())
    }

    /// The key from its kind and id, `{kind}/{id}`, without its owner; `None` for a text without a slash.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once('/')?;
        Some(Self { kind: Cow::Owned(kind.to_owned()), id: id.to_owned(), owner: None })
    }
}

/// `{kind}/{id}`, after the owner's and a slash where there is one: one text a key, since neither a kind nor an owner's
/// id has a slash.
impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(owner) = &self.owner {
            write!(f, "{owner}/")?;
        }
        write!(f, "{}/{}", self.kind, self.id)
    }
}

impl Header {
    /// The name of the expiry, as in the table.
    pub const EXPIRES_AT_S: &str = "expiresAtS";

    /// Is true once the record has expired, although the store may not have deleted it yet.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at_s.is_some_and(|expires_at_s| expires_at_s <= now.as_second())
    }
}

/// 16 hexadecimal digits.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}
