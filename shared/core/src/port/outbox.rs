use async_trait::async_trait;
use dacapo_domain::Effect;

use super::error::PortResult;

/// The outbox: messages, timers and executions that leave without a write of their own.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Lets an effect happen. Each is idempotent, or bears to happen twice.
    ///
    /// # Errors
    /// `NotDeployed` if the function has no queue; on `Transient` it may have happened all the same.
    async fn post(&self, effect: &Effect) -> PortResult<()>;
}

/// Posts what follows from a write that is stored, for stores that can't do both in one transaction. One that fails is
/// logged and left to the conductor: the record is stored, so nothing is lost.
pub async fn post_after(outbox: &dyn Outbox, effects: &[Effect]) {
    for effect in effects {
        if let Err(error) = outbox.post(effect).await {
            tracing::warn!(?effect, %error, "left to the conductor");
        }
    }
}
