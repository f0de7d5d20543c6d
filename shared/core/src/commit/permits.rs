//! Permits that are given back, and passed on to the attempts that wait for them.
//!
//! An attempt that finds none leaves its ticket first, and tells the pool then; a permit is passed on by one who reads the
//! line again where it had found its end. So either sees the other.

use dacapo_domain::{
    Holder, Limit, Machine, OwnedQuery, PoolId, PoolInput, PoolRecord, Released, RunRecord, Task, TicketRecord,
};
use jiff::Timestamp;

use super::{Seen, commit, load, read_record, retry_until};
use crate::port::{PortResult, Ports};

/// Gives the permits of an attempt back, the last first. What fails is left to the conductor.
pub(super) async fn give_back(ports: &Ports, released: Released, task: Task<'_>, until: Timestamp) {
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
    let mut looks_anyway = leaving.is_empty(); // Who gives none back comes to look.
    loop {
        let key = id.record_key();
        let Some(stored) = retry_until(ports, until, || load::<PoolRecord>(ports, &key)).await? else { return Ok(()) };
        let turns = stored.record.turns(&leaving, limit, ports.clock.now());
        let line = match turns {
            // Also where none has a turn: tickets that were not seen are not to stand there unknown to the pool.
            _ if looks_anyway => line(ports, &stored.record, turns.max(1), until).await?,
            1.. if stored.record.has_waiting => line(ports, &stored.record, turns, until).await?,
            _ => Line::default(),
        };
        let had_waiting = looks_anyway || stored.record.has_waiting;
        let is_timed = limit.concurrency.is_none() && stored.record.has_waiting;
        if leaving.is_empty() && line.first.is_empty() && !(line.is_whole && stored.record.has_waiting) && !is_timed {
            return Ok(());
        }
        let next = line.first.iter().map(|(ticket, run)| (ticket.holder, run.send())).collect();
        let passed = PoolInput::PassedOn { leaving: std::mem::take(&mut leaving), next, are_all: line.is_whole };
        let Some(passed) = commit(ports, stored, &passed, limit, until).await? else { return Ok(()) };
        // Others may have handed permits to the same tickets meanwhile, and tear those up themselves.
        let goes_on = passed.changed || !line.first.is_empty();
        let handed = |holder| passed.record.holds(holder) && !passed.former.holds(holder);
        for (ticket, _) in line.first.into_iter().filter(|(ticket, _)| handed(ticket.holder)) {
            commit(ports, Seen::Stored(ticket), &(), (), until).await?;
        }
        let is_over = if passed.record.has_waiting {
            passed.record.turns(&[], limit, ports.clock.now()) == 0
        } else {
            !had_waiting
        };
        if is_over || !goes_on {
            return Ok(());
        }
        looks_anyway = true; // A ticket may have come since the line was read.
    }
}

/// Tickets that are read beyond those that are asked for, at most: of attempts that were called just now.
const AHEAD: usize = 10;

/// The tickets that come first, with their runs.
#[derive(Default)]
struct Line {
    first: Vec<(TicketRecord, RunRecord)>,
    /// Is true where no others stand behind them.
    is_whole: bool,
}

/// Reads the first of a pool's line that have no permit yet. Tickets of attempts that are over, or were called before, are
/// torn up on the way.
async fn line(ports: &Ports, pool: &PoolRecord, most: usize, until: Timestamp) -> PortResult<Line> {
    let (owner, kind) = (pool.id.record_key(), TicketRecord::KIND.to_owned());
    // Tickets of those that have a permit by now stand there until they are torn up, which is soon.
    let limit = most.saturating_add(pool.permits.len().min(AHEAD));
    let mut query = OwnedQuery { owner, kind, after: None, limit };
    let mut line = Line::default();
    while line.first.len() < most && !line.is_whole {
        let page = retry_until(ports, until, || ports.records.owned(&query)).await?;
        let (is_last, last) = (page.len() < limit, page.last().map(|last| last.header.key.id.clone()));
        let tickets = page.into_iter().map(|stored| Ok(read_record::<TicketRecord>(stored)?.record));
        let mut tickets = tickets.collect::<PortResult<Vec<_>>>()?;
        tickets.retain(|ticket| !pool.holds(ticket.holder));
        let others = tickets.split_off(tickets.len().min(most - line.first.len()));
        line.is_whole = is_last && others.is_empty();
        query.after = if others.is_empty() { last } else { tickets.last().map(|last| last.header().key.id) };
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
    Ok(line)
}
