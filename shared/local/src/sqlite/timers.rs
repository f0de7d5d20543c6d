//! One-time schedules.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    messages::enqueue_or_keep,
    rows::{ceil_second, execute, query},
};

/// Sets a timer, in place of a former one of this name.
pub(super) fn put(
    connection: &Connection,
    name: &str,
    function: &str,
    text: &str,
    at: Timestamp,
) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT OR REPLACE INTO timers (name, at, function, text) VALUES (?1, ?2, ?3, ?4)";
    execute(connection, SQL, params![name, ceil_second(at), function, text]).map(drop)
}

/// Deletes a timer, if it is there.
pub(super) fn cancel(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    execute(connection, "DELETE FROM timers WHERE name = ?1", [name]).map(drop)
}

/// Moves the messages of timers that are due into their queues, and deletes the timers. What was for a function that
/// is gone ends in [`APP_DLQ`](super::APP_DLQ).
pub(super) fn fire(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    const DUE: &str = "SELECT function, text FROM timers WHERE at <= ?1 ORDER BY at";
    const DELETE: &str = "DELETE FROM timers WHERE at <= ?1";
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let due = query(connection, DUE, [now], read)?;
    for (function, text) in &due {
        enqueue_or_keep(connection, function, text, now)?;
    }
    if !due.is_empty() {
        execute(connection, DELETE, [now])?;
    }
    Ok(())
}
