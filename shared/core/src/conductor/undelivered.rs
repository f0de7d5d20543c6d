//! The app's dead-letter queue: messages that their function could not take, again and again.

use dacapo_domain::{
    CONDUCTOR, Delivery, DeliveryMessage, DeliveryState, Event, EventPolicy, Failed, Fire, Message, RunMessage, code,
};

use super::Conductor;
use crate::{
    delivery,
    port::{Created, PortError, PortErrorKind, PortResult, SavedDelivery, StoredDelivery},
    runner::{apply::perform, fire::admit},
};

const CAUSE: &str = "the function could not take its message (does it start? see its logs)";

impl Conductor {
    /// Takes a message from the app's dead-letter queue. The record rules: a run that still waits for it gets a fresh
    /// one, for a delivery it counts as a crashed attempt, and a fire makes its run.
    ///
    /// # Errors
    /// The message is to be left where it is, for people to look at.
    pub async fn undelivered(&self, text: &str) -> PortResult<()> {
        match Message::from_text(text) {
            Ok(Message::Run(message)) => self.undelivered_run(&message).await,
            Ok(Message::Event(event)) => {
                // What nobody has recorded gets its record now; the record that is there rules.
                let fresh = Delivery::new(&event, &self.ports.clock.moment());
                self.fail(StoredDelivery { delivery: fresh, body: event.body }, true).await
            }
            Ok(Message::Delivery(message)) => match self.ports.store.load_delivery(&message.delivery).await? {
                // An event that was held back: nobody has tried to handle it yet.
                Some(stored) if stored.delivery.function == CONDUCTOR => self.publish_held(&message).await,
                Some(stored) if is_due(&stored.delivery, &message) => self.fail(stored, false).await,
                _ => Ok(()),
            },
            Ok(Message::Fire(fire)) => self.undelivered_fire(fire).await,
            Ok(Message::Ended(_)) => self.deliver(text).await,
            Err(error) => {
                let text = format!("a message in the dead-letter queue can't be read: {error}");
                Err(PortError::new(PortErrorKind::Refused, text))
            }
        }
    }

    async fn undelivered_run(&self, message: &RunMessage) -> PortResult<()> {
        if let Some(stored) = self.ports.store.load(message.run).await? {
            self.change(&stored.run, Event::Undelivered(message.purpose)).await?;
        }
        Ok(())
    }

    /// A fire that its function didn't take: its run is made here, so that it is seen what becomes of it.
    async fn undelivered_fire(&self, fire: Fire) -> PortResult<()> {
        let manifest = self.manifest().await?;
        let task = match manifest.schedule(&fire.schedule) {
            Some((_, task, _)) => Some(task),
            None => {
                let kept = self.ports.store.schedule(&fire.schedule).await?;
                kept.and_then(|kept| manifest.task(&kept.task)).map(|(_, task)| task)
            }
        };
        let Some(task) = task else { return Ok(()) }; // It was removed, and so is nobody's.
        if let Some((made, body)) = admit(&self.ports, task, fire).await?
            && self.ports.store.create(&made.run, &body, None).await? == Created::New
        {
            perform(&self.ports, &made.run, &made.effects).await;
        }
        Ok(())
    }

    /// A delivery's attempt failed without an answer.
    async fn fail(&self, stored: StoredDelivery, is_first: bool) -> PortResult<()> {
        let StoredDelivery { delivery: seen, body } = stored;
        let manifest = self.manifest().await?;
        let policy = manifest
            .functions
            .iter()
            .filter(|function| function.name == seen.function)
            .flat_map(|function| function.subscriptions())
            .filter(|subscription| subscription.event == seen.name);
        let policy = EventPolicy::together(policy);
        let Failed { failure, retry } = Failed::retryable(code::CRASHED, CAUSE);
        let (next, effects) = seen.failed(failure, retry, &policy, &self.ports.clock.moment());
        let saved = if is_first {
            self.ports.store.create_delivery(&next, &body).await?
        } else {
            self.ports.store.save_delivery(&seen, &next).await?
        };
        if saved == SavedDelivery::Done {
            delivery::perform(&self.ports, &next, &body, &effects).await;
        }
        Ok(())
    }
}

fn is_due(delivery: &Delivery, message: &DeliveryMessage) -> bool {
    delivery.state == DeliveryState::Retrying && delivery.attempt == message.attempt
}
