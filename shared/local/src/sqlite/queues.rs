//! Queues: their names, and what is kept of each.

use std::time::Duration;

use dacapo_domain::{FunctionEntry, limits};
use rusqlite::{Connection, params};

use super::rows::{execute, first};

/// The app's dead-letter queue, which the conductor drains: messages that were received too often, and what
/// timers and schedules sent to a function that is gone.
pub const APP_DLQ: &str = "undelivered";

/// The name of a function's own dead-letter queue.
#[must_use]
pub fn function_dlq(function: &str) -> String {
    format!("{function}-dead")
}

/// Says whether a function asked for a dead-letter queue of its own; `None` where it has no queue at all.
pub(super) fn has_dlq(connection: &Connection, function: &str) -> rusqlite::Result<Option<bool>> {
    first(connection, "SELECT dead_letters FROM queues WHERE name = ?1", [function], |row| row.get(0))
}

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

    /// Creates the queue, or changes it.
    pub(super) fn put(&self, connection: &Connection) -> rusqlite::Result<()> {
        const SQL: &str =
            "INSERT OR REPLACE INTO queues (name, visibility, max_receives, dead_letters) VALUES (?1, ?2, ?3, ?4)";
        let visibility = i64::try_from(self.visibility.as_millis()).unwrap_or(i64::MAX);
        execute(connection, SQL, params![self.function, visibility, self.max_receives, self.has_dead_letters])?;
        Ok(())
    }
}
