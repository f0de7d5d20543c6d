//! The app's dead-letter queue: messages that their function could not take, again and again.

use dacapo_domain::{
    DeliveryInput, DeliveryMessage, DeliveryRecord, Fire, Input, Machine, Message, Payloads, RecordKey, RunMessage,
    RunRecord, ScheduleRecord, Subscribed, slot,
};

use super::Conductor;
use crate::{
    commit::{Seen, commit, create, load},
    port::{PortError, PortErrorKind, PortResult},
    schedule::{delete_used, run_of_fire},
};

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
                // An event without a record gets it now; the record that is there rules.
                let payloads = Payloads::none().with(slot::BODY, event.body.clone());
                self.undelivered_event(Seen::Fresh(DeliveryRecord::fresh(&event), payloads), event.attempt).await
            }
            Ok(Message::Delivery(DeliveryMessage { delivery, attempt })) => {
                let key = RecordKey::new(DeliveryRecord::KIND, delivery);
                match load::<DeliveryRecord>(self.ports(), &key).await? {
                    Some(stored) => {
                        let body = stored.payloads.clone();
                        self.fail(Seen::from(stored), &body, attempt).await
                    }
                    None => Ok(()),
                }
            }
            Ok(Message::Fire(fire)) => self.undelivered_fire(fire).await,
            Ok(Message::Deferred(_) | Message::ExecutionEnded(_) | Message::Pool(_)) => self.deliver(text).await,
            Err(error) => {
                let text = format!("a message in the dead-letter queue can't be read: {error}");
                Err(PortError::new(PortErrorKind::Refused, text))
            }
        }
    }

    async fn undelivered_run(&self, message: &RunMessage) -> PortResult<()> {
        if let Some(stored) = load::<RunRecord>(self.ports(), &RunRecord::key_of(message.run)).await? {
            self.change(stored.record, &Input::Undelivered(message.purpose)).await?;
        }
        Ok(())
    }

    /// A fire that its function didn't take: its run is made here, so that it is seen what becomes of it.
    async fn undelivered_fire(&self, fire: Fire) -> PortResult<()> {
        let (ports, manifest) = (self.ports(), self.manifest().await?);
        let task = match manifest.schedule(&fire.schedule) {
            Some((_, task, _)) => Some(task),
            None => {
                let stored = load::<ScheduleRecord>(ports, &ScheduleRecord::key_of(&fire.schedule)).await?;
                stored.and_then(|stored| manifest.task(&stored.record.task)).map(|(_, task)| task)
            }
        };
        let Some(task) = task else { return Ok(()) }; // It was removed, and the fire with it.
        let Some(fired) = run_of_fire(ports, task, fire, self.deadline()).await? else { return Ok(()) };
        let decision = RunRecord::create(fired.new, &ports.clock.decision_context()).with(slot::BODY, fired.body);
        create(ports, &decision, self.deadline()).await?;
        delete_used(ports, fired.once, self.deadline()).await
    }

    async fn undelivered_event(&self, seen: Seen<DeliveryRecord>, attempt: u32) -> PortResult<()> {
        let payloads = match &seen {
            Seen::Fresh(_, payloads) => payloads.clone(),
            Seen::Stored(_) | Seen::Unreadable(..) => Payloads::none(),
        };
        self.fail(seen, &payloads, attempt).await
    }

    /// A delivery's attempt failed without an answer.
    async fn fail(&self, seen: Seen<DeliveryRecord>, payloads: &Payloads, attempt: u32) -> PortResult<()> {
        let record = seen.record();
        let handlers = self.manifest().await?.subscriptions(&record.function, &record.name);
        let body = payloads.clone().take(slot::BODY).unwrap_or_default();
        let subscribed = Subscribed { handlers: &handlers, body: &body };
        commit(self.ports(), seen, &DeliveryInput::Undelivered { attempt }, subscribed, self.deadline()).await?;
        Ok(())
    }
}
