//! One-time schedules.

use async_trait::async_trait;
use dacapo::port::{PortResult, Timers};
use dacapo_domain::Message;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Database,
    messages::enqueue_or_keep,
    rows::{ceil_second, execute, millis, query},
};

#[async_trait]
impl Timers for Database {
    async fn put(&self, name: &str, at: Timestamp, function: &str, message: &Message) -> PortResult<()> {
        const SQL: &str = "INSERT OR REPLACE INTO timers (name, at, function, text) VALUES (?1, ?2, ?3, ?4)";
        let (name, at, function, text) = (name.to_owned(), ceil_second(at), function.to_owned(), message.to_text());
        self.call_and_wake(move |connection| {
            execute(connection, SQL, params![name, at, function, text])?;
            Ok(())
        })
        .await
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        let name = name.to_owned();
        self.call(move |connection| {
            execute(connection, "DELETE FROM timers WHERE name = ?1", [name])?;
            Ok(())
        })
        .await
    }
}

impl Database {
    /// Moves the messages of timers that are due into their queues, and deletes the timers, in one transaction.
    /// What was for a function that is gone ends in [`UNDELIVERED`](super::UNDELIVERED). Says how many fired.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn fire_timers(&self) -> PortResult<usize> {
        let now = millis(self.now());
        self.call(move |connection| Ok(fire(connection, now)?)).await
    }
}

pub(super) fn fire(connection: &Connection, now: i64) -> rusqlite::Result<usize> {
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
    Ok(due.len())
}
