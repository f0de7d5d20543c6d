//! Calls for an attempt: where its task is limited, permits are taken first.

use dacapo_domain::{
    Input, Limit, Machine, Phase, Policy, PoolId, PoolInput, PoolRecord, Released, RunRecord, Task, TicketRecord, Work,
    later, limits,
};
use jiff::Timestamp;

use super::{
    Committed, Seen, commit, create, load_or_replace,
    permits::{give_back, pass_on},
    retry_until,
    runs::commit_run,
};
use crate::{
    port::{PortResult, Ports},
    queues::Gate,
};

/// Commits what calls for a run's attempt. Where the attempt is due and limited, it is taken with a permit of each of its
/// pools, or the run is parked at the first that has none.
///
/// # Errors
/// As [`commit`]. Permits that were taken then are found by the conductor.
pub async fn commit_call(
    ports: &Ports,
    gate: &Gate,
    seen: RunRecord,
    call: Input,
    policy: &Policy,
    key: Option<&str>,
    until: Timestamp,
) -> PortResult<Option<Committed<RunRecord>>> {
    let task = Task::Known(policy);
    if seen.decide(&call, task, &ports.clock.decision_context()).work != Some(Work::CallHandler) {
        return commit_run(ports, seen, &call, task, until).await;
    }
    // A pool of all says by itself whether it is paused.
    let is_paused =
        policy.limits.total.is_none() && gate.is_paused(ports, &policy.limits.scope(&seen.name), until).await?;
    let pools = policy.limits.pools(&seen.name, key, is_paused);
    if pools.is_empty() {
        return commit_run(ports, seen, &call, task, until).await;
    }
    let holder = seen.holder();
    let lease = policy.timeout.saturating_add(limits::LEASE_MARGIN).saturating_add(limits::LEASE_GRACE);
    let mut permits = vec![];
    for (pool, limit) in &pools {
        let lease = later(ports.clock.now(), lease);
        if let Answer::Waits { is_held } = ask(ports, &seen, pool, *limit, lease, until).await? {
            let parked = Input::Parked { holder, pool: pool.clone(), is_held, permits };
            return commit_run(ports, seen, &parked, task, until).await;
        }
        permits.extend(limit.concurrency.map(|_| pool.clone()));
    }
    let call = Input::Permitted(Box::new(call), permits.clone());
    let committed = commit_run(ports, seen, &call, task, until).await?;
    // One that was parked meanwhile was handed its permit, and is called by a message of its own.
    let needs =
        |run: &RunRecord| run.holder() == holder && matches!(run.phase, Phase::Running { .. } | Phase::Parked { .. });
    if !committed.as_ref().is_some_and(|committed| needs(&committed.record)) {
        give_back(ports, Released { holder, pools: permits }, task, until).await;
    }
    Ok(committed)
}

/// The answer of a pool.
enum Answer {
    /// The attempt has a permit.
    Granted,
    /// The ticket stands in line.
    Waits {
        /// Is true where the pool's queue is paused.
        is_held: bool,
    },
}

/// Asks a pool for a permit of an attempt.
async fn ask(
    ports: &Ports,
    run: &RunRecord,
    pool: &PoolId,
    limit: Limit,
    lease: Timestamp,
    until: Timestamp,
) -> PortResult<Answer> {
    let holder = run.holder();
    let asked = async |has_ticket| {
        let (seen, _) = retry_until(ports, until, || load_or_replace(ports, PoolRecord::fresh(pool.clone()))).await?;
        commit(ports, seen, &PoolInput::Asked { holder, until: lease, has_ticket }, limit, until).await
    };
    let is_granted = |asked: &Option<Committed<PoolRecord>>| {
        asked.as_ref().is_some_and(|asked| asked.work == Some(Work::CallHandler))
    };
    if is_granted(&asked(false).await?) {
        return Ok(Answer::Granted);
    }
    let ticket = TicketRecord::create(run, pool.clone(), &ports.clock.decision_context());
    create(ports, &ticket, until).await?;
    let again = asked(true).await?;
    if is_granted(&again) {
        commit(ports, Seen::Stored(ticket.record), &(), (), until).await?;
        return Ok(Answer::Granted);
    }
    if again.as_ref().is_some_and(|pool| pool.record.turns(&[], limit, ports.clock.now()) > 0) {
        // It has room, and let none past those that wait: no other may come to call them.
        pass_on(ports, pool, limit, vec![], until).await?;
    }
    Ok(Answer::Waits { is_held: again.is_some_and(|pool| pool.record.paused_at.is_some()) })
}
