//! Messages on their way from a queue to its reader.

use dacapo_core::port::PortResult;

use super::Engine;
use crate::{InvocationFailed, sqlite::ReceivedMessage};

impl Engine {
    /// Delivers a batch and acknowledges what is done; the rest comes back when its visibility ends.
    pub(super) async fn deliver(&self, queue: &str, batch: &[ReceivedMessage]) -> PortResult<()> {
        let delivered = match self.reader(queue) {
            Some(function) => self.invoke.deliver(function, queue, batch).await,
            None => Err(InvocationFailed::new("no function reads this queue any more")),
        };
        let done = delivered.unwrap_or_else(|failed| {
            tracing::warn!(queue, %failed, "an invocation failed: its messages come back");
            vec![]
        });
        let done = batch.iter().zip(done).filter(|(_, done)| *done);
        futures::future::try_join_all(done.map(|(message, _)| self.database.acknowledge(message.receipt))).await?;
        Ok(())
    }
}
