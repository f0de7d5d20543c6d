//! Dead letters: deliveries that were dropped, redriven or deleted from outside.

use dacapo_domain::{DeliveryInput, DeliveryRecord, DeliveryState, Json, Subscribed};
use jiff::Timestamp;

use crate::{
    App, Error, ErrorKind,
    commit::{Seen, commit},
};

/// Sends a dead letter again from its record, with its attempts at 0: to the handlers that are not done.
///
/// # Errors
/// `Refused` for a delivery that isn't dropped, or whose function handles the event no more; `NotFound` where it is gone;
/// an error of the store.
pub async fn redrive(app: &App, seen: DeliveryRecord, until: Timestamp) -> Result<DeliveryRecord, Error> {
    check_dropped("redrive", &seen)?;
    let DeliveryRecord { function, name, .. } = &seen;
    if app.manifest().await?.subscriptions(function, name).is_empty() {
        let text = format!(
            "redrive delivery {:?}: {function} has no handler of {name:?} any more (deploy one first, or delete it)",
            seen.record_id()
        );
        return Err(Error::new(ErrorKind::Refused, text));
    }
    change(app, seen, "redrive", &DeliveryInput::Redriven, until).await
}

/// Deletes a dead letter. What a dead-letter queue has of it stays there.
///
/// # Errors
/// `Refused` for a delivery that isn't dropped; `NotFound` where it is gone; an error of the store.
pub async fn delete(app: &App, seen: DeliveryRecord, until: Timestamp) -> Result<(), Error> {
    check_dropped("delete", &seen)?;
    change(app, seen, "delete", &DeliveryInput::Deleted, until).await.map(drop)
}

async fn change(
    app: &App,
    seen: DeliveryRecord,
    verb: &str,
    input: &DeliveryInput,
    until: Timestamp,
) -> Result<DeliveryRecord, Error> {
    let id = seen.record_id();
    let subscribed = Subscribed { handlers: &[], body: &Json::default() }; // What a client asks for needs neither.
    match commit(app.ports(), Seen::Stored(seen), input, subscribed, until).await? {
        Some(committed) if committed.changed => Ok(committed.record),
        Some(committed) => check_dropped(verb, &committed.record).map(|()| committed.record),
        None => Err(Error::new(ErrorKind::NotFound, format!("{verb} delivery {id:?}: it is gone"))),
    }
}

fn check_dropped(verb: &str, delivery: &DeliveryRecord) -> Result<(), Error> {
    let (id, state) = (delivery.record_id(), delivery.state());
    let why = match state {
        DeliveryState::Dropped => return Ok(()),
        DeliveryState::Retrying => format!("its next attempt is due at {}", delivery.due_at),
        DeliveryState::Delivered => "all of its handlers are done".to_owned(),
    };
    let text = format!("{verb} delivery {id:?}: it is {state} and no dead letter ({why})");
    Err(Error::new(ErrorKind::Refused, text))
}
