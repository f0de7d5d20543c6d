//! The question of the engine before it sleeps: where there is work, and when there will be.

use std::collections::BTreeMap;

use dacapo_core::port::PortResult;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    Database, DueExecution, DueSchedule, ReceivedMessage,
    executions::{self, ExecutionRow},
    outbox,
    queues::oldest,
    receive::receive,
    rows::{exactly, execute, first, millis, query, timestamp},
    schedules::{self, ScheduleRow},
};

/// The work that was due and is taken, and the times of what comes next.
#[derive(Debug)]
pub struct Due {
    /// Messages, by queue. They are hidden.
    pub messages: Vec<(String, Vec<ReceivedMessage>)>,
    /// Executions. They are being called.
    pub executions: Vec<DueExecution>,
    /// Schedules, which are given again until they were [fired](Database::fire_schedule).
    pub schedules: Vec<DueSchedule>,
    /// The next time at which something is due that is not being handled: a message (one that is hidden, when its visibility
    /// ends), a timer, an execution or a schedule; the past if it is due already, `None` if nothing ever is.
    pub next: Option<Timestamp>,
    /// The time of the next record that the conductor reconciles, as [`next_reconcile`](Database::next_reconcile) says.
    pub reconcile: Option<Timestamp>,
}

/// The same as it is read on the database's thread; it is parsed on the caller's.
#[derive(Default)]
struct DueRows {
    messages: Vec<(String, Vec<ReceivedMessage>)>,
    executions: Vec<ExecutionRow>,
    schedules: Vec<ScheduleRow>,
    next: Option<Timestamp>,
    reconcile: Option<Timestamp>,
}

/// The queues that show a visible message; functions' own dead-letter queues are not drained, and not among them.
fn due_queues(connection: &Connection, now: i64, oldest: i64) -> rusqlite::Result<Vec<String>> {
    const SQL: &str = "SELECT name FROM queues WHERE EXISTS
        (SELECT 1 FROM messages WHERE queue = queues.name AND visible_at <= ?1 AND sent_at > ?2) ORDER BY name";
    query(connection, SQL, [now, oldest], |row| row.get(0))
}

fn next_due(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    const SQL: &str = "SELECT min(at) FROM (
        SELECT (SELECT min(visible_at) FROM messages WHERE queue = queues.name) AS at FROM queues
        UNION ALL SELECT min(at) FROM timers
        UNION ALL SELECT min(until) FROM executions WHERE status = 'waiting'
        UNION ALL SELECT min(next_fire) FROM schedules WHERE next_fire IS NOT NULL)";
    earliest(connection, SQL)
}

fn next_reconcile(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    const SQL: &str = "SELECT min(reconcile_at) FROM records WHERE reconcile_at IS NOT NULL";
    Ok(first(connection, SQL, [], |row| row.get::<_, Option<i64>>(0))?.flatten().map(exactly))
}

fn earliest(connection: &Connection, sql: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(first(connection, sql, [], |row| row.get::<_, Option<i64>>(0))?.flatten().map(timestamp))
}

impl Database {
    /// Takes all that is due as far as there is room for it, in one transaction: timers fire, messages are
    /// [received](Self::receive), so many of each queue at most, and executions are taken, the longest overdue first.
    /// Where schedules are due, they alone are given: they come first.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn take_due(&self, rooms: BTreeMap<String, u32>, executions: u32) -> PortResult<Due> {
        let now = self.now();
        let (now, oldest) = (millis(now), oldest(now));
        let taken = self.call(move |connection| {
            let mut due =
                DueRows { next: next_due(connection)?, reconcile: next_reconcile(connection)?, ..DueRows::default() };
            if due.next.is_none_or(|next| millis(next) > now) {
                return Ok(due);
            }
            due.schedules = schedules::due(connection, now)?;
            if !due.schedules.is_empty() {
                return Ok(due);
            }
            outbox::fire_timers(connection, now)?;
            for queue in due_queues(connection, now, oldest)? {
                if let Some(room @ 1..) = rooms.get(&queue).copied() {
                    let received = receive(connection, &queue, room, now, oldest)?;
                    due.messages.push((queue, received));
                }
            }
            due.executions = executions::take(connection, executions, now)?;
            due.next = next_due(connection)?;
            Ok(due)
        });
        let DueRows { messages, executions, schedules, next, reconcile } = taken.await?;
        Ok(Due {
            messages,
            executions: executions.into_iter().map(DueExecution::of).collect::<PortResult<_>>()?,
            schedules: schedules.into_iter().map(DueSchedule::of).collect::<PortResult<_>>()?,
            next,
            reconcile,
        })
    }

    /// The time of the next record that the conductor reconciles, as [`query`](dacapo_core::port::Records::query) will tell it then.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn next_reconcile(&self) -> PortResult<Option<Timestamp>> {
        self.call(|connection| Ok(next_reconcile(connection)?)).await
    }

    /// The next time at which something is due that is not being handled, but for schedules: as long as none of them
    /// fires, nothing happens before.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn next_work(&self) -> PortResult<Option<Timestamp>> {
        const SQL: &str = "SELECT min(at) FROM (
            SELECT (SELECT min(visible_at) FROM messages WHERE queue = queues.name) AS at FROM queues
            UNION ALL SELECT min(at) FROM timers
            UNION ALL SELECT min(until) FROM executions WHERE status = 'waiting')";
        self.call(|connection| Ok(earliest(connection, SQL)?)).await
    }

    /// The first word of an engine that starts: nothing is being handled. Executions that were being called are due
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
