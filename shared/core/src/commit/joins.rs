//! Joins: a run that waits for its children looks for those that have ended, and a run that has ended tells those that
//! wait for it. Both write first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dacapo_domain::{
    Child, Gathering, Id, Input, Join, JoinRecord, Phase, RunRecord, Signal, StoredRecord, Task, Waiter, later, limits,
    slot,
};
use futures::future::join_all;
use jiff::Timestamp;

use super::{Seen, Stored, commit, create, gather, load, read_record};
use crate::port::{PortError, PortErrorKind, PortResult, Ports};

/// Children that are told at once.
const AT_ONCE: usize = 32;

/// Tells the children of a run that it waits for them, and wakes it where all have ended. Done `again`, it reads first
/// which are told already, and finds what was lost on the way: of a parent that died before it had told all, or of a
/// child before it told its parent. Says whether the parent was woken.
///
/// # Errors
/// An error of the store; some of the children may have been told.
pub async fn join_children(ports: &Ports, run: &RunRecord, again: bool, until: Timestamp) -> PortResult<bool> {
    let Phase::Awaiting { signal: Signal::Children { iteration }, .. } = run.phase else { return Ok(false) };
    let children = children_of(ports, run.id).await?;
    let join = Join { parent: run.id, iteration, size: u32::try_from(children.len()).unwrap_or(u32::MAX) };
    for decision in join.records(&ports.clock.decision_context()) {
        create(ports, &decision, until).await?;
    }
    let known = if again { peek(ports, &children).await? } else { HashMap::new() };
    let waiters: Vec<(Id, Waiter)> =
        children.iter().zip(0..).map(|(child, place)| (child.id, Waiter { join, place })).collect();
    let mut ended = vec![];
    for some in waiters.chunks(AT_ONCE) {
        let told = some.iter().map(|(child, waiter)| has_ended(ports, *child, *waiter, known.get(child), until));
        for ((_, waiter), has_ended) in some.iter().zip(join_all(told).await) {
            ended.extend(has_ended?.then_some(waiter.place));
        }
    }
    arrived(ports, join, &ended, until).await
}

/// The runs that a run has waited for last, in the order they were given; none where it has waited for none.
///
/// # Errors
/// An error of the store; `Refused` where they can't be read.
pub async fn children_of(ports: &Ports, run: Id) -> PortResult<Vec<Child>> {
    let stored = load::<RunRecord>(ports, &RunRecord::key_of(run)).await?;
    let Some(list) = stored.and_then(|mut stored| stored.payloads.take(slot::CHILDREN)) else { return Ok(vec![]) };
    list.parse().map_err(|error| {
        let message = format!("failed to read the children of run {run} (was it written by another version?)");
        PortError::new(PortErrorKind::Refused, message).caused_by(error)
    })
}

/// The number of those that have ended of the children that a run waits for, so many in all: one read of what has come
/// of them.
///
/// # Errors
/// An error of the store.
pub async fn ended_children(ports: &Ports, run: &RunRecord, count: usize) -> PortResult<usize> {
    let Phase::Awaiting { signal: Signal::Children { iteration }, .. } = run.phase else { return Ok(count) };
    let join = Join { parent: run.id, iteration, size: u32::try_from(count).unwrap_or(u32::MAX) };
    let sets: Vec<_> = join.sets().map(|set| set.key).collect();
    let found = ports.records.peek(&sets).await?;
    let (roots, shares): (Vec<_>, Vec<_>) = found.iter().partition(|stored| stored.header.key == join.root().key);
    let of_shares = shares.iter().map(|stored| stored.payloads.members(slot::MEMBERS).len());
    // A share of one child has no record: the root has its number once that child has ended.
    let is_alone = |number: &String| number.parse().is_ok_and(|number| join.is_of_one(number));
    let alone =
        roots.iter().map(|stored| stored.payloads.members(slot::MEMBERS).iter().filter(|n| is_alone(n)).count());
    Ok(of_shares.chain(alone).sum())
}

/// The records of children, as far as they are there.
async fn peek(ports: &Ports, children: &[Child]) -> PortResult<HashMap<Id, StoredRecord>> {
    let keys: Vec<_> = children.iter().map(|child| RunRecord::key_of(child.id)).collect();
    let found = ports.records.peek(&keys).await?;
    Ok(found.into_iter().filter_map(|stored| Some((stored.header.key.id.parse().ok()?, stored))).collect())
}

