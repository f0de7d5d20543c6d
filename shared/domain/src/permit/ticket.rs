//! A ticket: the place in line of an attempt that waits for a permit, beside the record of its pool.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Holder, PoolId};
use crate::{Decision, DecisionContext, Header, Machine, Phase, RecordKey, RunRecord, Version, sort_time};

/// The record of a ticket. It is there until its attempt has the permit, or is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketRecord {
    /// The pool.
    pub pool: PoolId,
    /// The place in line, as sortable text: by the time at which the attempt was due, less its head start.
    pub place: String,
    /// The attempt.
    pub holder: Holder,
    /// The name of its one write.
    pub version: Version,
}

impl TicketRecord {
    /// The ticket of a run's next attempt.
    #[must_use]
    pub fn create(run: &RunRecord, pool: PoolId, cx: &DecisionContext) -> Decision<Self> {
        let head_start = Duration::from_secs(run.priority_s.into());
        let place = sort_time(run.due_at.checked_sub(head_start).unwrap_or(run.due_at));
        Decision::store(Self { pool, place, holder: run.holder(), version: cx.version() }, vec![])
    }

    /// Is true where it is the ticket of this run's next attempt.
    #[must_use]
    pub fn is_of(&self, run: &RunRecord) -> bool {
        let waits = matches!(run.phase, Phase::Parked { .. } | Phase::Queued | Phase::Waiting);
        waits && !run.is_paused() && run.holder() == self.holder
    }
}

impl Machine for TicketRecord {
    const KIND: &'static str = "ticket";
    type Input = ();
    type Policy<'a> = ();

    fn header(&self) -> Header {
        let key = RecordKey::new(Self::KIND, format!("{}-{}", self.place, self.holder));
        let key = key.owned_by(self.pool.record_key().to_string());
        Header { key, version: self.version, reconcile_at: None, expires_at_s: None }
    }

    /// The only input: it is not needed any more.
    fn decide(&self, (): &(), (): (), _: &DecisionContext) -> Decision<Self> {
        Decision::delete(self, vec![])
    }
}
