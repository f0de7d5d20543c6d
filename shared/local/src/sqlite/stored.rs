//! Records as rows that are read on the database's thread, and parsed on the caller's.

use dacapo_core::port::PortResult;
use dacapo_domain::{Header, RecordKey, StoredRecord, Version};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    error::unreadable,
    payloads::{self, PayloadRows},
    rows::{exactly, first, json},
};

/// A record's row and the rows of its payloads.
pub(super) struct StoredRow {
    pub(super) key: String,
    pub(super) version: i64,
    reconcile_at: Option<i64>,
    expires_at_s: Option<i64>,
    document: String,
    payloads: PayloadRows,
}

impl StoredRow {
    /// The columns that [`read`](Self::read) expects, in its order.
    pub(super) const COLUMNS: &str =
        "records.key, records.version, records.reconcile_at, records.expires_at_s, records.document";

    /// Reads those columns, without the payloads.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (key, version, reconcile_at, expires_at_s) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(Self { key, version, reconcile_at, expires_at_s, document: row.get(4)?, payloads: vec![] })
    }

    /// The same with its payloads.
    pub(super) fn with_payloads(mut self, connection: &Connection) -> rusqlite::Result<Self> {
        self.payloads = payloads::of(connection, &self.key)?;
        Ok(self)
    }

    /// The record of a key with its payloads, unless it has expired.
    pub(super) fn find(connection: &Connection, key: &str, now: Timestamp) -> rusqlite::Result<Option<Self>> {
        const SQL: &str = "SELECT key, version, reconcile_at, expires_at_s, document FROM records
            WHERE key = ?1 AND (expires_at_s IS NULL OR expires_at_s > ?2)";
        let row = first(connection, SQL, params![key, now.as_second()], Self::read)?;
        row.map(|row| row.with_payloads(connection)).transpose()
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
        Ok(StoredRecord { header, document, payloads: payloads::parsed(self.payloads)? })
    }
}
