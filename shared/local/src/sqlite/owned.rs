//! Records that stand beside another.

use dacapo_core::port::PortResult;
use dacapo_domain::{OwnedQuery, StoredRecord};
use rusqlite::{Connection, params};

use super::{
    Database,
    rows::{execute, query},
    stored::StoredRow,
};

/// Moves the expiry of all that stand beside a record, where a write of that says so.
pub(super) fn move_expiry(connection: &Connection, owner: &str, expires_at_s: Option<i64>) -> rusqlite::Result<()> {
    if let Some(expires_at_s) = expires_at_s {
        execute(connection, "UPDATE records SET expires_at_s = ?2 WHERE owner = ?1", params![owner, expires_at_s])?;
    }
    Ok(())
}

/// The keys of all that stand beside a record.
pub(super) fn owned_keys(connection: &Connection, owner: &str) -> rusqlite::Result<Vec<String>> {
    query(connection, "SELECT key FROM records WHERE owner = ?1", [owner], |row| row.get(0))
}

impl Database {
    /// Those of a kind, in the order of their ids.
    pub(super) async fn query_owned(&self, asked: &OwnedQuery) -> PortResult<Vec<StoredRecord>> {
        let OwnedQuery { owner, kind, after, limit } = asked;
        // '0' is the character behind '/'.
        const SQL: &str = "SELECT key FROM records WHERE owner = ?1 AND key > ?2 AND key < ?3
            AND (expires_at_s IS NULL OR expires_at_s > ?4) ORDER BY key LIMIT ?5";
        let (owner, now) = (owner.to_string(), self.now());
        let (from, below) =
            (format!("{owner}/{kind}/{}", after.as_deref().unwrap_or_default()), format!("{owner}/{kind}0"));
        let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
        let rows = self.call(move |connection| {
            let params = params![owner, from, below, now.as_second(), limit];
            let found: Vec<String> = query(connection, SQL, params, |row| row.get(0))?;
            let rows = found.iter().map(|key| StoredRow::find(connection, key, now));
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        });
        rows.await?.into_iter().flatten().map(StoredRow::record).collect()
    }
}
