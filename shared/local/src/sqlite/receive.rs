//! Messages as the engine takes them out of queues: hidden while they are handled, back if they are not acknowledged.

use dacapo_core::port::PortResult;
use rusqlite::{Connection, Row, params};

use super::{
    APP_DLQ, Database,
    queues::oldest,
    rows::{execute, first, millis, query},
};

/// A message that was received. It stays in its queue, hidden, until it is acknowledged or its visibility ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// The receipt that acknowledges this receive.
    pub receipt: Receipt,
    /// The message's text.
    pub text: String,
    /// The number of its receives, this one included.
    pub receives: u32,
}

/// Names one receive of one message; worth nothing once the message was received again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    message: i64,
    receives: u32,
}

/// As it is shown to functions: `17-1` is the first receive of message 17.
impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.message, self.receives)
    }
}

/// Hides up to so many visible messages; those received too often go to the dead-letter queue instead.
///
/// The statements are plain: RETURNING and subqueries build temporary tables, which cost ten times as much here.
pub(super) fn receive(
    connection: &Connection,
    queue: &str,
    max: u32,
    now: i64,
    oldest: i64,
) -> rusqlite::Result<Vec<ReceivedMessage>> {
    const QUEUE: &str = "SELECT visibility, max_receives FROM queues WHERE name = ?1";
    const VISIBLE: &str = "SELECT id, receives + 1, text FROM messages
        WHERE queue = ?1 AND visible_at <= ?2 AND sent_at > ?3 ORDER BY visible_at LIMIT ?4";
    const HIDE: &str = "UPDATE messages SET visible_at = ?2, receives = ?3 WHERE id = ?1";
    // As SQS moves them: sent when they were first sent, so the retention goes on.
    const MOVE: &str = "UPDATE messages SET queue = ?2, visible_at = ?3, receives = 0 WHERE id = ?1";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Option<u32>>(1)?));
    let (visibility, max_receives): (i64, _) = first(connection, QUEUE, [queue], read)?.unwrap_or((30_000, None));
    let mut received = vec![];
    loop {
        let wanted = max - u32::try_from(received.len()).unwrap_or(max);
        let visible = query(connection, VISIBLE, params![queue, now, oldest, wanted], |row| {
            let receipt = Receipt { message: row.get(0)?, receives: row.get(1)? };
            Ok(ReceivedMessage { receipt, receives: receipt.receives, text: row.get(2)? })
        })?;
        let (keep, dead): (Vec<_>, Vec<_>) =
            visible.into_iter().partition(|message| max_receives.is_none_or(|max| message.receives <= max));
        for ReceivedMessage { receipt, .. } in &keep {
            execute(connection, HIDE, params![receipt.message, now + visibility, receipt.receives])?;
        }
        for ReceivedMessage { receipt, .. } in &dead {
            execute(connection, MOVE, params![receipt.message, APP_DLQ, now])?;
        }
        received.extend(keep);
        if dead.is_empty() {
            return Ok(received);
        }
    }
}

impl Database {
    /// Receives up to `max` visible messages of a queue and hides them for the queue's visibility timeout.
    ///
    /// One that was received as often as the queue allows goes to [`APP_DLQ`](super::APP_DLQ) instead. Any
    /// queue can be read, dead-letter queues too.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn receive(&self, queue: &str, max: u32) -> PortResult<Vec<ReceivedMessage>> {
        let (queue, now) = (queue.to_owned(), self.now());
        self.call(move |connection| Ok(receive(connection, &queue, max, millis(now), oldest(now))?)).await
    }

    /// Deletes a message that was handled. Says whether the receipt was still worth something: it is not once the
    /// visibility has ended and the message was received again.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn acknowledge(&self, receipt: Receipt) -> PortResult<bool> {
        const SQL: &str = "DELETE FROM messages WHERE id = ?1 AND receives = ?2";
        let Receipt { message, receives } = receipt;
        self.call(move |connection| Ok(execute(connection, SQL, params![message, receives])? == 1)).await
    }
}
