//! Deletion of what may not be read any more, as DynamoDB's TTL and the queues' retention do.

use std::time::Duration;

use dacapo_core::port::PortResult;
use rusqlite::{Connection, params};

use super::{
    Database, entries, owned,
    queues::oldest,
    rows::{execute, first, millis, query},
};

/// The time for which the name of an execution that ended stays taken.
const EXECUTION_NAMES: Duration = Duration::from_secs(90 * 86_400);

impl Database {
    /// Deletes what has expired: records with all that stands beside them, messages, names of executions; at most
    /// so many of each. Reads hide it before; call it now and then to give its space back. Says how many it deleted.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn delete_expired(&self, limit: u32) -> PortResult<usize> {
        let now = self.now();
        self.call(move |connection| {
            let seconds = now.as_second();
            let records = "SELECT key FROM records WHERE expires_at_s <= ?1 LIMIT ?2";
            let records: Vec<String> = query(connection, records, params![seconds, limit], |row| row.get(0))?;
            for key in &records {
                forget(connection, key)?;
            }
            // Messages are numbered in the order in which they were sent.
            let messages = "DELETE FROM messages WHERE sent_at <= ?1
                AND id IN (SELECT id FROM messages ORDER BY id LIMIT ?2)";
            let messages = execute(connection, messages, params![oldest(now), limit])?;
            let executions = "DELETE FROM executions WHERE name IN
                (SELECT name FROM executions WHERE status = 'ended' AND until <= ?1 LIMIT ?2)";
            let executions = execute(connection, executions, params![millis(now - EXECUTION_NAMES), limit])?;
            Ok(records.len() + messages + executions)
        })
        .await
    }
}

/// Deletes a record with its payloads, index entries and log, and the records beside it.
pub(super) fn forget(connection: &Connection, key: &str) -> rusqlite::Result<()> {
    for key in owned::owned_keys(connection, key)? {
        forget(connection, &key)?;
    }
    let indexed: Option<String> =
        first(connection, "SELECT indexed FROM records WHERE key = ?1", [key], |row| row.get(0))?.flatten();
    entries::remove(connection, key, indexed.as_deref())?;
    execute(connection, "DELETE FROM log WHERE key = ?1", [key])?;
    execute(connection, "DELETE FROM payloads WHERE key = ?1", [key])?;
    execute(connection, "DELETE FROM records WHERE key = ?1", [key])?;
    Ok(())
}
