//! An event's delivery: handled, or recorded and tried again.

use std::sync::Arc;

use dacapo_domain::{
    Delivery, DeliveryMessage, DeliveryState, EventMessage, EventPolicy, Failed, Failure, RetryWish, Subscription, code,
};

use super::{EventAttempt, Runner};
use crate::{
    definition::ErasedHandler,
    delivery,
    port::{Envelope, PortResult, SavedDelivery},
};

type Handlers = [Arc<dyn ErasedHandler>];

impl Runner {
    /// An event at its first try: a success writes nothing.
    pub(super) async fn deliver_event(
        &self,
        handlers: &Handlers,
        event: EventMessage,
        receives: u32,
    ) -> PortResult<()> {
        let ports = &self.ports;
        let now = ports.clock.now();
        if now < event.due_at {
            let delay = dacapo_domain::until(now, event.due_at);
            let message = dacapo_domain::Message::Event(event);
            return ports.queues.send(&self.function, &Envelope { message, delay }).await;
        }
        if receives > 1 {
            // The process died with this message: it is recorded before anything else, and sent again alone.
            return self.fail_first(&event, crashed(handlers, &event.name)).await;
        }
        match self.handle(handlers, &event).await {
            Ok(()) => Ok(()),
            Err(unhandled) => self.fail_first(&event, unhandled).await,
        }
    }

    /// The first attempt at an event failed: from now on it has a record.
    async fn fail_first(&self, event: &EventMessage, Unhandled { failed, policy }: Unhandled) -> PortResult<()> {
        let moment = self.ports.clock.moment();
        let fresh = Delivery::new(event, &moment);
        let (next, effects) = fresh.failed(failed.failure, failed.retry, &policy, &moment);
        if let SavedDelivery::Lost(_) = self.ports.store.create_delivery(&next, &event.body).await? {
            return Ok(()); // A duplicate: the record rules.
        }
        delivery::perform(&self.ports, &next, &event.body, &effects).await;
        Ok(())
    }

    /// A recorded delivery is due.
    pub(super) async fn deliver_recorded(
        &self,
        handlers: &Handlers,
        message: &DeliveryMessage,
        receives: u32,
    ) -> PortResult<()> {
        let Some(stored) = self.ports.store.load_delivery(&message.delivery).await? else { return Ok(()) };
        let seen = &stored.delivery;
        if seen.state != DeliveryState::Retrying || seen.attempt != message.attempt {
            return Ok(());
        }
        if self.ports.clock.now() < seen.due_at {
            delivery::perform(&self.ports, seen, &stored.body, &[seen.carry(self.ports.clock.now())]).await;
            return Ok(());
        }
        let outcome = if receives > 1 {
            Err(crashed(handlers, &seen.name))
        } else {
            self.handle(handlers, &stored.message()).await
        };
        let moment = self.ports.clock.moment();
        let (next, effects) = match outcome {
            Ok(()) => (seen.delivered(&moment), vec![]),
            Err(Unhandled { failed, policy }) => seen.failed(failed.failure, failed.retry, &policy, &moment),
        };
        if let SavedDelivery::Lost(_) = self.ports.store.save_delivery(seen, &next).await? {
            return Ok(());
        }
        delivery::perform(&self.ports, &next, &stored.body, &effects).await;
        Ok(())
    }

    /// Calls the event's handlers one after another, in the order of their definition; all of them run, whatever
    /// becomes of those before.
    async fn handle(&self, handlers: &Handlers, event: &EventMessage) -> Result<(), Unhandled> {
        let mut failures = vec![];
        for (place, handler) in handlers.iter().enumerate() {
            let subscription = handler.subscription();
            if subscription.event != event.name {
                continue;
            }
            let name = format!("{}#{place}", self.function);
            let attempt = Arc::new(EventAttempt::new(&self.client, event.clone(), &name, subscription.timeout));
            let call = {
                let (handler, body, attempt) = (handler.clone(), event.body.clone(), attempt.clone());
                async move { handler.call(body, attempt).await }
            };
            let outcome = self.guard.call(call, attempt.limit()).await;
            if let Err(failed) = outcome.and_then(|handled| handled) {
                tracing::warn!(event = event.name, id = %event.id, error = failed.failure.message, "a handler failed");
                failures.push((failed, subscription));
            }
        }
        together(failures)
    }
}

/// A delivery that failed, and what its failing handlers ask for.
struct Unhandled {
    failed: Failed,
    policy: EventPolicy,
}

/// What several failed handlers make of one delivery: tried again at the soonest time that one of them asks for.
#[expect(clippy::result_large_err, reason = "made once a delivery")]
fn together(failures: Vec<(Failed, Subscription)>) -> Result<(), Unhandled> {
    let Some((first, _)) = failures.first() else { return Ok(()) };
    let message = failures.iter().map(|(failed, _)| failed.failure.message.as_str()).collect::<Vec<_>>().join("; ");
    let failure = Failure { message, ..first.failure.clone() };
    let asked = failures.iter().filter_map(|(failed, _)| match failed.retry {
        RetryWish::At(at) => Some(at),
        _ => None,
    });
    let by_policy = failures.iter().any(|(failed, _)| failed.retry == RetryWish::ByPolicy);
    let retry = match asked.min() {
        Some(at) => RetryWish::At(at),
        None if by_policy => RetryWish::ByPolicy,
        None => RetryWish::Never,
    };
    let policy = EventPolicy::together(failures.iter().map(|(_, subscription)| subscription));
    Err(Unhandled { failed: Failed { failure, retry }, policy })
}

/// The process died with the event: nobody knows which handler it was.
fn crashed(handlers: &Handlers, event: &str) -> Unhandled {
    let subscriptions: Vec<Subscription> = handlers.iter().map(|handler| handler.subscription()).collect();
    Unhandled {
        failed: Failed::retryable(code::CRASHED, "the process ended without an answer"),
        policy: EventPolicy::together(subscriptions.iter().filter(|subscription| subscription.event == event)),
    }
}
