//! What nobody may read any more is deleted, as DynamoDB's TTL and the queues' retention do.

use std::time::Duration;

use dacapo::port::PortResult;
use rusqlite::{Connection, params};

use super::{
    Database,
    rows::{execute, millis, query},
};

/// How long a message is kept in a queue, counted from when it was first sent.
pub(super) const RETENTION: Duration = Duration::from_secs(14 * 86_400);

/// How long the name of an execution that ended stays taken.
const EXECUTION_NAMES: Duration = Duration::from_secs(90 * 86_400);

impl Database {
    /// Deletes what has expired: runs with their logs and keys, deliveries, messages, names of executions; at most
    /// so many of each. Reads hide it before; call it now and then to give its space back. Says how many it deleted.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn delete_expired(&self, limit: u32) -> PortResult<usize> {
        let now = self.now();
        self.call(move |connection| {
            let seconds = now.as_second();
            let runs = "SELECT id FROM runs WHERE ttl <= ?1 LIMIT ?2";
            let runs: Vec<String> = query(connection, runs, params![seconds, limit], |row| row.get(0))?;
            for run in &runs {
                forget_run(connection, run)?;
            }
            let deliveries =
                "DELETE FROM deliveries WHERE key IN (SELECT key FROM deliveries WHERE ttl <= ?1 LIMIT ?2)";
            let deliveries = execute(connection, deliveries, params![seconds, limit])?;
            // Messages are numbered in the order in which they were sent.
            let messages = "DELETE FROM messages WHERE sent_at <= ?1
                AND id IN (SELECT id FROM messages ORDER BY id LIMIT ?2)";
            let messages = execute(connection, messages, params![millis(now - RETENTION), limit])?;
            let executions = "DELETE FROM executions WHERE name IN
                (SELECT name FROM executions WHERE status = 'ended' AND until <= ?1 LIMIT ?2)";
            let executions = execute(connection, executions, params![millis(now - EXECUTION_NAMES), limit])?;
            Ok(runs.len() + deliveries + messages + executions)
        })
        .await
    }
}

/// Deletes a run with its logs and the key it holds.
pub(super) fn forget_run(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    execute(connection, "DELETE FROM logs WHERE run = ?1", params![id])?;
    execute(connection, "DELETE FROM keys WHERE run = ?1", params![id])?;
    execute(connection, "DELETE FROM runs WHERE id = ?1", params![id])?;
    Ok(())
}
