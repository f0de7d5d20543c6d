//! An event on its way to those who subscribe to it.

use std::collections::BTreeSet;

use dacapo_domain::{
    DeferredEvent, DeferredEventInput, Effect, EventMessage, Json, Manifest, Message, later, limits, slot, until,
};

use crate::{
    Error,
    app::App,
    commit::{Creation, PATIENCE, Seen, commit, create},
    port::{PortErrorKind, PortResult, Ports},
};

/// Publishes an event: to each function that subscribes, or, where it is due beyond the queue's longest delay, to the
/// conductor, which looks the subscribers up then. Says how many subscribe now.
///
/// # Errors
/// An error of a port; the event may have been published all the same.
pub async fn publish(app: &App, event: &EventMessage) -> Result<usize, Error> {
    let manifest = app.manifest().await?;
    if until(app.ports().clock.now(), event.due_at) > limits::MAX_QUEUE_DELAY {
        defer(app.ports(), event).await?;
        return Ok(manifest.subscribers(&event.name).count());
    }
    send(app, &manifest, event).await
}

/// Sends an event to each function that subscribes to it, and says how many there are. A subscriber whose queue is gone
/// was removed by a deploy: then the manifest is read again, since others may have come in its place.
///
/// # Errors
/// That of the first send that failed; the others were made.
pub(crate) async fn send(app: &App, manifest: &Manifest, event: &EventMessage) -> Result<usize, Error> {
    let subscribers: BTreeSet<&str> = manifest.subscribers(&event.name).map(|entry| &*entry.name).collect();
    let sent = send_to(app.ports(), &subscribers, event).await?;
    if sent == subscribers.len() {
        return Ok(sent);
    }
    let current = app.current_manifest().await?;
    let others = current.subscribers(&event.name).map(|entry| &*entry.name);
    let others: BTreeSet<&str> = others.filter(|name| !subscribers.contains(name)).collect();
    Ok(sent + send_to(app.ports(), &others, event).await?)
}

/// Sends it to these functions, and says how many there are.
async fn send_to(ports: &Ports, subscribers: &BTreeSet<&str>, event: &EventMessage) -> PortResult<usize> {
    let delay = until(ports.clock.now(), event.due_at);
    let sends = subscribers.iter().map(|subscriber| async move {
        let message = Message::Event(EventMessage { function: (*subscriber).to_owned(), ..event.clone() }).to_json();
        match ports.outbox.post(&Effect::Send { to: (*subscriber).to_owned(), message, delay }).await {
            Ok(()) => Ok(1),
            Err(error) if error.kind() == PortErrorKind::NotDeployed => {
                tracing::warn!(event = event.name, id = %event.id, subscriber, %error, "a subscriber was removed");
                Ok(0)
            }
            Err(error) => Err(error),
        }
    });
    futures::future::join_all(sends).await.into_iter().sum()
}

async fn defer(ports: &Ports, event: &EventMessage) -> PortResult<()> {
    let decision = DeferredEvent::create(event, &ports.clock.decision_context());
    let decision = decision.with(slot::BODY, Json::clone(&event.body));
    let until = later(ports.clock.now(), PATIENCE);
    // One that a handler names is the same again where its handler is tried again.
    if let Creation::Exists(deferred) = create(ports, &decision, until).await?
        && event.is_named
    {
        let again = DeferredEventInput::PublishedAgain { published_at: event.published_at, due_at: event.due_at };
        commit(ports, Seen::Stored(deferred), &again, (), until).await?;
    }
    Ok(())
}
