//! Debounced starts: the first call of a burst makes a run, and the later ones are handed to it.

use std::collections::BTreeMap;

use dacapo_domain::{Decision, Edge, Id, IdempotencyKey, IdempotencyKeyInput, Input, RecordKey, RunRecord, slot};
use futures::future::join_all;
use jiff::Timestamp;

use crate::{
    App, Error,
    commit::{
        Creation, KEY_TRIES, Seen, commit, create_claiming, create_run, create_runs, load, read_record, retry_until,
        too_many_take,
    },
    control::change,
};

/// Starts new runs, each by itself. The reply to each says which run there was before, if any. Debounced ones of the same
/// key are started in their order.
pub async fn start_all(
    app: &App,
    decisions: &[Decision<RunRecord>],
    until: Timestamp,
) -> Vec<Result<Option<Id>, Error>> {
    let mut bursts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut plain = vec![];
    for (place, decision) in decisions.iter().enumerate() {
        match debounced_key(&decision.record) {
            Some((key, _)) => bursts.entry(key.to_string()).or_default().push(place),
            None => plain.push(place),
        }
    }
    let mut replies: Vec<_> = decisions.iter().map(|_| Ok(None)).collect();
    let each: Vec<_> = plain.iter().map(|place| &decisions[*place]).collect();
    for (place, created) in plain.iter().zip(create_runs(app.ports(), &each, until).await) {
        replies[*place] = created.map(found).map_err(Error::from);
    }
    let started = bursts.into_values().map(async |burst| {
        let mut started = vec![];
        for place in burst {
            started.push((place, start(app, &decisions[place], until).await));
        }
        started
    });
    for (place, reply) in join_all(started).await.into_iter().flatten() {
        replies[place] = reply;
    }
    replies
}

/// Starts a new run. A debounced one is started unless a run takes the call over that an earlier call of the burst made: that
/// run's id is given then, as that of one which holds the idempotency key.
///
/// # Errors
/// An error of the store; `Usage` for a body that is too large with what the former run has.
pub async fn start(app: &App, decision: &Decision<RunRecord>, until: Timestamp) -> Result<Option<Id>, Error> {
    let ports = app.ports();
    let Some((key, edge)) = debounced_key(&decision.record) else {
        return Ok(found(create_run(ports, decision, until).await?));
    };
    for _ in 0..KEY_TRIES {
        let keys = [RunRecord::key_of(decision.record.id), key.clone()];
        let seen = retry_until(ports, until, || ports.records.peek(&keys)).await?;
        if seen.iter().any(|stored| stored.header.key == keys[0]) {
            return Ok(Some(decision.record.id)); // The same try of a handler has started it before.
        }
        let held = seen.into_iter().next().map(read_record::<IdempotencyKey>).transpose()?.map(|held| held.record);
        if let Some(held) = &held
            && let Some(run) = hand_over(app, held, edge, decision, until).await?
        {
            return Ok(Some(run));
        }
        if let Ok(creation) = create_claiming(ports, decision, held.as_ref(), until).await? {
            return Ok(found(creation));
        }
    }
    Err(too_many_take(&decision.record).into())
}

/// Hands a call to the run that holds its key, and gives the id of the one that has taken it over.
async fn hand_over(
    app: &App,
    held: &IdempotencyKey,
    edge: Edge,
    decision: &Decision<RunRecord>,
    until: Timestamp,
) -> Result<Option<Id>, Error> {
    let (ports, call) = (app.ports(), &decision.record);
    let Some(quiet_until) = call.key.as_ref().map(|key| key.until) else { return Ok(None) };
    match edge {
        Edge::Leading => {
            let called = IdempotencyKeyInput::Called(quiet_until);
            let key = commit(ports, Seen::Stored(held.clone()), &called, (), until).await?;
            // It counts by when it was made, however long the store takes to answer.
            Ok(key.filter(|key| key.record.absorbs(call.created_at)).map(|key| key.record.run))
        }
        Edge::Trailing => {
            let run = load::<RunRecord>(ports, &RunRecord::key_of(held.run)).await?;
            let Some(run) = run.filter(|run| run.record.takes_calls_over()) else { return Ok(None) };
            let body = decision.payloads.clone().take(slot::BODY).unwrap_or_default();
            run.record.check_size(&body).map_err(Error::usage)?;
            let input = Input::Debounced { body, due_at: quiet_until };
            let changed = change(app, run.record, &input, until).await?;
            Ok(changed.filter(|run| run.changed).map(|run| run.record.id))
        }
    }
}

fn debounced_key(run: &RunRecord) -> Option<(RecordKey, Edge)> {
    let debounce = run.key.as_ref()?.debounce?;
    Some((IdempotencyKey::claimed_by(run)?, debounce.edge))
}

fn found(creation: Creation<RunRecord>) -> Option<Id> {
    match creation {
        Creation::New => None,
        Creation::Exists(run) => Some(run.id),
    }
}
