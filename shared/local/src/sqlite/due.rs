//! What the engine asks before it sleeps: where there is work, and when there will be.

use dacapo::port::PortResult;
use jiff::Timestamp;
use rusqlite::params;

use super::{
    Database,
    expiry::RETENTION,
    rows::{execute, first, millis, query, timestamp},
};

impl Database {
    /// The queues that show a visible message, by name; [`UNDELIVERED`](super::UNDELIVERED) among them, functions' own dead-letter
    /// queues not: nobody drains those.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn due_queues(&self) -> PortResult<Vec<String>> {
        const SQL: &str = "SELECT name FROM queues WHERE EXISTS
            (SELECT 1 FROM messages WHERE queue = queues.name AND visible_at <= ?1 AND sent_at > ?2) ORDER BY name";
        let now = self.now();
        let params = [millis(now), millis(now - RETENTION)];
        self.call(move |connection| Ok(query(connection, SQL, params, |row| row.get(0))?)).await
    }

    /// When something is due next that is not being handled: a message (one that is hidden, when its visibility
    /// ends), a timer, an execution or a schedule; the past if it is due already, `None` if nothing ever is.
    /// What the conductor looks at is not counted: see [`next_look`](Self::next_look).
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn next_due(&self) -> PortResult<Option<Timestamp>> {
        const SQL: &str = "SELECT min(at) FROM (
            SELECT (SELECT min(visible_at) FROM messages WHERE queue = queues.name) AS at FROM queues
            UNION ALL SELECT min(at) FROM timers
            UNION ALL SELECT min(until) FROM executions WHERE status = 'waiting'
            UNION ALL SELECT min(next_fire) FROM schedules WHERE next_fire IS NOT NULL)";
        let at = self.call(|connection| Ok(first(connection, SQL, [], |row| row.get::<_, Option<i64>>(0))?));
        Ok(at.await?.flatten().map(timestamp))
    }

    /// When the conductor should look at something next, as [`Store::overdue`](dacapo::port::Store::overdue) will tell it then.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn next_look(&self) -> PortResult<Option<Timestamp>> {
        const SQL: &str = "SELECT min(at) FROM (
            SELECT min(watch_at) AS at FROM runs WHERE watch_at IS NOT NULL
            UNION ALL SELECT min(watch_at) FROM deliveries WHERE watch_at IS NOT NULL)";
        let at = self.call(|connection| Ok(first(connection, SQL, [], |row| row.get::<_, Option<i64>>(0))?));
        Ok(at.await?.flatten().map(timestamp))
    }

    /// [`next_due`](Self::next_due) but for schedules: as long as none of them fires, nothing happens before.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn next_work(&self) -> PortResult<Option<Timestamp>> {
        const SQL: &str = "SELECT min(at) FROM (
            SELECT (SELECT min(visible_at) FROM messages WHERE queue = queues.name) AS at FROM queues
            UNION ALL SELECT min(at) FROM timers
            UNION ALL SELECT min(until) FROM executions WHERE status = 'waiting')";
        let at = self.call(|connection| Ok(first(connection, SQL, [], |row| row.get::<_, Option<i64>>(0))?));
        Ok(at.await?.flatten().map(timestamp))
    }

    /// What an engine that starts says first: nothing is being handled. Executions that were being called are due
    /// again, and messages that were received are visible again, their receives counted.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn recover(&self) -> PortResult<()> {
        const CALLS: &str = "UPDATE executions SET status = 'waiting' WHERE status = 'calling'";
        const MESSAGES: &str = "UPDATE messages SET visible_at = ?1 WHERE receives > 0 AND visible_at > ?1";
        let now = millis(self.now());
        self.call_and_wake(move |connection| {
            execute(connection, CALLS, [])?;
            execute(connection, MESSAGES, params![now])?;
            Ok(())
        })
        .await
    }
}
