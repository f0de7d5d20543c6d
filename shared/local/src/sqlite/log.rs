//! Logs of records: only ever added to.

use dacapo_core::port::PortResult;
use dacapo_domain::{LogLine, RecordKey};
use rusqlite::{Connection, params};

use super::{
    Database,
    rows::{execute, first, json, query},
};

/// The lines after a place, in order.
pub(super) const LINES_AFTER: &str =
    "SELECT sort, document FROM log WHERE key = ?1 AND sort > ?2 ORDER BY sort LIMIT ?3";
/// The lines before a place, the last one first.
pub(super) const LINES_BEFORE: &str =
    "SELECT sort, document FROM log WHERE key = ?1 AND sort < ?2 ORDER BY sort DESC LIMIT ?3";
/// A place behind all lines.
pub(super) const BEHIND_ALL: &str = "\u{10ffff}";

/// Says whether there is a record of this key that has not expired.
fn has_record(connection: &Connection, key: &str, now_s: i64) -> rusqlite::Result<bool> {
    const SQL: &str = "SELECT 1 FROM records WHERE key = ?1 AND (expires_at_s IS NULL OR expires_at_s > ?2)";
    Ok(first(connection, SQL, params![key, now_s], |_| Ok(()))?.is_some())
}

impl Database {
    /// Invariant: a log belongs to its record. Lines that come once the record is gone are dropped, so that they can't
    /// be taken for those of another that is made of the same key.
    pub(super) async fn add_lines(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        const SQL: &str = "INSERT INTO log (key, sort, document) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let (key, lines, now_s) = (key.to_string(), lines.to_vec(), self.now().as_second());
        self.call(move |connection| {
            if has_record(connection, &key, now_s)? {
                for LogLine { sort, document } in &lines {
                    execute(connection, SQL, params![key, sort, document.text()])?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Lines of a log: [`LINES_AFTER`] a place, or [`LINES_BEFORE`] it.
    pub(super) async fn lines(
        &self,
        sql: &'static str,
        key: &RecordKey,
        place: &str,
        limit: usize,
    ) -> PortResult<Vec<LogLine>> {
        let (key, place, now_s) = (key.to_string(), place.to_owned(), self.now().as_second());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.call(move |connection| {
            if !has_record(connection, &key, now_s)? {
                return Ok(vec![]);
            }
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
            Ok(query(connection, sql, params![key, place, limit], read)?)
        });
        let line = |(sort, document)| Ok(LogLine { sort, document: json("a log line", document)? });
        rows.await?.into_iter().map(line).collect()
    }
}
