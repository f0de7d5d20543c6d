//! Runs: created with their idempotency keys, one or many; and what follows once one has ended.

use std::collections::BTreeSet;

use dacapo_domain::{
    Claim, Created, Decision, DecisionContext, Id, IdempotencyKey, IdempotencyKeyInput, Input, RecordKey, RunRecord,
    Task, Write, slot,
};
use futures::future::join_all;
use jiff::Timestamp;

use super::{
    Committed, Creation, Seen, commit, joins::tell_waiters, load, permits::give_back, read_record, retry_until,
    unwritable,
};
use crate::port::{PortError, PortErrorKind, PortResult, Ports};

/// Takers of one idempotency key that meet try again so often.
pub(crate) const KEY_TRIES: u32 = 8;

/// Stores a new run together with its idempotency key, where it has one. A run that holds the key is given, unless its
/// key is free.
///
/// # Errors
/// An error of the store once `until` has passed; on `Transient` it may have been stored.
pub async fn create_run(
    ports: &Ports,
    decision: &Decision<RunRecord>,
    until: Timestamp,
) -> PortResult<Creation<RunRecord>> {
    let mut held: Option<IdempotencyKey> = None;
    for _ in 0..KEY_TRIES {
        let found = match create_claiming(ports, decision, held.as_ref(), until).await? {
            Ok(creation) => return Ok(creation),
            Err(found) => found,
        };
        let holder = load::<RunRecord>(ports, &RunRecord::key_of(found.run)).await?.map(|stored| stored.record);
        match holder {
            // The reply was lost: key and run were stored together.
            Some(holder) if holder.version == decision.record.version => return Ok(Creation::New),
            Some(holder) if !found.is_free(Some(&holder), ports.clock.now()) => return Ok(Creation::Exists(holder)),
            _ => held = Some(found),
        }
    }
    Err(too_many_take(&decision.record))
}

/// Stores a new run together with its key, in place of the record of it that was seen, or gives the record that is there
/// instead.
pub(crate) async fn create_claiming(
    ports: &Ports,
    decision: &Decision<RunRecord>,
    seen: Option<&IdempotencyKey>,
    until: Timestamp,
) -> PortResult<Result<Creation<RunRecord>, IdempotencyKey>> {
    let write = decision.write().map_err(unwritable::<RunRecord>)?;
    let claim = IdempotencyKey::claim(&decision.record, seen, &ports.clock.decision_context());
    let claim = claim.transpose().map_err(unwritable::<IdempotencyKey>)?;
    Ok(match retry_until(ports, until, || ports.records.create(&write, claim.as_ref())).await? {
        Created::New => Ok(Creation::New),
        Created::Exists(found) => Ok(Creation::Exists(read_record(found)?.record)),
        Created::Claimed(found) => Err(read_record(found)?.record),
    })
}

pub(crate) fn too_many_take(run: &RunRecord) -> PortError {
    let key = run.key.as_ref().map(|key| &*key.text).unwrap_or_default();
    let message = format!("failed to take the key {key:?}: too many take it at once (try again)");
    PortError::new(PortErrorKind::Transient, message)
}

/// Stores new runs, each by itself, and gives the reply to each: what could not be stored, or found a key that was taken,
/// is tried again alone.
pub async fn create_runs(
    ports: &Ports,
    decisions: &[&Decision<RunRecord>],
    until: Timestamp,
) -> Vec<PortResult<Creation<RunRecord>>> {
    let cx = ports.clock.decision_context();
    let writes: Result<Vec<_>, _> = decisions.iter().map(|decision| first_write(decision, &cx)).collect();
    let replies = match writes {
        Ok(writes) => ports.records.create_all(&writes).await,
        Err(_) => vec![], // Alone, each tells its own error.
    };
    let mut replies = replies.into_iter();
    let creations =
        decisions.iter().map(|decision| (decision, replies.next())).map(async |(decision, reply)| match reply {
            Some(Ok(Created::New)) => Ok(Creation::New),
            Some(Ok(Created::Exists(found))) => Ok(Creation::Exists(read_record(found)?.record)),
            Some(Ok(Created::Claimed(_)) | Err(_)) | None => create_run(ports, decision, until).await,
        });
    join_all(creations).await
}

/// The write of a new run, and the claim of its idempotency key as if that were free.
fn first_write(
    decision: &Decision<RunRecord>,
    cx: &DecisionContext,
) -> Result<(Write, Option<Claim>), serde_json::Error> {
    let claim = decision.record.key.as_ref().and_then(|_| IdempotencyKey::claim(&decision.record, None, cx));
    Ok((decision.write()?, claim.transpose()?))
}

/// Commits an input of a run. Where that ends it, those that wait for it are told, and its idempotency key ends with it.
///
/// # Errors
/// As [`commit`].
pub async fn commit_run(
    ports: &Ports,
    seen: RunRecord,
    input: &Input,
    task: Task<'_>,
    until: Timestamp,
) -> PortResult<Option<Committed<RunRecord>>> {
    let was_over = seen.phase.is_final();
    let mut committed = commit(ports, Seen::Stored(seen), input, task, until).await?;
    if let Some(released) = committed.as_mut().and_then(|committed| committed.released.take()) {
        give_back(ports, released, task, until).await;
    }
    if let Some(Committed { record, payloads, changed, .. }) = &committed
        && record.phase.is_final()
    {
        if *changed && !was_over {
            tell_waiters(ports, record, payloads.members(slot::WAITERS), until).await;
        } else if input.name().calls() {
            // It is called once more, as after a crash: the process that ended it may have told none.
            tell_waiters(ports, record, waiters(ports, record.id, until).await?, until).await;
        }
    }
    if let Some(Committed { record, changed: true, .. }) = &committed
        && !was_over
        && let (Some(key), Some(expires_at_s)) = (IdempotencyKey::claimed_by(record), record.expires_at_s)
    {
        let ended = end_key(ports, &key, record.id, expires_at_s, until).await;
        if let Err(error) = ended {
            tracing::warn!(run = %record.id, %error, "an idempotency key may outlive its run's record");
        }
    }
    Ok(committed)
}

/// Those that wait for a run.
async fn waiters(ports: &Ports, run: Id, until: Timestamp) -> PortResult<BTreeSet<String>> {
    let key = [RunRecord::key_of(run)];
    let found = retry_until(ports, until, || ports.records.peek(&key)).await?;
    Ok(found.first().map(|stored| stored.payloads.members(slot::WAITERS)).unwrap_or_default())
}

async fn end_key(ports: &Ports, key: &RecordKey, run: Id, expires_at_s: i64, until: Timestamp) -> PortResult<()> {
    if let Some(stored) = load::<IdempotencyKey>(ports, key).await? {
        commit(ports, stored, &IdempotencyKeyInput::RunEnded { run, expires_at_s }, (), until).await?;
    }
    Ok(())
}
