//! Logs of runs: only ever added to.

use dacapo_core::port::{LogEntry, PortResult};
use dacapo_domain::Id;
use rusqlite::params;

use super::{
    Database,
    rows::{document, execute, query, value},
};

impl Database {
    pub(super) async fn add_logs(&self, id: Id, entries: &[LogEntry]) -> PortResult<()> {
        const SQL: &str = "INSERT INTO logs (run, key, document) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let row = |entry: &LogEntry| Ok((entry.key(), document("a log entry", entry)?));
        let rows: Vec<_> = entries.iter().map(row).collect::<PortResult<_>>()?;
        let id = id.to_string();
        self.call(move |connection| {
            for (key, document) in &rows {
                execute(connection, SQL, params![id, key, document])?;
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn read_logs(&self, id: Id, after: Option<&str>, limit: usize) -> PortResult<Vec<LogEntry>> {
        // What an expired run has logged is hidden with it.
        const SQL: &str = "SELECT document FROM logs WHERE run = ?1 AND key > ?2
            AND NOT EXISTS (SELECT 1 FROM runs WHERE id = ?1 AND ttl <= ?3) ORDER BY key LIMIT ?4";
        let (id, after, now) = (id.to_string(), after.unwrap_or_default().to_owned(), self.now().as_second());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.call(move |connection| {
            Ok(query(connection, SQL, params![id, after, now, limit], |row| row.get::<_, String>(0))?)
        });
        rows.await?.iter().map(|document| value("a log entry", document)).collect()
    }
}
