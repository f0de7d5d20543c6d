//! An event's delivery: handled, or recorded and tried again.

use std::sync::Arc;

use dacapo_domain::{
    DeliveryInput, DeliveryMessage, DeliveryPhase, DeliveryRecord, Effect, EventMessage, HandlerFailure, Machine,
    Message, Payload, Payloads, RecordKey, Subscribed, Subscription, Work, slot,
};
use jiff::Timestamp;

use super::Runner;
use crate::{
    attempt::EventAttempt,
    commit::{Committed, Seen, commit, load, retry_until},
    function::ErasedEventHandler,
    port::PortResult,
};

type Handlers = [Arc<dyn ErasedEventHandler>];

impl Runner {
    /// An event's own message. A success at the first try writes nothing; one that was received before gets its record
    /// first, since a receive doesn't say whether a handler ran.
    pub(super) async fn deliver_event(
        &self,
        handlers: &Handlers,
        event: EventMessage,
        receives: u32,
        deadline: Timestamp,
    ) -> PortResult<()> {
        let now = self.ports().clock.now();
        if now < event.due_at {
            let delay = dacapo_domain::until(now, event.due_at);
            let (to, message) = (self.function.clone(), Message::Event(event).to_json());
            return self.ports().outbox.post(&Effect::Send { to, message, delay }).await;
        }
        let fresh = Seen::Fresh(DeliveryRecord::fresh(&event), Payloads::none().with(slot::BODY, event.body.clone()));
        let subscriptions = subscriptions(handlers, &event.name);
        let subscribed = Subscribed { handlers: &subscriptions, body: &event.body };
        if receives > 1 {
            let input = DeliveryInput::Arrived { attempt: event.attempt };
            let taken = commit(self.ports(), fresh, &input, subscribed, deadline).await?;
            return self.handle_taken(handlers, taken, deadline).await;
        }
        let failures = self.handle(handlers, &event).await;
        if !failures.is_empty() {
            commit(self.ports(), fresh, &DeliveryInput::FirstFailed(failures), subscribed, deadline).await?;
        }
        Ok(())
    }

    /// A recorded delivery is due.
    pub(super) async fn deliver_recorded(
        &self,
        handlers: &Handlers,
        message: &DeliveryMessage,
        deadline: Timestamp,
    ) -> PortResult<()> {
        let key = RecordKey::new(DeliveryRecord::KIND, &message.delivery);
        let Some(stored) = load::<DeliveryRecord>(self.ports(), &key).await? else { return Ok(()) };
        let body = stored.payloads.clone().take(slot::BODY).unwrap_or_default();
        let subscriptions = subscriptions(handlers, &stored.record.name);
        let subscribed = Subscribed { handlers: &subscriptions, body: &body };
        let input = DeliveryInput::Arrived { attempt: message.attempt };
        let taken = commit(self.ports(), stored, &input, subscribed, deadline).await?;
        self.handle_taken(handlers, taken, deadline).await
    }

    /// Calls the handlers under the lease that was taken, if one was, and stores what came of it.
    async fn handle_taken(
        &self,
        handlers: &Handlers,
        taken: Option<Committed<DeliveryRecord>>,
        deadline: Timestamp,
    ) -> PortResult<()> {
        let Some(Committed { record, mut payloads, work: Some(Work::CallHandler), .. }) = taken else {
            return Ok(());
        };
        let DeliveryPhase::Handling(lease) = record.phase else { return Ok(()) };
        if payloads.get(slot::BODY) == Payload::Apart {
            let key = record.key();
            let stored = retry_until(self.ports(), deadline, || load::<DeliveryRecord>(self.ports(), &key)).await?;
            let Some(stored) = stored else { return Ok(()) };
            payloads = stored.payloads;
        }
        let body = payloads.take(slot::BODY).unwrap_or_default();
        let event = record.event_message(body);
        let failures = self.handle(handlers, &event).await;
        let input = if failures.is_empty() {
            DeliveryInput::Handled(lease.token)
        } else {
            DeliveryInput::Failed(lease.token, failures)
        };
        let subscriptions = subscriptions(handlers, &event.name);
        let subscribed = Subscribed { handlers: &subscriptions, body: &event.body };
        commit(self.ports(), Seen::Stored(record), &input, subscribed, deadline).await?;
        Ok(())
    }

    /// Calls the event's handlers one after another, in the order of their definition; all of them run, whatever
    /// becomes of those before. Gives those that failed, by their place among the event's handlers.
    async fn handle(&self, handlers: &Handlers, event: &EventMessage) -> Vec<HandlerFailure> {
        let mut failures = vec![];
        let subscribed = handlers.iter().enumerate().map(|(place, handler)| (place, handler, handler.subscription()));
        let subscribed = subscribed.filter(|(.., subscription)| subscription.event == event.name);
        for (index, (place, handler, subscription)) in subscribed.enumerate() {
            let name = format!("{}#{place}", self.function);
            let attempt = Arc::new(EventAttempt::new(&self.app, event.clone(), &name, subscription.timeout));
            let call = {
                let (handler, body, attempt) = (handler.clone(), event.body.clone(), attempt.clone());
                async move { handler.call(body, attempt).await }
            };
            let outcome = self.guard.call(call, attempt.limit()).await;
            if let Err(error) = outcome.and_then(|handled| handled) {
                tracing::warn!(event = event.name, id = %event.id, error = error.error.message, "a handler failed");
                failures.push(HandlerFailure { handler: index, error });
            }
        }
        failures
    }
}

/// The handlers of an event, as the manifest has them.
fn subscriptions(handlers: &Handlers, event: &str) -> Vec<Subscription> {
    handlers.iter().map(|handler| handler.subscription()).filter(|subscription| subscription.event == event).collect()
}
