//! The sweep: what is overdue is looked at.

use dacapo_domain::{CONDUCTOR, DeliveryFacts, DeliveryState, Event, Facts, Id, Need, run::needs};
use serde::{Deserialize, Serialize};

use super::Conductor;
use crate::{
    delivery,
    port::{ExecutionStatus, PortErrorKind, PortResult, Watched},
};

/// Looks of one sweep, so that it ends within its minute.
const BUDGET: usize = 500;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Records that were looked at.
    pub looked: usize,
    /// Looks that failed: they come again.
    pub failed: usize,
}

impl Conductor {
    /// Looks at what is overdue. One that fails doesn't hold up those behind it.
    ///
    /// # Errors
    /// If the store can't say what is overdue.
    pub async fn sweep(&self) -> PortResult<Swept> {
        let mut swept = Swept::default();
        let overdue = self.ports.store.overdue(self.ports.clock.now(), BUDGET).await?;
        for watched in overdue {
            let looked = match &watched {
                Watched::Run(id) => self.look_at_run(*id).await,
                Watched::Delivery(key) => self.look_at_delivery(key).await,
            };
            swept.looked += 1;
            if let Err(error) = looked {
                swept.failed += 1;
                tracing::error!(?watched, %error, "a look failed");
            }
        }
        Ok(swept)
    }

    async fn look_at_run(&self, id: Id) -> PortResult<()> {
        let Some(stored) = self.ports.store.load(id).await? else { return Ok(()) };
        let run = &stored.run;
        let now = self.ports.clock.now();
        if run.watch_at.is_none_or(|watch_at| watch_at > now) {
            return Ok(()); // The index was behind.
        }
        let facts = match needs(run, now) {
            Need::Nothing => Facts::Nothing,
            Need::Backlog => Facts::Backlog(self.has_backlog(&dacapo_domain::slug(&run.name)).await?),
            Need::Execution => {
                let status = self.ports.loops.status(&run.execution_name()).await?;
                Facts::Executing(status == ExecutionStatus::Running)
            }
        };
        self.change(run, Event::Looked(facts)).await?;
        Ok(())
    }

    async fn look_at_delivery(&self, key: &str) -> PortResult<()> {
        let Some(stored) = self.ports.store.load_delivery(key).await? else { return Ok(()) };
        let seen = &stored.delivery;
        let moment = self.ports.clock.moment();
        if seen.state != DeliveryState::Retrying || seen.watch_at.is_none_or(|watch_at| watch_at > moment.now) {
            return Ok(());
        }
        let manifest = self.manifest().await?;
        let subscribed = seen.function == CONDUCTOR
            || manifest.subscribers(&seen.name).any(|function| function.name == seen.function);
        let facts = if !subscribed {
            DeliveryFacts::Unsubscribed
        } else if self.has_backlog(&seen.function).await? {
            DeliveryFacts::Backlog
        } else {
            DeliveryFacts::NoBacklog
        };
        let (next, effects) = seen.looked(facts, &moment);
        if let crate::port::SavedDelivery::Done = self.ports.store.save_delivery(seen, &next).await? {
            delivery::perform(&self.ports, &next, &stored.body, &effects).await;
        }
        Ok(())
    }

    /// A queue that isn't there has no backlog: its task or its subscription was removed.
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        match self.ports.queues.has_backlog(function).await {
            Err(error) if error.kind() == PortErrorKind::NotDeployed => Ok(false),
            reply => reply,
        }
    }
}
