//! The lifecycle events of an attempt's run, with all that the run holds.

use dacapo_domain::{LifecycleEvent, Payloads, Progress, RunRecord, RunView, slot};

use super::TaskAttempt;
use crate::lifecycle::{publish_one, publish_owed};

impl TaskAttempt {
    /// Publishes the lifecycle events that the run owes, and says whether it owes no more.
    pub(crate) async fn publish_owed(&self) -> bool {
        let run = self.run();
        if run.unpublished.is_empty() {
            return true;
        }
        let Some(payloads) = self.payloads_read().await else { return false };
        publish_owed(self.app(), &run, &self.view(&run, payloads)).await
    }

    /// The payloads of an event that says how far the run is: none where no function subscribes to that. Taken before
    /// the run's record is, which an update of them waits for.
    pub(super) async fn payloads_told(&self) -> Option<Payloads> {
        let is_told = self.policy().publishes.contains(&LifecycleEvent::Progress);
        if is_told { self.payloads_read().await } else { None }
    }

    /// Publishes how far the run is, with these payloads, before it is stored: what is stored was published. One that
    /// fails is told in the process's own log.
    pub(super) async fn publish_progress(&self, progress: &Progress, payloads: Option<Payloads>) {
        let Some(payloads) = payloads else { return };
        let event = LifecycleEvent::Progress;
        let run = RunRecord { progress: Some(progress.clone()), ..self.run() };
        let id = self.app().ports().clock.new_id();
        if let Err(error) = publish_one(self.app(), &run, &self.view(&run, payloads), event, id).await {
            tracing::warn!(run = %run.id, %error, "progress is not published");
        }
    }

    /// The run's payloads as this attempt knows them, read where they are stored apart; `None` where they can't be.
    async fn payloads_read(&self) -> Option<Payloads> {
        let slots = [slot::INPUT, slot::OUTPUT, slot::METADATA];
        let mut payloads = Payloads::none().with(slot::BODY, self.body().clone());
        for slot in slots {
            match self.data(slot).await {
                Ok(Some(value)) => payloads = payloads.with(slot, value),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(run = %self.run().id, %error, "what a lifecycle event is to say can't be read");
                    return None;
                }
            }
        }
        Some(payloads)
    }

    /// The run as people and programs are told of it: a first input that is the body is no payload of its own.
    fn view(&self, run: &RunRecord, mut payloads: Payloads) -> RunView {
        if run.iteration == 1 && payloads.get(slot::INPUT) == payloads.get(slot::BODY) {
            drop(payloads.take(slot::INPUT));
        }
        RunView::new(run, payloads, self.app().ports().clock.now())
    }
}
