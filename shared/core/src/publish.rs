//! An event on its way to those who subscribe to it, and a schedule on its way into the scheduler.

use dacapo_domain::{
    DeferredEvent, Effect, EventMessage, Json, Manifest, Message, ScheduleInput, ScheduleRecord, Work, limits, slot,
    until,
};
use jiff::Timestamp;

use crate::{
    Error,
    app::App,
    commit::{Committed, Seen, commit, create},
    port::{PortResult, Ports},
};

/// Publishes an event: to each function that subscribes, or, where it is due beyond the queue's longest delay, to the
/// conductor, which looks the subscribers up then. Says how many subscribe now.
///
/// # Errors
/// An error of a port; the event may have been published all the same.
pub async fn publish(app: &App, event: &EventMessage) -> Result<usize, Error> {
    let manifest = app.manifest().await?;
    let ports = app.ports();
    let now = ports.clock.now();
    let subscribers = manifest.subscribers(&event.name).count();
    if until(now, event.due_at) > limits::MAX_QUEUE_DELAY {
        defer(ports, event).await?;
    } else {
        send(ports, &manifest, event).await?;
    }
    Ok(subscribers)
}

/// Puts a schedule that was made at run time into the scheduler where its record asks for it, and notes that it is
/// there. One that was put otherwise, or deleted, in between is put right. A crash is the conductor's to repair.
///
/// # Errors
/// An error of the scheduler or of the store; the schedule may be there all the same.
pub async fn ensure_scheduled(
    ports: &Ports,
    mut committed: Option<Committed<ScheduleRecord>>,
    until: Timestamp,
) -> PortResult<()> {
    while let Some(Committed { record, work: Some(Work::PutSchedule), .. }) = committed {
        if let Some(effect) = record.put_effect() {
            ports.outbox.post(&effect).await?;
        }
        let (name, made) = (record.name.clone(), record.created_at);
        committed = commit(ports, Seen::Stored(record), &ScheduleInput::Scheduled(made), (), until).await?;
        if committed.is_none() {
            ports.outbox.post(&Effect::DeleteSchedule { name }).await?;
        }
    }
    Ok(())
}

/// Sends an event to each function that subscribes to it.
///
/// # Errors
/// That of the first send that failed; the others were made.
pub(crate) async fn send(ports: &Ports, manifest: &Manifest, event: &EventMessage) -> PortResult<()> {
    let delay = until(ports.clock.now(), event.due_at);
    let sent = manifest.subscribers(&event.name).map(|subscriber| {
        let (to, function) = (subscriber.name.clone(), subscriber.name.clone());
        let message = Message::Event(EventMessage { function, ..event.clone() }).to_json();
        async move { ports.outbox.post(&Effect::Send { to, message, delay }).await }
    });
    futures::future::join_all(sent).await.into_iter().collect()
}

async fn defer(ports: &Ports, event: &EventMessage) -> PortResult<()> {
    let decision = DeferredEvent::create(event, &ports.clock.decision_context());
    create(ports, &decision.with(slot::BODY, Json::clone(&event.body)), ports.clock.now()).await?;
    Ok(())
}
