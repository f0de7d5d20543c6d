//! Records as rows that are read on the database's thread, and parsed on the caller's.
//!
//! A payload is in its record's row as long as it is small, else in a table of its own, so that a large one isn't
//! written again with its record.

use std::borrow::Cow;

use dacapo_core::port::PortResult;
use dacapo_domain::{Header, Json, Payloads, RecordKey, StoredRecord, Version};
use jiff::Timestamp;
use rusqlite::{Connection, Error, Row, params, types::Type};

use super::rows::{exactly, execute, first, json, query, unreadable};

/// Bytes of a payload in its record's row, at most: a row with three of them still fits into a page.
const SMALL_BYTES: usize = 1_024;

/// A record's row, and the rows of its large payloads.
pub(super) struct StoredRow {
    pub(super) key: String,
    pub(super) version: i64,
    pub(super) reconcile_at: Option<i64>,
    expires_at_s: Option<i64>,
    document: String,
    payloads: PayloadRows,
    owner: Option<String>,
}

/// The columns of a record that hold its payloads.
#[derive(Clone)]
pub(super) struct PayloadColumns {
    /// The small payloads, and the names of the large ones; `None` where there are no payloads.
    pub(super) text: Option<String>,
    /// Is true where there is a large one.
    pub(super) has_large: bool,
}

/// The payloads of a record as they are read on the database's thread: they are parsed on the caller's.
pub(super) struct PayloadRows {
    columns: PayloadColumns,
    /// Name and value of each large one.
    large: Vec<(String, String)>,
}

impl StoredRow {
    /// The record of a key, unless it has expired.
    pub(super) fn find(connection: &Connection, key: &str, now: Timestamp) -> rusqlite::Result<Option<Self>> {
        const SQL: &str =
            "SELECT version, reconcile_at, expires_at_s, document, payloads, has_large, owner FROM records
            WHERE key = ?1 AND (expires_at_s IS NULL OR expires_at_s > ?2)";
        first(connection, SQL, params![key, now.as_second()], |row| {
            let (version, reconcile_at, expires_at_s, document) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let payloads = PayloadColumns::read(row, 4)?.rows(connection, key)?;
            let owner = row.get(6)?;
            Ok(Self { key: key.to_owned(), version, reconcile_at, expires_at_s, document, payloads, owner })
        })
    }

    /// The record.
    pub(super) fn record(self) -> PortResult<StoredRecord> {
        let own = self.owner.as_ref().map_or(&*self.key, |owner| self.key.get(owner.len() + 1..).unwrap_or_default());
        let key = RecordKey::from_text(own).ok_or_else(|| unreadable("a record's key", &self.key))?;
        let key = RecordKey { owner: self.owner, ..key };
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

impl PayloadColumns {
    /// The columns of these payloads.
    ///
    /// # Errors
    /// If they can't be serialized.
    fn of(payloads: &Payloads) -> Result<Self, serde_json::Error> {
        let has_large = payloads.is_partial();
        let text = if payloads.is_empty() { None } else { Some(serde_json::to_string(payloads)?) };
        Ok(Self { text, has_large })
    }

    /// The columns of a new record.
    pub(super) fn new(written: &Payloads) -> PortResult<Self> {
        let mut payloads = Payloads::none();
        set(&mut payloads, written);
        Self::of(&payloads).map_err(|error| unreadable("a payload", error))
    }

    /// Reads the two columns from this one on.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self { text: row.get(first)?, has_large: row.get(first + 1)? })
    }

    /// The columns once some payloads are replaced; those that are not stay.
    pub(super) fn replaced(&self, written: &Payloads) -> rusqlite::Result<Self> {
        let broken = |error: serde_json::Error| Error::FromSqlConversionFailure(0, Type::Text, error.into());
        if written.is_empty() {
            return Ok(self.clone());
        }
        let mut payloads = match &self.text {
            Some(text) => serde_json::from_str(text).map_err(broken)?,
            None => Payloads::none(),
        };
        set(&mut payloads, written);
        Self::of(&payloads).map_err(broken)
    }

    /// The columns with the large payloads of their record.
    pub(super) fn rows(self, connection: &Connection, key: &str) -> rusqlite::Result<PayloadRows> {
        const SQL: &str = "SELECT slot, value FROM payloads WHERE key = ?1";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let large = if self.has_large { query(connection, SQL, [key], read)? } else { vec![] };
        Ok(PayloadRows { columns: self, large })
    }
}

impl PayloadRows {
    /// The payloads.
    pub(super) fn payloads(self) -> PortResult<Payloads> {
        let Some(text) = self.columns.text else { return Ok(Payloads::none()) };
        let mut payloads: Payloads = serde_json::from_str(&text).map_err(|error| unreadable("a payload", error))?;
        for (slot, value) in self.large {
            payloads.set(Cow::Owned(slot), Some(json("a payload", value)?));
        }
        Ok(payloads)
    }
}

/// Stores the large ones among the payloads of a write. One that was large and is no more goes.
pub(super) fn put_payloads(
    connection: &Connection,
    key: &str,
    written: &Payloads,
    had_large: bool,
) -> rusqlite::Result<()> {
    const PUT: &str = "INSERT OR REPLACE INTO payloads (key, slot, value) VALUES (?1, ?2, ?3)";
    const REMOVE: &str = "DELETE FROM payloads WHERE key = ?1 AND slot = ?2";
    for (slot, value) in written.iter().filter_map(|(slot, value)| Some((slot, value?))) {
        if is_large(value) {
            execute(connection, PUT, params![key, slot, value.text()])?;
        } else if had_large {
            execute(connection, REMOVE, params![key, slot])?;
        }
    }
    Ok(())
}

/// Sets payloads as they stand in their record's row.
fn set(payloads: &mut Payloads, written: &Payloads) {
    for (slot, value) in written.iter() {
        payloads.set(slot.clone(), value.filter(|value| !is_large(value)).cloned());
    }
}

fn is_large(value: &Json) -> bool {
    value.bytes() > SMALL_BYTES
}
