//! Messages on their way from a queue to whoever reads it.

use dacapo_core::port::PortResult;
use dacapo_domain::CONDUCTOR;

use super::{Crash, Engine};
use crate::sqlite::{Received, UNDELIVERED};

impl Engine {
    /// Delivers a batch and acknowledges what is done; the rest comes back when its visibility ends.
    pub(super) async fn deliver(&self, queue: &str, batch: &[Received]) -> PortResult<()> {
        let delivered = match queue {
            CONDUCTOR | UNDELIVERED => self.conduct(queue, batch).await,
            _ => match self.functions.get(queue) {
                Some(function) => self.invoke.deliver(function, batch).await,
                None => Err(Crash::new("no function reads this queue any more")),
            },
        };
        let done = delivered.unwrap_or_else(|crash| {
            tracing::warn!(queue, %crash, "an invocation failed: its messages come back");
            vec![]
        });
        let done = batch.iter().zip(done).filter(|(_, done)| *done);
        futures::future::try_join_all(done.map(|(message, _)| self.database.acknowledge(message.receipt))).await?;
        Ok(())
    }
}
