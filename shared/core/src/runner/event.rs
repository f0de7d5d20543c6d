//! An event's delivery: handled, or recorded and tried again.

use std::sync::Arc;

use dacapo_domain::{
    DeliveryInput, DeliveryMessage, DeliveryPhase, DeliveryRecord, Effect, EventMessage, HandlerFailure, Machine,
    Measured, Message, Payload, Payloads, RecordKey, Subscribed, Subscription, Work, limits, slot, until,
};
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument;

use super::Runner;
use crate::{
    attempt::EventAttempt,
    commit::{Committed, Seen, commit, load, retry_until},
    function::ErasedEventHandler,
    metrics,
    port::PortResult,
    span,
};

type Handlers = [Arc<dyn ErasedEventHandler>];

impl Runner {
    /// An event's own message. A success at the first try writes nothing, unless the publisher chose the event's id; one
    /// that was received before gets its record first, since a receive doesn't say whether a handler ran.
    pub(super) async fn deliver_event(
        &self,
        handlers: &Handlers,
        event: EventMessage,
        receives: u32,
        deadline: Timestamp,
    ) -> PortResult<()> {
        let now = self.ports().clock.now();
        if now < event.due_at {
            let delay = until(now, event.due_at).min(limits::MAX_QUEUE_DELAY);
            let (to, message) = (self.function.clone(), Message::Event(event).to_json());
            return self.ports().outbox.post(&Effect::Send { to, message, delay }).await;
        }
        let record = DeliveryRecord::fresh(&event);
        let fresh = Seen::Fresh(record.clone(), Payloads::none().with(slot::BODY, event.body.clone()));
        let subscriptions = subscriptions(handlers, &event.name);
        let subscribed = Subscribed { handlers: &subscriptions, body: &event.body };
        if receives > 1 {
            let input = DeliveryInput::Arrived { attempt: event.attempt };
            let taken = commit(self.ports(), fresh, &input, subscribed, deadline).await?;
            return self.handle_taken(handlers, taken, deadline).await;
        }
        if event.is_named {
            let key = record.key();
            if retry_until(self.ports(), deadline, || load::<DeliveryRecord>(self.ports(), &key)).await?.is_some() {
                return Ok(()); // It was published before, and is handled or on its way.
            }
        }
        let failures = self.handle(handlers, &record, now, &event).await;
        if event.is_named || !failures.is_empty() {
            commit(self.ports(), fresh, &DeliveryInput::Handled(failures), subscribed, deadline).await?;
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
        let failures = self.handle(handlers, &record, lease.since, &event).await;
        let input = DeliveryInput::AttemptEnded(lease.token, failures);
        let subscriptions = subscriptions(handlers, &event.name);
        let subscribed = Subscribed { handlers: &subscriptions, body: &event.body };
        commit(self.ports(), Seen::Stored(record), &input, subscribed, deadline).await?;
        Ok(())
    }

    /// Calls the event's handlers one after another, in the order of their definition: those that the record calls for
    /// at this time. All of them run, whatever becomes of those before. Gives those that failed.
    async fn handle(
        &self,
        handlers: &Handlers,
        record: &DeliveryRecord,
        taken_at: Timestamp,
        event: &EventMessage,
    ) -> Vec<HandlerFailure> {
        let mut failures = vec![];
        let begun = Instant::now();
        for handler in handlers {
            let Subscription { event: subscribed, handler: name, timeout, .. } = handler.subscription();
            let Some(attempt) = record.attempt_of(&name, taken_at).filter(|_| subscribed == event.name) else {
                continue;
            };
            let event = EventMessage { attempt, ..event.clone() };
            let attempt = Arc::new(EventAttempt::new(&self.app, event, &format!("{}/{name}", self.function), timeout));
            let call = {
                let (handler, body, attempt) = (handler.clone(), attempt.event().body.clone(), attempt.clone());
                async move { handler.call(body, attempt).await }
            };
            let span = span::of_event(attempt.event(), &name);
            let outcome = self.guard.call("handler", call, attempt.limit()).instrument(span.clone()).await;
            if let Err(error) = outcome.and_then(|handled| handled) {
                span.in_scope(|| {
                    tracing::warn!(code = error.error.code, error = span::told(&error), "a handler failed")
                });
                failures.push(HandlerFailure { handler: name, error });
            }
        }
        metrics::record(&Measured::delivery(&self.function, until(event.due_at, taken_at), begun.elapsed()));
        failures
    }
}

/// The handlers of an event, as the manifest has them.
fn subscriptions(handlers: &Handlers, event: &str) -> Vec<Subscription> {
    handlers.iter().map(|handler| handler.subscription()).filter(|subscription| subscription.event == event).collect()
}