/// Tells a child that another run waits for it, and says whether it has ended. One that its history has let go had.
async fn has_ended(
    ports: &Ports,
    child: Id,
    waiter: Waiter,
    known: Option<&StoredRecord>,
    until: Timestamp,
) -> PortResult<bool> {
    let text = waiter.to_string();
    let is_told = |known: &&StoredRecord| {
        known.header.expires_at_s.is_some() || known.payloads.members(slot::WAITERS).contains(&text)
    };
    let found: Option<Stored<RunRecord>> = match known.filter(is_told) {
        Some(known) => Some(read_record(known.clone())?),
        None => gather(ports, &RunRecord::key_of(child), slot::WAITERS, &[text], until).await?,
    };
    match found {
        None => Ok(true),
        Some(Stored { record, .. }) if record.phase.is_final() => keep(ports, record, until).await.map(|()| true),
        Some(_) => Ok(false),
    }
}

/// Keeps the record of a run that has ended for those that wait for it.
async fn keep(ports: &Ports, run: RunRecord, until: Timestamp) -> PortResult<()> {
    let now = ports.clock.now();
    let soon = later(now, limits::HISTORY / 2).as_second();
    if run.expires_at_s.is_some_and(|expires_at_s| expires_at_s < soon) {
        commit(ports, Seen::Stored(run), &Input::Needed(later(now, limits::HISTORY)), Task::Removed, until).await?;
    }
    Ok(())
}

/// Tells those that wait for a run that it has ended. What fails is left to them: they look again.
pub(super) async fn tell_waiters(ports: &Ports, run: &RunRecord, waiters: BTreeSet<String>, until: Timestamp) {
    let id = run.id;
    if waiters.is_empty() {
        return;
    }
    if let Err(error) = keep(ports, run.clone(), until).await {
        tracing::warn!(run = %id, %error, "a run that has ended may be gone before the one that waits for it wakes");
    }
    for waiter in waiters {
        let told = match waiter.parse::<Waiter>() {
            Ok(Waiter { join, place }) => arrived(ports, join, &[place], until).await.map(drop),
            Err(error) => Err(PortError::new(PortErrorKind::Refused, "failed to read a waiter").caused_by(error)),
        };
        if let Err(error) = told {
            tracing::warn!(run = %id, waiter, %error, "the end of a run was not told: the one that waits looks again");
        }
    }
}

/// The children at these places have ended: the last of all wakes the parent. Says whether these were the last.
async fn arrived(ports: &Ports, join: Join, places: &[u32], until: Timestamp) -> PortResult<bool> {
    let mut shares: BTreeMap<u32, (Gathering, Vec<String>)> = BTreeMap::new();
    for place in places {
        let (number, set) = join.share_of(*place);
        shares.entry(number).or_insert((set, vec![])).1.push(place.to_string());
    }
    let mut full = vec![];
    for (number, (set, members)) in shares {
        if is_full(ports, &set, members, until).await? {
            full.push(number.to_string());
        }
    }
    let are_last = join.size == 0 || !full.is_empty() && is_full(ports, &join.root(), full, until).await?;
    if are_last {
        wake(ports, join, until).await?;
    }
    Ok(are_last)
}

/// Adds members to a set and says whether all are in.
async fn is_full(ports: &Ports, set: &Gathering, members: Vec<String>, until: Timestamp) -> PortResult<bool> {
    let is_whole = |count: usize| count >= usize::try_from(set.size).unwrap_or(usize::MAX);
    if is_whole(members.len()) {
        return Ok(true);
    }
    let gathered = gather::<JoinRecord>(ports, &set.key, slot::MEMBERS, &members, until).await?;
    Ok(gathered.is_some_and(|stored| is_whole(stored.payloads.members(slot::MEMBERS).len())))
}

async fn wake(ports: &Ports, join: Join, until: Timestamp) -> PortResult<()> {
    let Some(stored) = load::<RunRecord>(ports, &RunRecord::key_of(join.parent)).await? else { return Ok(()) };
    let signal = Signal::Children { iteration: join.iteration };
    commit(ports, stored, &Input::Signalled(signal), Task::Removed, until).await?;
    Ok(())
}
