//! Lifecycle events: published by whichever process sees the moment, with the run's record as body.

use dacapo_domain::{
    EventMessage, Id, Input, Json, LifecycleEvent, Message, RunRecord, RunView, Task, hash128, later, limits,
};
use jiff::Timestamp;

use crate::{
    App, Error, ErrorKind, Origin,
    commit::{PATIENCE, commit_run, load, retry_until},
    port::{PortError, PortErrorKind, PortResult},
    publish::publish,
};

/// Publishes all that a run owes, in order, and says whether it owes no more. One that fails is told in the process's own
/// log and left to the next who comes.
pub(crate) async fn publish_owed(app: &App, run: &RunRecord, view: &RunView) -> bool {
    for event in &run.unpublished {
        // The same id for each try: a subscriber can tell a duplicate, and what its handler starts is named by it.
        let named = hash128(&format!("{}/{event}", run.id));
        let id = Id::new(view.moment_of(*event), named);
        if let Err(error) = publish_one(app, run, view, *event, id).await {
            tracing::warn!(run = %run.id, %event, %error, "a lifecycle event is not published yet");
            return false;
        }
    }
    true
}

/// Publishes one of a run's lifecycle events. One at the end of too long a chain is left out, and the process's own log
/// says so.
///
/// # Errors
/// An error of a port; some subscribers may have got it all the same.
pub(crate) async fn publish_one(
    app: &App,
    run: &RunRecord,
    view: &RunView,
    event: LifecycleEvent,
    id: Id,
) -> PortResult<()> {
    let now = app.ports().clock.now();
    let hops = match Origin::of_run(run).hops(now) {
        Ok(hops) => hops,
        Err(refused) => {
            tracing::error!(run = %run.id, %event, %refused, "a lifecycle event is left out");
            return Ok(());
        }
    };
    let message = EventMessage::at(id, event.of_task(&run.name), Json::default(), now);
    let message = EventMessage { hops, traceparent: run.traceparent, ..message };
    let event = fitting(message, view.clone())?;
    let until = later(now, PATIENCE);
    retry_until(app.ports(), until, || async { publish(app, &event).await.map_err(as_port_error) }).await?;
    Ok(())
}

/// The event with the record as its body, without the payloads that don't fit into a message: the record says so.
fn fitting(mut event: EventMessage, mut view: RunView) -> PortResult<EventMessage> {
    loop {
        event.body = Json::of(&view).map_err(|error| {
            PortError::new(PortErrorKind::Refused, "failed to write a run as JSON").caused_by(error)
        })?;
        let bytes = Message::Event(event.clone()).to_text().len();
        if bytes <= limits::MESSAGE_BYTES || !view.leave_out_largest() {
            return Ok(event);
        }
    }
}

/// Publishes what an ended run owes, whose hooks are none, and says so on its record.
///
/// # Errors
/// An error of the store: the conductor publishes it then.
pub(crate) async fn settle(app: &App, run: &RunRecord, until: Timestamp) -> PortResult<()> {
    let Some(stored) = load::<RunRecord>(app.ports(), &RunRecord::key_of(run.id)).await? else { return Ok(()) };
    let view = RunView::new(&stored.record, stored.payloads, app.ports().clock.now());
    let published = publish_owed(app, run, &view).await;
    commit_run(app.ports(), stored.record, &Input::EndHooksDone { published }, Task::Removed, until).await?;
    Ok(())
}

/// The error as one of a port, so that what may work later is tried again.
fn as_port_error(error: Error) -> PortError {
    let kind = match error.kind() {
        ErrorKind::Transient => PortErrorKind::Transient,
        ErrorKind::Unreachable => PortErrorKind::Unreachable,
        ErrorKind::NoAccess => PortErrorKind::Denied,
        ErrorKind::NotDeployed => PortErrorKind::NotDeployed,
        ErrorKind::Usage | ErrorKind::NotFound | ErrorKind::Refused => PortErrorKind::Refused,
    };
    PortError::new(kind, error.to_string()).caused_by(error)
}
