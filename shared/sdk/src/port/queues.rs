use std::time::Duration;

use async_trait::async_trait;
use dacapo_domain::Message;

use super::PortResult;

/// A message and how long its queue holds it back: whole seconds up to 15 minutes, rounded up.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The message.
    pub message: Message,
    /// How long it is held back.
    pub delay: Duration,
}

/// The functions' queues: at least once, in any order.
#[async_trait]
pub trait Queues: Send + Sync {
    /// Sends a message to a function's queue. It is there for 14 days, or until it is acknowledged.
    ///
    /// # Errors
    /// `NotDeployed` if the function has no queue; the message may have been sent all the same on `Transient`.
    async fn send(&self, function: &str, envelope: &Envelope) -> PortResult<()>;

    /// Whether the function's queue shows a visible message.
    ///
    /// # Errors
    /// `NotDeployed` if the function has no queue.
    async fn has_backlog(&self, function: &str) -> PortResult<bool>;

    /// Keeps a message's text where people look for it: in the function's own dead-letter queue where it has one,
    /// else in the app's.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError); the text may have been kept all the same.
    async fn dead_letter(&self, function: &str, text: &str) -> PortResult<()>;
}
