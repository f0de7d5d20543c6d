//! Queues: their names, what is kept of each, and messages on their way into them.

use std::time::Duration;

use dacapo_core::port::{PortError, PortErrorKind};
use dacapo_domain::{APP_DLQ, FunctionEntry, function_dlq, limits};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::rows::{WorkError, execute, first, millis};

/// A function's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// The function, or [`APP_DLQ`].
    pub function: String,
    /// The time for which a received message is hidden.
    pub visibility: Duration,
    /// A message received more often goes to [`APP_DLQ`]; `None` for one that stays.
    pub max_receives: Option<u32>,
    /// Is true where it has a dead-letter queue of its own.
    pub has_dead_letters: bool,
}

impl QueueSpec {
    /// The queue that a function has on AWS.
    #[must_use]
    pub fn of(function: &FunctionEntry) -> Self {
        let has_dead_letters = function.subscriptions().iter().any(|subscription| subscription.dead_letter);
        let (visibility, max_receives) = (function.visibility(), Some(limits::MAX_RECEIVES));
        Self { function: function.name.clone(), visibility, max_receives, has_dead_letters }
    }

    /// The app's dead-letter queue.
    pub(super) fn app_dlq() -> Self {
        let (function, visibility) = (APP_DLQ.to_owned(), limits::CONDUCTOR_VISIBILITY);
        Self { function, visibility, max_receives: None, has_dead_letters: false }
    }

    /// Creates the queue, or changes it. Of one that isn't served nothing is due: what is in it waits.
    pub(super) fn put(&self, connection: &Connection, is_served: bool) -> rusqlite::Result<()> {
        const SQL: &str = "INSERT OR REPLACE INTO queues (name, visibility, max_receives, dead_letters, is_served)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let Self { function, max_receives, has_dead_letters, .. } = self;
        let visibility = i64::try_from(self.visibility.as_millis()).unwrap_or(i64::MAX);
        execute(connection, SQL, params![function, visibility, max_receives, has_dead_letters, is_served])?;
        Ok(())
    }
}

/// Says whether a function asked for a dead-letter queue of its own; `None` where it has no queue at all.
fn has_dlq(connection: &Connection, function: &str) -> rusqlite::Result<Option<bool>> {
    first(connection, "SELECT dead_letters FROM queues WHERE name = ?1", [function], |row| row.get(0))
}

/// Messages sent before are too old to be received: the time is counted from when they were first sent.
pub(super) fn oldest(now: Timestamp) -> i64 {
    millis(now - limits::MESSAGE_RETENTION)
}

/// Puts a message into a queue that is there; says whether it is.
pub(super) fn enqueue(
    connection: &Connection,
    queue: &str,
    text: &str,
    visible_at: i64,
    sent_at: i64,
) -> rusqlite::Result<bool> {
    // Two plain statements: for one that inserts what it selects, `SQLite` keeps a journal of its own.
    if has_dlq(connection, queue)?.is_none() {
        return Ok(false);
    }
    insert(connection, queue, text, visible_at, sent_at)?;
    Ok(true)
}

/// Puts a message into a queue, whether or not it is read.
fn insert(connection: &Connection, queue: &str, text: &str, visible_at: i64, sent_at: i64) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO messages (queue, text, visible_at, sent_at) VALUES (?1, ?2, ?3, ?4)";
    execute(connection, SQL, params![queue, text, visible_at, sent_at]).map(drop)
}

/// Puts what a timer or a schedule sends into a function's queue, or the app's dead-letter queue if it has none.
pub(super) fn enqueue_or_keep(connection: &Connection, queue: &str, text: &str, now: i64) -> rusqlite::Result<()> {
    if enqueue(connection, queue, text, now, now)? { Ok(()) } else { insert(connection, APP_DLQ, text, now, now) }
}

/// Sends a message to a function's queue.
pub(super) fn send(
    connection: &Connection,
    function: &str,
    text: &str,
    delay: Duration,
    now: Timestamp,
) -> Result<(), WorkError> {
    check_message(text)?;
    if delay > limits::MAX_QUEUE_DELAY {
        let message = format!("a message can't be delayed by {} s (allowed: 900)", delay.as_secs_f64());
        return Err(PortError::new(PortErrorKind::Refused, message).into());
    }
    // Counted from now, not from a whole second of the clock: as SQS does.
    let visible_at = millis(now) + 1_000 * i64::try_from(delay.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX);
    if enqueue(connection, function, text, visible_at, millis(now))? { Ok(()) } else { Err(no_queue(function).into()) }
}

/// Says whether a function's queue shows a visible message.
pub(super) fn has_backlog(connection: &Connection, function: &str, now: Timestamp) -> Result<bool, WorkError> {
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
) -> Result<(), WorkError> {
    check_message(text)?;
    let own = has_dlq(connection, function)?.unwrap_or(false);
    let queue = if own { function_dlq(function) } else { APP_DLQ.to_owned() };
    Ok(insert(connection, &queue, text, millis(now), millis(now))?)
}

/// Refuses a text that SQS would: too long, empty, or with a character that it doesn't take.
fn check_message(text: &str) -> Result<(), PortError> {
    let bytes = text.len();
    let message = if !(1..=limits::MESSAGE_BYTES).contains(&bytes) {
        format!("a message of {bytes} bytes can't be sent (allowed: 1 to {})", limits::MESSAGE_BYTES)
    } else if let Some(refused) = text.chars().find(|letter| !is_taken(*letter)) {
        format!("a message with {:?} can't be sent (SQS refuses it)", refused)
    } else {
        return Ok(());
    };
    Err(PortError::new(PortErrorKind::Refused, message))
}

/// Says whether SQS takes a character: those of XML 1.0.
fn is_taken(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn no_queue(function: &str) -> PortError {
    let message = format!("function {function:?} has no queue (start the engine with it, or deploy it)");
    PortError::new(PortErrorKind::NotDeployed, message)
}
