//! Queues that are paused.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use dacapo_domain::{Limit, PausedQueues, PoolId, PoolInput, PoolRecord, QueuePaused, is_fresh};
use jiff::Timestamp;

use crate::{
    commit::{commit, load_or_replace, pass_on, retry_until},
    port::{PortResult, Ports},
};

/// The paused queues, as far as a process knows them.
#[derive(Debug)]
pub struct Gate {
    fresh: Duration,
    known: Mutex<Option<(Timestamp, BTreeSet<String>)>>,
}

impl Gate {
    /// One that reads them anew after this time.
    #[must_use]
    pub const fn new(fresh: Duration) -> Self {
        Self { fresh, known: Mutex::new(None) }
    }

    /// One that reads them each time.
    #[must_use]
    pub const fn open() -> Self {
        Self::new(Duration::ZERO)
    }

    /// Is true where the queue of this scope is paused, as far as is known.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn is_paused(&self, ports: &Ports, scope: &str, deadline: Timestamp) -> PortResult<bool> {
        let now = ports.clock.now();
        if let Some(is_paused) = self.knows(scope, now) {
            return Ok(is_paused);
        }
        let (seen, _) = retry_until(ports, deadline, || load_or_replace(ports, PausedQueues::fresh())).await?;
        let scopes = &seen.record().scopes;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, scopes.clone()));
        Ok(scopes.contains(scope))
    }

    /// Is true where the queue is paused; `None` where that wasn't read lately.
    fn knows(&self, scope: &str, now: Timestamp) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, scopes) = known.as_ref()?;
        is_fresh(*since, self.fresh, now).then(|| scopes.contains(scope))
    }
}

/// Pauses the queue of a pool. What executes ends; what is due from then on waits.
///
/// # Errors
/// An error of the store once `until` has passed.
pub async fn pause_queue(ports: &Ports, pool: &PoolId, limit: Limit, until: Timestamp) -> PortResult<PoolRecord> {
    // The pool first: an attempt that is sent to it finds it paused.
    let record = change(ports, pool, limit, PoolInput::Paused, until).await?;
    set(ports, pool, true, until).await?;
    Ok(record)
}

/// Resumes the queue of a pool: what waits comes in the order in which it was due, as its limits let it, without any
/// a hundred a second.
///
/// # Errors
/// An error of the store once `until` has passed.
pub async fn resume_queue(ports: &Ports, pool: &PoolId, limit: Limit, until: Timestamp) -> PortResult<PoolRecord> {
    set(ports, pool, false, until).await?;
    let record = change(ports, pool, limit, PoolInput::Resumed, until).await?;
    pass_on(ports, pool, limit, vec![], until).await?;
    Ok(record)
}

async fn set(ports: &Ports, pool: &PoolId, is_paused: bool, until: Timestamp) -> PortResult<()> {
    let (seen, _) = retry_until(ports, until, || load_or_replace(ports, PausedQueues::fresh())).await?;
    commit(ports, seen, &QueuePaused(pool.scope.clone(), is_paused), (), until).await?;
    Ok(())
}

async fn change(
    ports: &Ports,
    pool: &PoolId,
    limit: Limit,
    input: PoolInput,
    until: Timestamp,
) -> PortResult<PoolRecord> {
    let fresh = || PoolRecord::fresh(pool.clone());
    let (seen, _) = retry_until(ports, until, || load_or_replace(ports, fresh())).await?;
    Ok(commit(ports, seen, &input, limit, until).await?.map_or_else(fresh, |changed| changed.record))
}
