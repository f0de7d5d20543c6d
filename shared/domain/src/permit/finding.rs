//! The findings of the conductor about permits whose time has come.

use jiff::Timestamp;

use super::{Holder, Limit, PoolRecord};
use crate::{Phase, RunRecord, later, limits as bounds};

/// The conductor's finding about a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The attempt is over, or will never use it.
    Leaves,
    /// It is needed until then at least.
    Stays(Timestamp),
    /// The run is parked, and the message that calls it was lost: it is called again.
    Called,
    /// The run's start was counted, and its process died before the attempt was taken: it gets another turn.
    Returns,
}

impl PoolRecord {
    /// The attempts whose permits are to be reconciled.
    pub fn overdue(&self, now: Timestamp) -> impl Iterator<Item = Holder> {
        self.permits.iter().filter(move |permit| permit.reconcile_at <= now).map(|permit| permit.holder)
    }

    /// The finding about an attempt with a permit of this pool, by its run's record.
    #[must_use]
    pub fn find(&self, holder: Holder, run: Option<&RunRecord>, limit: Limit, now: Timestamp) -> Finding {
        let Some(run) = run.filter(|run| run.holder() == holder) else { return Finding::Leaves };
        let mut others = self.permits.iter().filter(|permit| !limit.is_start(permit));
        if others.all(|permit| permit.holder != holder) {
            let returns = matches!(&run.phase, Phase::Parked { pool, .. } if *pool == self.id) && !run.is_paused();
            return if returns { Finding::Returns } else { Finding::Leaves };
        }
        match &run.phase {
            Phase::Running { lease, .. } if lease.is_live(now) => {
                Finding::Stays(later(lease.until, bounds::LEASE_MARGIN))
            }
            Phase::Running { .. } | Phase::Ended(_) | Phase::Awaiting { .. } => Finding::Leaves,
            _ if run.is_paused() => Finding::Leaves,
            Phase::Parked { pool, .. } if *pool == self.id => Finding::Called,
            // It is on its way here, or waits for a later permit.
            Phase::Parked { .. } | Phase::Queued | Phase::Waiting => Finding::Stays(later(now, bounds::POOL_RECONCILE)),
        }
    }
}
