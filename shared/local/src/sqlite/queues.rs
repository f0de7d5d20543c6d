//! Queues as functions and clients see them: sent to, and asked whether something waits.

use std::time::Duration;

use dacapo_core::port::{PortError, PortErrorKind};
use dacapo_domain::limits;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    error::Failure,
    messages::{enqueue, insert, oldest},
    rows::{first, millis},
};

/// The app's dead-letter queue, which the conductor drains: messages that were received too often, and what
/// timers and schedules sent to a function that is gone.
pub const APP_DLQ: &str = "undelivered";

/// Bytes of a message, at most: SQS's own limit.
const MESSAGE_BYTES: usize = 1024 * 1024;

/// The name of a function's own dead-letter queue.
#[must_use]
pub fn function_dlq(function: &str) -> String {
    format!("{function}-dead")
}

fn no_queue(function: &str) -> PortError {
    let message = format!("function {function:?} has no queue (start the engine with it, or deploy it)");
    PortError::new(PortErrorKind::NotDeployed, message)
}

/// Whether a function asked for a dead-letter queue of its own; `None` where it has no queue at all.
fn has_dlq(connection: &Connection, function: &str) -> rusqlite::Result<Option<bool>> {
    first(connection, "SELECT dead_letters FROM queues WHERE name = ?1", [function], |row| row.get(0))
}

/// Sends a message to a function's queue.
pub(super) fn send(
    connection: &Connection,
    function: &str,
    text: &str,
    delay: Duration,
    now: Timestamp,
) -> Result<(), Failure> {
    if delay > limits::MAX_QUEUE_DELAY || text.len() > MESSAGE_BYTES {
        let message = format!(
            "a message of {} bytes with a delay of {} s can't be sent (allowed: {MESSAGE_BYTES} bytes, 900 s)",
            text.len(),
            delay.as_secs_f64()
        );
        return Err(PortError::new(PortErrorKind::Refused, message).into());
    }
    // Counted from now, not from a whole second of the clock: as SQS does.
    let visible_at = millis(now) + 1_000 * i64::try_from(delay.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX);
    if enqueue(connection, function, text, visible_at, millis(now))? { Ok(()) } else { Err(no_queue(function).into()) }
}

/// Whether a function's queue shows a visible message.
pub(super) fn has_backlog(connection: &Connection, function: &str, now: Timestamp) -> Result<bool, Failure> {
    const SQL: &str = "SELECT EXISTS
        (SELECT 1 FROM messages WHERE queue = ?1 AND visible_at <= ?2 AND sent_at > ?3)";
    if has_dlq(connection, function)?.is_none() {
        return Err(no_queue(function).into());
    }
    Ok(first(connection, SQL, params![function, millis(now), oldest(now)], |row| row.get(0))?.unwrap_or(false))
}

/// Keeps a text in a function's own dead-letter queue where it has one, else in the app's.
pub(super) fn dead_letter(
    connection: &Connection,
    function: &str,
    text: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let own = has_dlq(connection, function)?.unwrap_or(false);
    let queue = if own { function_dlq(function) } else { APP_DLQ.to_owned() };
    insert(connection, &queue, text, millis(now), millis(now))
}
