//! Permits: asked for before an attempt is taken, and passed on once it has ended.
//!
//! An attempt that finds none leaves its ticket first, then tells the pool, then its run is stored as parked; who passes
//! a permit on reads the line again where it had found its end. So either sees the other.

use dacapo_domain::{
    Holder, Input, Limit, Machine, OwnedQuery, Phase, Policy, PoolId, PoolInput, PoolRecord, Released, RunRecord, Task,
    TicketRecord, Work, later, limits,
};
use jiff::Timestamp;

use crate::{
    commit::{Committed, Seen, commit, commit_run, create, load, load_or_replace, read_record, retry_until},
    port::{PortResult, Ports, post_after},
};

/// Commits what calls for a run's attempt. Where the attempt is due and limited, it is taken with a permit of each of its
/// pools, or the run is parked at the first that has none.
///
/// # Errors
/// As [`commit`]. Permits that were taken then are found by the conductor.
pub async fn commit_call(
    ports: &Ports,
    seen: RunRecord,
    call: Input,
    policy: &Policy,
    key: Option<&str>,
    until: Timestamp,
) -> PortResult<Option<Committed<RunRecord>>> {
    let (pools, task) = (policy.limits.pools(&seen.name, key), Task::Known(policy));
    let takes = || seen.decide(&call, task, &ports.clock.decision_context()).work == Some(Work::CallHandler);
    if pools.is_empty() || !takes() {
        return commit_run(ports, seen, &call, task, until).await;
    }
    let holder = Holder::of(&seen);
    let lease = policy.timeout.saturating_add(limits::LEASE_MARGIN).saturating_add(limits::LEASE_GRACE);
    let mut permits = vec![];
    for (pool, limit) in &pools {
        if !ask(ports, &seen, pool, *limit, later(ports.clock.now(), lease), until).await? {
            let parked = Input::Parked { holder, pool: pool.clone(), permits };
            return commit_run(ports, seen, &parked, task, until).await;
        }
        permits.extend(limit.concurrency.map(|_| pool.clone()));
    }
    let call = Input::Permitted(Box::new(call), permits.clone());
    let committed = commit_run(ports, seen, &call, task, until).await?;
    let is_taken = |run: &RunRecord| Holder::of(run) == holder && matches!(run.phase, Phase::Running { .. });
    if !committed.as_ref().is_some_and(|committed| is_taken(&committed.record)) {
        give_back(ports, Released { holder, pools: permits }, task, until).await;
    }
    Ok(committed)
}

/// Asks a pool for a permit, and says whether the attempt has one. If not, its ticket stands in line there.
async fn ask(
    ports: &Ports,
    run: &RunRecord,
    pool: &PoolId,
    limit: Limit,
    lease: Timestamp,
    until: Timestamp,
) -> PortResult<bool> {
    let holder = Holder::of(run);
    let asked = async |has_ticket| {
        let (seen, _) = retry_until(ports, until, || load_or_replace(ports, PoolRecord::fresh(pool.clone()))).await?;
        commit(ports, seen, &PoolInput::Asked { holder, until: lease, has_ticket }, limit, until).await
    };
    let is_granted = |asked: &Option<Committed<PoolRecord>>| {
        asked.as_ref().is_some_and(|asked| asked.work == Some(Work::CallHandler))
    };
    if is_granted(&asked(false).await?) {
        return Ok(true);
    }
    let ticket = TicketRecord::create(run, pool.clone(), &ports.clock.decision_context());
    create(ports, &ticket, until).await?;
    let again = asked(true).await?;
    if is_granted(&again) {
        commit(ports, Seen::Stored(ticket.record), &(), (), until).await?;
        return Ok(true);
    }
    if again.is_some_and(|pool| pool.record.turns(&[], limit, ports.clock.now()) > 0) {
        // It has room, and let none past those that wait: nobody else may come to call them.
        pass_on(ports, pool, limit, vec![], until).await?;
    }
    Ok(false)
}

