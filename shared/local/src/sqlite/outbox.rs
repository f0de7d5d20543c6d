//! Effects, with a write or by themselves, and the conductor's questions on them: the one place that knows what becomes
//! of each here.

use async_trait::async_trait;
use dacapo_core::port::{ExecutionStatus, Outbox, PortResult, Probe};
use dacapo_domain::Effect;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Database, executions, queues,
    rows::{WorkError, ceil_second, execute, query},
    schedules,
};

#[async_trait]
impl Outbox for Database {
    async fn post(&self, effect: &Effect) -> PortResult<()> {
        let (effect, now) = (effect.clone(), self.now());
        self.call_and_wake(move |connection| apply(connection, &effect, now)).await
    }
}

#[async_trait]
impl Probe for Database {
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        let (function, now) = (function.to_owned(), self.now());
        self.call(move |connection| queues::has_backlog(connection, &function, now)).await
    }

    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus> {
        let execution = execution.to_owned();
        self.call(move |connection| executions::status(connection, &execution)).await
    }
}

/// Lets the effects of a write follow it, in its own transaction. One that is refused, as a message to a function that
/// has no queue, is left to the conductor: the record is stored all the same, as on AWS.
pub(super) fn follow(connection: &Connection, effects: &[Effect], now: Timestamp) -> rusqlite::Result<()> {
    for effect in effects {
        match apply(connection, effect, now) {
            Ok(()) => {}
            Err(WorkError::Port(error)) => tracing::warn!(%effect, %error, "left to the conductor"),
            Err(WorkError::Sql(error)) => return Err(error),
        }
    }
    Ok(())
}

fn apply(connection: &Connection, effect: &Effect, now: Timestamp) -> Result<(), WorkError> {
    match effect {
        Effect::Send { to, message, delay } => queues::send(connection, to, message.text(), *delay, now),
        Effect::SendAt { timer, to, message, at } => Ok(put_timer(connection, timer, to, message.text(), *at)?),
        Effect::CancelTimer { timer } => Ok(cancel_timer(connection, timer)?),
        Effect::StartWaitLoop { execution, call, until } => executions::start(connection, execution, call, *until),
        Effect::StopWaitLoop { execution, cause } => Ok(executions::stop(connection, execution, cause, now)?),
        Effect::DeadLetter { function, text } => queues::dead_letter(connection, function, text, now),
        Effect::PutSchedule { name, function, schedule } => schedules::put(connection, name, function, schedule, now),
        Effect::DeleteSchedule { name } => Ok(schedules::delete(connection, name)?),
    }
}

/// Sets a timer, in place of a former one of this name.
fn put_timer(connection: &Connection, name: &str, function: &str, text: &str, at: Timestamp) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT OR REPLACE INTO timers (name, at, function, text) VALUES (?1, ?2, ?3, ?4)";
    execute(connection, SQL, params![name, ceil_second(at), function, text]).map(drop)
}

/// Deletes a timer, if it is there.
fn cancel_timer(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    execute(connection, "DELETE FROM timers WHERE name = ?1", [name]).map(drop)
}

/// Moves the messages of timers that are due into their queues, and deletes the timers. What was for a function that
/// is gone ends in [`APP_DLQ`](super::APP_DLQ).
pub(super) fn fire_timers(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    const DUE: &str = "SELECT function, text FROM timers WHERE at <= ?1 ORDER BY at";
    const DELETE: &str = "DELETE FROM timers WHERE at <= ?1";
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let due = query(connection, DUE, [now], read)?;
    for (function, text) in &due {
        queues::enqueue_or_keep(connection, function, text, now)?;
    }
    if !due.is_empty() {
        execute(connection, DELETE, [now])?;
    }
    Ok(())
}
