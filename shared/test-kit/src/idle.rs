//! The doings of an app that is left alone: all that it still does by itself.

use dacapo_core::commit::read_record;
use dacapo_domain::{
    IdempotencyKey, Index, IndexEntry, Machine, Phase, Query, RecordKey, RunRecord, Signal, StoredRecord, TokenRecord,
};
use jiff::Timestamp;

use crate::app::{TestApp, now};

/// Records that are read at once.
const PAGE: usize = 20;

impl TestApp {
    /// The time at which the conductor reconciles the next record that is not left alone until the outside has its say.
    pub(crate) fn next_reconcile(&self) -> Option<Timestamp> {
        let records = &self.client.ports().records;
        let partitions = vec![IndexEntry::RECONCILED.to_owned()];
        let mut query =
            Query { index: Index::Reconcile, partitions, from: None, below: None, descending: false, limit: PAGE };
        loop {
            let page = now(records.query(&query));
            let unreadable = page.unreadable.iter().filter_map(|found| found.reconcile_at);
            let read = page.records.iter().filter(|stored| !self.is_left_alone(stored));
            let next = read.filter_map(|stored| stored.header.reconcile_at).chain(unreadable).min();
            if next.is_some() {
                return next;
            }
            query = query.after(page.last?);
        }
    }

    /// An idempotency key outlives its run, and a run may wait for a word from outside, or be paused: nothing comes of either by itself.
    fn is_left_alone(&self, stored: &StoredRecord) -> bool {
        match &*stored.header.key.kind {
            IdempotencyKey::KIND => true,
            RunRecord::KIND => read_record::<RunRecord>(stored.clone()).is_ok_and(|run| match &run.record.phase {
                Phase::Awaiting { signal: Signal::Token { name }, until: None } if !run.record.is_paused() => {
                    self.is_open(&TokenRecord::key_of(run.record.id, name))
                }
                Phase::Queued | Phase::Waiting | Phase::Awaiting { .. } => run.record.is_paused(),
                Phase::Parked { .. } | Phase::Running { .. } | Phase::Ended(_) => false,
            }),
            _ => false,
        }
    }

    fn is_open(&self, token: &RecordKey) -> bool {
        let token = now(self.client.ports().records.load(token));
        let token = token.and_then(|stored| read_record::<TokenRecord>(stored).ok());
        token.is_some_and(|token| !token.record.is_over(self.now()))
    }
}
