//! The question of the engine before it sleeps: where there is work, and when there will be.

use std::collections::BTreeMap;

use dacapo_core::port::PortResult;
use dacapo_domain::IndexEntry;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    Database, DueExecution, DueSchedule, ReceivedMessage, executions, outbox,
    queues::oldest,
    receive::receive,
    rows::{exactly, execute, first, millis, query, timestamp},
    schedules,
};

/// The room for what is due: so much of it is taken at most.
#[derive(Clone, Debug, Default)]
pub struct Rooms {
    /// Messages, by queue; of a queue that isn't named none is taken.
    pub messages: BTreeMap<String, u32>,
    /// Executions of wait loops, by the function that they call.
    pub executions: BTreeMap<String, u32>,
    /// Executions of each function that isn't named there: those whose function is gone.
    pub orphans: u32,
}

/// The work that was due and is taken, and the times of what comes next.
#[derive(Debug, Default)]
pub struct Due {
    /// Messages, by queue. They are hidden.
    pub messages: Vec<(String, Vec<ReceivedMessage>)>,
    /// Executions. They are being called.
    pub executions: Vec<DueExecution>,
    /// Schedules, which are given again until they were [fired](Database::fire_schedule).
    pub schedules: Vec<DueSchedule>,
    /// The things that can't be read, in words: it was put aside, and is not given again.
    pub unreadable: Vec<String>,
    /// The next time at which something is due that is not being handled: a message (one that is hidden, when its visibility
    /// ends), a timer, an execution or a schedule; the past if it is due already, `None` if nothing ever is.
    pub next: Option<Timestamp>,
    /// The time of the next record that the conductor reconciles, as [`next_reconcile`](Database::next_reconcile) says.
    pub reconcile: Option<Timestamp>,
}

/// The queues that show a visible message; functions' own dead-letter queues are not drained, and not among them.
fn due_queues(connection: &Connection, now: i64, oldest: i64) -> rusqlite::Result<Vec<String>> {
    const SQL: &str = "SELECT name FROM queues WHERE is_served AND EXISTS
        (SELECT 1 FROM messages WHERE queue = queues.name AND visible_at <= ?1 AND sent_at > ?2) ORDER BY name";
    query(connection, SQL, [now, oldest], |row| row.get(0))
}

/// The next time at which a message, a timer or an execution is due.
fn next_work(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    const SQL: &str = "SELECT min(at) FROM (
        SELECT (SELECT min(visible_at) FROM messages WHERE queue = queues.name) AS at FROM queues WHERE is_served
        UNION ALL SELECT min(at) FROM timers)";
    let executions = executions::waiting(connection)?.into_iter().map(|(_, until)| until);
    Ok(executions.chain(first(connection, SQL, [], |row| row.get::<_, Option<i64>>(0))?.flatten()).min())
}

/// The same, or a schedule.
fn next_due(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    Ok(next_work(connection)?.into_iter().chain(schedules::next(connection)?).min())
}

/// The time of the next record to be reconciled.
fn next_reconcile(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    const SQL: &str = "SELECT reconcile_at FROM records WHERE reconciled_among = ?1 AND reconcile_at IS NOT NULL
        ORDER BY reconcile_at LIMIT 1";
    let mut next = None;
    for among in [IndexEntry::DUE_RUNS, IndexEntry::OTHERS] {
        let first: Option<i64> = first(connection, SQL, [among], |row| row.get(0))?;
        next = next.into_iter().chain(first).min();
    }
    Ok(next.map(exactly))
}

impl Database {
    /// Takes all that is due as far as there is room for it, in one transaction: timers fire, messages are
    /// [received](Self::receive), so many of each queue at most, and executions are taken, the longest overdue first.
    /// Schedules that are due are given alone: they come first.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn take_due(&self, rooms: Rooms) -> PortResult<Due> {
        let now = self.now();
        let (now, oldest) = (millis(now), oldest(now));
        self.call(move |connection| {
            let mut due = Due { reconcile: next_reconcile(connection)?, ..Due::default() };
            let next = next_due(connection)?;
            due.next = next.map(timestamp);
            if next.is_none_or(|next| next > now) {
                return Ok(due);
            }
            let schedules = schedules::take(connection, now)?;
            (due.schedules, due.unreadable) = (schedules.read, schedules.unreadable);
            if !due.schedules.is_empty() {
                return Ok(due);
            }
            outbox::fire_timers(connection, now)?;
            let room = |function: &str| rooms.executions.get(function).copied().unwrap_or(rooms.orphans);
            let executions = executions::take(connection, room, now)?;
            due.executions = executions.read;
            due.unreadable.extend(executions.unreadable);
            for queue in due_queues(connection, now, oldest)? {
                if let Some(room @ 1..) = rooms.messages.get(&queue).copied() {
                    let received = receive(connection, &queue, room, now, oldest)?;
                    due.messages.push((queue, received));
                }
            }
            due.next = next_due(connection)?.map(timestamp);
            Ok(due)
        })
        .await
    }

    /// The time of the next record that the conductor reconciles, as [`query`](dacapo_core::port::Records::query) will tell
    /// it then.
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
        self.call(|connection| Ok(next_work(connection)?.map(timestamp))).await
    }

    /// The first word of an engine that starts: nothing is being handled. Executions that were being called are due
    /// again, messages that were received are visible again, their receives counted, and schedules that were put aside
    /// are read again.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn recover(&self) -> PortResult<()> {
        const CALLS: &str = "UPDATE executions SET status = 'waiting' WHERE status = 'calling'";
        const MESSAGES: &str = "UPDATE messages SET visible_at = ?1 WHERE receives > 0 AND visible_at > ?1";
        const ASIDE: &str = "UPDATE schedules SET is_aside = 0 WHERE is_aside";
        let now = millis(self.now());
        self.call_and_wake(move |connection| {
            execute(connection, CALLS, [])?;
            execute(connection, ASIDE, [])?;
            execute(connection, MESSAGES, params![now])?;
            Ok(())
        })
        .await
    }
}