/// Gives the permits of an attempt back, the last first. What fails is left to the conductor.
pub(crate) async fn give_back(ports: &Ports, released: Released, task: Task<'_>, until: Timestamp) {
    let Released { holder, pools } = released;
    for pool in pools.iter().rev() {
        let limit = match task {
            Task::Known(policy) => policy.limits.of_pool(pool),
            Task::Removed => Limit { concurrency: Some(0), rate: None }, // Others know how many may follow.
        };
        if let Err(error) = pass_on(ports, pool, limit, vec![holder], until).await {
            tracing::warn!(run = %holder.run, %pool, %error, "a permit is left to the conductor");
        }
    }
}

/// Passes permits of a pool on: those of attempts that leave, and what is free, to the tickets that come first.
///
/// # Errors
/// An error of the store; some may have been passed on.
pub async fn pass_on(
    ports: &Ports,
    id: &PoolId,
    limit: Limit,
    mut leaving: Vec<Holder>,
    until: Timestamp,
) -> PortResult<()> {
    let mut look = false;
    loop {
        let key = id.record_key();
        let Some(stored) = retry_until(ports, until, || load::<PoolRecord>(ports, &key)).await? else { return Ok(()) };
        let turns = stored.record.turns(&leaving, limit, ports.clock.now());
        let line = match turns {
            1.. if look || stored.record.has_waiting => line(ports, id, turns, until).await?,
            _ => Line::default(),
        };
        let is_timed = limit.rate.is_some() && stored.record.has_waiting;
        if leaving.is_empty() && line.first.is_empty() && !(line.is_whole && stored.record.has_waiting) && !is_timed {
            return Ok(());
        }
        let next = line.first.iter().map(|(ticket, _)| ticket.holder).collect();
        let passed = PoolInput::PassedOn { leaving: std::mem::take(&mut leaving), next, are_all: line.is_whole };
        let Some(passed) = commit(ports, stored, &passed, limit, until).await? else { return Ok(()) };
        for (ticket, run) in line.first {
            if passed.record.holds(ticket.holder) {
                // Of what dies here the conductor calls the run again, or passes its ticket over.
                post_after(&*ports.outbox, &[run.send()]).await;
                commit(ports, Seen::Stored(ticket), &(), (), until).await?;
            }
        }
        if !passed.changed || passed.record.has_waiting && passed.record.turns(&[], limit, ports.clock.now()) == 0 {
            return Ok(());
        }
        look = true; // A ticket may have come since the line was read.
    }
}

/// The tickets that come first, with their runs.
#[derive(Default)]
struct Line {
    first: Vec<(TicketRecord, RunRecord)>,
    /// Is true where no others stand behind them.
    is_whole: bool,
}

/// Reads the first of a pool's line. Tickets of attempts that are over, or were called before, are torn up on the way.
async fn line(ports: &Ports, pool: &PoolId, most: usize, until: Timestamp) -> PortResult<Line> {
    let (owner, kind) = (pool.record_key(), TicketRecord::KIND.to_owned());
    let mut query = OwnedQuery { owner, kind, after: None, limit: most };
    let mut line = Line::default();
    while line.first.len() < most && !line.is_whole {
        let page = retry_until(ports, until, || ports.records.owned(&query)).await?;
        (line.is_whole, query.after) = (page.len() < most, page.last().map(|last| last.header.key.id.clone()));
        let tickets = page.into_iter().map(|stored| Ok(read_record::<TicketRecord>(stored)?.record));
        let tickets = tickets.collect::<PortResult<Vec<_>>>()?;
        let keys: Vec<_> = tickets.iter().map(|ticket| RunRecord::key_of(ticket.holder.run)).collect();
        let found = retry_until(ports, until, || ports.records.peek(&keys)).await?;
        let runs = found.into_iter().filter_map(|stored| Some(read_record::<RunRecord>(stored).ok()?.record));
        let runs: Vec<RunRecord> = runs.collect();
        for ticket in tickets {
            match runs.iter().find(|run| ticket.is_of(run)) {
                Some(run) => line.first.push((ticket, run.clone())),
                None => drop(commit(ports, Seen::Stored(ticket), &(), (), until).await?),
            }
        }
    }
    line.is_whole &= line.first.len() <= most;
    line.first.truncate(most);
    Ok(line)
}
