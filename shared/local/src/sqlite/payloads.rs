//! Payloads of records: a table of their own, so that a large one isn't written again with its record.

use std::borrow::Cow;

use dacapo_core::port::PortResult;
use dacapo_domain::Payloads;
use rusqlite::{Connection, params};

use super::rows::{execute, json, query};

/// Payloads as rows: name and value.
pub(super) type PayloadRows = Vec<(String, String)>;

/// Stores payloads of a record; others stay.
pub(super) fn put(connection: &Connection, key: &str, payloads: &Payloads) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO payloads (key, slot, value) VALUES (?1, ?2, ?3)
        ON CONFLICT DO UPDATE SET value = excluded.value";
    for (slot, value) in payloads.iter() {
        if let Some(value) = value {
            execute(connection, SQL, params![key, slot, value.text()])?;
        }
    }
    Ok(())
}

/// All payloads of a record.
pub(super) fn of(connection: &Connection, key: &str) -> rusqlite::Result<PayloadRows> {
    const SQL: &str = "SELECT slot, value FROM payloads WHERE key = ?1";
    query(connection, SQL, [key], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The same as values.
pub(super) fn parsed(rows: PayloadRows) -> PortResult<Payloads> {
    let mut payloads = Payloads::none();
    for (slot, value) in rows {
        payloads.set(Cow::Owned(slot), Some(json("a payload", value)?));
    }
    Ok(payloads)
}
