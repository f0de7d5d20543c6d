use async_trait::async_trait;
use dacapo_domain::Message;
use jiff::Timestamp;

use super::PortResult;

/// One-time schedules, deleted once used. They fire at their time or up to a minute after it.
#[async_trait]
pub trait Timers: Send + Sync {
    /// Lets a message be sent to a function's queue at a time. The same name again replaces the former.
    ///
    /// The message carries ids only: Scheduler rewrites what looks like its placeholders.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError); the schedule may have been made all the same.
    async fn put(&self, name: &str, at: Timestamp, function: &str, message: &Message) -> PortResult<()>;

    /// Deletes a schedule. One that isn't there is no error.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn delete(&self, name: &str) -> PortResult<()>;
}
