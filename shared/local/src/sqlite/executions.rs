//! Executions of wait loops: each waits until a time, is called, and is told until when to wait next.

use dacapo_core::port::{ExecutionStatus, PortResult};
use dacapo_domain::{CONDUCTOR, ExecutionEnded, Message, WaitLoopCall};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Database,
    queues::enqueue,
    rows::{Rows, WorkError, ceil_second, document, execute, first, millis, query, value},
};

/// An execution whose wait is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueExecution {
    /// The execution's name.
    pub name: String,
    /// The function to call.
    pub function: String,
    /// The call to make.
    pub call: WaitLoopCall,
}

/// The end of an execution, as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was told to stop, or handed over. The conductor hears nothing of it.
    Succeeded,
    /// It failed by itself. The conductor is told.
    Failed {
        /// The error's name.
        error: String,
        /// The cause.
        cause: String,
    },
    /// It was stopped, by the app or from outside: AWS says the same of both. The conductor is told.
    Aborted {
        /// The reason.
        cause: String,
    },
}

impl Ending {
    fn message(self, execution: &str) -> Option<String> {
        let (status, error, cause) = match self {
            Self::Succeeded => return None,
            Self::Failed { error, cause } => ("FAILED", Some(error), Some(cause)),
            Self::Aborted { cause } => ("ABORTED", None, Some(cause)),
        };
        let ended =
            ExecutionEnded { execution: execution.to_owned(), status: status.to_owned(), error, cause, started: None };
        Some(Message::ExecutionEnded(ended).to_text())
    }
}

/// Ends an execution that has not ended, and tells the conductor where there is one.
fn end(connection: &Connection, name: &str, message: Option<&str>, now: i64) -> rusqlite::Result<bool> {
    const SQL: &str =
        "UPDATE executions SET status = 'ended', until = ?2, told = ?3 WHERE name = ?1 AND status <> 'ended'";
    let ended = execute(connection, SQL, params![name, now, message])? == 1;
    if let Some(message) = message.filter(|_| ended) {
        enqueue(connection, CONDUCTOR, message, now, now)?;
    }
    Ok(ended)
}

/// The functions for which executions wait, each with the time of its first.
///
/// Functions that are not served now are left out. One step for each function, however many wait for it.
pub(super) fn waiting(connection: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    const SQL: &str = "SELECT function, until FROM executions WHERE status = 'waiting' AND function > ?1
        ORDER BY function, until LIMIT 1";
    const SERVED: &str = "SELECT is_served FROM queues WHERE name = ?1";
    let (mut waiting, mut last) = (vec![], String::new());
    while let Some((function, until)) =
        first(connection, SQL, [&last], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?
    {
        if first(connection, SERVED, [&function], |row| row.get(0))?.unwrap_or(true) {
            waiting.push((function.clone(), until));
        }
        last = function;
    }
    Ok(waiting)
}

/// Takes executions whose wait is over, of each function the longest overdue first. Each is given once: it is being
/// called until [`set_execution`](Database::set_execution) or [`end_execution`](Database::end_execution) says what came
/// of it, or the engine [recovers](Database::recover).
///
/// One whose call can't be read is ended as one whose history is full: its run goes on with another.
pub(super) fn take(
    connection: &Connection,
    room: impl Fn(&str) -> u32,
    now: i64,
) -> rusqlite::Result<Rows<DueExecution>> {
    const DUE: &str = "SELECT name, call FROM executions
        WHERE status = 'waiting' AND function = ?1 AND until <= ?2 ORDER BY until LIMIT ?3";
    const CALL: &str = "UPDATE executions SET status = 'calling' WHERE name = ?1";
    let (mut taken, mut unreadable) = (vec![], vec![]);
    for (function, _) in waiting(connection)?.into_iter().filter(|(_, until)| *until <= now) {
        let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        for (name, call) in query(connection, DUE, params![function, now, room(&function)], read)? {
            match value("its call", &call) {
                Ok(call) => {
                    execute(connection, CALL, [&name])?;
                    taken.push(DueExecution { name, function: function.clone(), call });
                }
                Err(error) => {
                    let ending = Ending::Failed { error: "States.Runtime".to_owned(), cause: error.to_string() };
                    end(connection, &name, ending.message(&name).as_deref(), now)?;
                    unreadable.push(format!("the wait loop {name} ends, and its run goes on in another: {error}"));
                }
            }
        }
    }
    Ok(Rows { read: taken, unreadable })
}

/// Starts an execution, which makes its first call then. One that exists already stays as it is.
pub(super) fn start(
    connection: &Connection,
    name: &str,
    call: &WaitLoopCall,
    until: Timestamp,
) -> Result<(), WorkError> {
    const SQL: &str = "INSERT INTO executions (name, function, call, status, until)
        VALUES (?1, ?2, ?3, 'waiting', ?4) ON CONFLICT DO NOTHING";
    let document = document("a call", call)?;
    execute(connection, SQL, params![name, call.function, document, ceil_second(until)])?;
    Ok(())
}

/// Stops an execution, if it has not ended.
pub(super) fn stop(connection: &Connection, name: &str, cause: &str, now: Timestamp) -> rusqlite::Result<()> {
    let message = Ending::Aborted { cause: cause.to_owned() }.message(name);
    end(connection, name, message.as_deref(), millis(now)).map(drop)
}

/// Says whether an execution waits or calls, or how it ended.
pub(super) fn status(connection: &Connection, name: &str) -> Result<ExecutionStatus, WorkError> {
    const SQL: &str = "SELECT status = 'ended', told FROM executions WHERE name = ?1";
    let found = first(connection, SQL, [name], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)))?;
    let how = match found {
        Some((false, _)) => return Ok(ExecutionStatus::Running),
        Some((true, Some(told))) => match value("its end", &told)? {
            Message::ExecutionEnded(ended) => ended.how(),
            _ => None,
        },
        _ => None,
    };
    Ok(ExecutionStatus::Ended(how))
}

impl Database {
    /// Lets an execution wait until a time (whole seconds, rounded up) and be called then with this. Says whether
    /// it was still running: it may have been stopped meanwhile.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn set_execution(&self, name: &str, call: &WaitLoopCall, until: Timestamp) -> PortResult<bool> {
        const SQL: &str = "UPDATE executions SET status = 'waiting', function = ?2, call = ?3, until = ?4
            WHERE name = ?1 AND status <> 'ended'";
        let (name, function, call) = (name.to_owned(), call.function.clone(), document("a call", call)?);
        let until = ceil_second(until);
        self.call_and_wake(move |connection| Ok(execute(connection, SQL, params![name, function, call, until])? == 1))
            .await
    }

    /// Ends an execution. Where it didn't succeed, the conductor's queue gets `ended/1`, as EventBridge would tell
    /// it. Says whether it was still running.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn end_execution(&self, name: &str, how: Ending) -> PortResult<bool> {
        let (name, message, now) = (name.to_owned(), how.message(name), millis(self.now()));
        self.call_and_wake(move |connection| Ok(end(connection, &name, message.as_deref(), now)?)).await
    }
}
