//! The queues' port: what functions and clients may do.

use async_trait::async_trait;
use dacapo::port::{Envelope, PortError, PortErrorKind, PortResult, Queues};
use dacapo_domain::limits;
use rusqlite::{Connection, params};

use super::{
    Database,
    expiry::RETENTION,
    messages::{enqueue, insert},
    rows::{first, millis},
};

/// The app's dead-letter queue, which the conductor drains: messages that were received too often, and what
/// timers and schedules sent to a function that is gone.
pub const UNDELIVERED: &str = "undelivered";

/// Bytes of a message, at most: SQS's own limit.
const MESSAGE_BYTES: usize = 1024 * 1024;

/// The name of a function's own dead-letter queue.
#[must_use]
pub fn dead_letter_queue(function: &str) -> String {
    format!("{function}-dead")
}

fn no_queue(function: &str) -> PortError {
    let message = format!("function {function:?} has no queue (start the engine with it, or deploy it)");
    PortError::new(PortErrorKind::NotDeployed, message)
}

/// Whether a function's queue is there, and whether it asked for dead letters of its own.
fn dead_letters(connection: &Connection, function: &str) -> rusqlite::Result<Option<bool>> {
    first(connection, "SELECT dead_letters FROM queues WHERE name = ?1", [function], |row| row.get(0))
}

#[async_trait]
impl Queues for Database {
    async fn send(&self, function: &str, envelope: &Envelope) -> PortResult<()> {
        let (text, delay, now) = (envelope.message.to_text(), envelope.delay, self.now());
        if delay > limits::MAX_QUEUE_DELAY || text.len() > MESSAGE_BYTES {
            let message = format!(
                "a message of {} bytes with a delay of {} s can't be sent (allowed: {MESSAGE_BYTES} bytes, 900 s)",
                text.len(),
                delay.as_secs_f64()
            );
            return Err(PortError::new(PortErrorKind::Refused, message));
        }
        // Counted from now, not from a whole second of the clock: as SQS does.
        let visible_at = millis(now) + 1_000 * i64::try_from(delay.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX);
        let function = function.to_owned();
        self.call_and_wake(move |connection| {
            if enqueue(connection, &function, &text, visible_at, millis(now))? {
                return Ok(());
            }
            Err(no_queue(&function).into())
        })
        .await
    }

    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        const SQL: &str = "SELECT EXISTS
            (SELECT 1 FROM messages WHERE queue = ?1 AND visible_at <= ?2 AND sent_at > ?3)";
        let (function, now) = (function.to_owned(), self.now());
        self.call(move |connection| {
            if dead_letters(connection, &function)?.is_none() {
                return Err(no_queue(&function).into());
            }
            let params = params![function, millis(now), millis(now - RETENTION)];
            Ok(first(connection, SQL, params, |row| row.get(0))?.unwrap_or(false))
        })
        .await
    }

    async fn dead_letter(&self, function: &str, text: &str) -> PortResult<()> {
        let (function, text, now) = (function.to_owned(), text.to_owned(), millis(self.now()));
        self.call_and_wake(move |connection| {
            let own = dead_letters(connection, &function)?.unwrap_or(false);
            let queue = if own { dead_letter_queue(&function) } else { UNDELIVERED.to_owned() };
            insert(connection, &queue, &text, now, now)?;
            Ok(())
        })
        .await
    }
}
