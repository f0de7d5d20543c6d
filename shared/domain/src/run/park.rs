//! A run whose attempt waits for a permit: parked until it is handed one.

use super::{Invoker, Phase, Policy, RunRecord};
use crate::{Decision, DecisionContext, Holder, PoolId, Released, Work, later, limits};

/// The attempt that is due has found no permit: no message is left on its way, and its pool calls it. Nothing watches it
/// meanwhile but its `ttl`.
pub(super) fn park(
    run: &RunRecord,
    holder: Holder,
    pool: (&PoolId, bool),
    permits: &[PoolId],
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    if run.holder() != holder || run.is_paused() || cx.now < run.due_at {
        return Decision::keep(run, vec![]);
    }
    let mut run = run.clone();
    let (pool, is_held) = pool;
    run.phase = Phase::Parked { pool: pool.clone(), is_held };
    run.permits = permits.to_vec();
    run.invoker = Invoker::Queue { generation: run.invoker.generation() };
    (run.reconcile_at, run.reconcile_count) = (None, 0);
    let mut decision = run.stored(cx, vec![]);
    let expiry = decision.record.start_by(policy).map(|start_by| later(start_by, limits::QUEUE_GRACE));
    let watched = &mut decision.record.reconcile_at;
    *watched = [*watched, expiry].into_iter().flatten().min();
    decision
}

impl RunRecord {
    /// The attempt that it makes, or is about to make.
    #[must_use]
    pub fn holder(&self) -> Holder {
        Holder { run: self.id, iteration: self.iteration, attempt: self.attempt, revision: self.revision }
    }
}

/// The decision with the permits of the attempt that it takes. One that ends an attempt, or its wait, gives them back, and
/// is made as if there had been none: its messages carry the record as it is stored.
pub(super) fn with_permits(
    run: &RunRecord,
    permits: &[PoolId],
    decide: impl Fn(&RunRecord) -> Decision<RunRecord>,
) -> Decision<RunRecord> {
    let mut decision = decide(run);
    if decision.work == Some(Work::CallHandler) {
        decision.record.permits = permits.to_vec();
    } else if !run.permits.is_empty() && !matches!(decision.record.phase, Phase::Running { .. } | Phase::Parked { .. })
    {
        decision = decide(&RunRecord { permits: vec![], ..run.clone() });
        decision.released = Some(Released { holder: run.holder(), pools: run.permits.clone() });
    }
    decision
}
