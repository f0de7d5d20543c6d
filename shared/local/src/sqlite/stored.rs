//! Records as rows that are read on the database's thread, and parsed on the caller's.

use dacapo_core::port::PortResult;
use dacapo_domain::{Header, RecordKey, StoredRecord, Version};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    error::unreadable,
    payloads::{PayloadColumns, PayloadRows},
    rows::{exactly, first, json},
};

/// A record's row, and the rows of its large payloads.
pub(super) struct StoredRow {
    key: String,
    pub(super) version: i64,
    reconcile_at: Option<i64>,
    expires_at_s: Option<i64>,
    document: String,
    payloads: PayloadRows,
}

impl StoredRow {
    /// The record of a key, unless it has expired.
    pub(super) fn find(connection: &Connection, key: &str, now: Timestamp) -> rusqlite::Result<Option<Self>> {
        const SQL: &str = "SELECT version, reconcile_at, expires_at_s, document, payloads, has_large FROM records
            WHERE key = ?1 AND (expires_at_s IS NULL OR expires_at_s > ?2)";
        first(connection, SQL, params![key, now.as_second()], |row| {
            let (version, reconcile_at, expires_at_s, document) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let payloads = PayloadColumns::read(row, 4)?.rows(connection, key)?;
            Ok(Self { key: key.to_owned(), version, reconcile_at, expires_at_s, document, payloads })
        })
    }

    /// The record.
    pub(super) fn record(self) -> PortResult<StoredRecord> {
        let key = RecordKey::from_text(&self.key).ok_or_else(|| unreadable("a record's key", &self.key))?;
        let header = Header {
            version: Version(self.version.cast_unsigned()),
            reconcile_at: self.reconcile_at.map(exactly),
            expires_at_s: self.expires_at_s,
            key,
        };
        let document = json("a record", self.document)?;
        Ok(StoredRecord { header, document, payloads: self.payloads.payloads()? })
    }
}
