//! The sweep: what is overdue is reconciled.

use dacapo_domain::{
    CONDUCTOR, DeferredEvent, DeferredEventInput, DeliveryFacts, DeliveryInput, DeliveryRecord, Index, IndexEntry,
    Input, Machine, Query, RunRecord, ScheduleInput, ScheduleRecord, StoredRecord, Subscribed, run::Facts, run::Need,
    slot, sort_time,
};
use serde::{Deserialize, Serialize};

use super::Conductor;
use crate::{
    commit::{Stored, commit, load, read_record},
    port::{ExecutionStatus, PortErrorKind, PortResult},
    publish::ensure_scheduled,
};

/// Records of one sweep, so that it ends within its minute.
const BUDGET: usize = 500;

/// The tally of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Records that were reconciled.
    pub reconciled: usize,
    /// Records that could not be: they come again.
    pub failed: usize,
}

impl Conductor {
    /// Reconciles what is overdue. One that fails doesn't hold up those behind it.
    ///
    /// # Errors
    /// If the store can't say what is overdue.
    pub async fn sweep(&self) -> PortResult<Swept> {
        let mut swept = Swept::default();
        let now = self.ports().clock.now();
        let overdue = Query {
            index: Index::Reconcile,
            partitions: vec![IndexEntry::RECONCILED.to_owned()],
            from: None,
            below: Some(format!("{}~", sort_time(now))), // Up to now, included.
            descending: false,
            limit: BUDGET,
        };
        for stored in self.ports().records.query(&overdue).await?.records {
            let header = stored.header.clone();
            if header.reconcile_at.is_none_or(|at| at > now) {
                continue; // The index was behind.
            }
            swept.reconciled += 1;
            if let Err(error) = self.reconcile(stored).await {
                swept.failed += 1;
                tracing::error!(record = %header.key, %error, "a record could not be reconciled");
            }
        }
        Ok(swept)
    }

    async fn reconcile(&self, stored: StoredRecord) -> PortResult<()> {
        match &*stored.header.key.kind {
            RunRecord::KIND => self.reconcile_run(read_record(stored)?.record).await,
            DeliveryRecord::KIND => self.reconcile_delivery(read_record(stored)?).await,
            DeferredEvent::KIND => self.reconcile_deferred(read_record(stored)?).await,
            ScheduleRecord::KIND => {
                let stored = read_record::<ScheduleRecord>(stored)?;
                let committed = commit(self.ports(), stored, &ScheduleInput::Reconciled, (), self.deadline()).await?;
                ensure_scheduled(self.ports(), committed, self.deadline()).await
            }
            _ => Ok(()), // No other kind asks to be reconciled.
        }
    }

    async fn reconcile_run(&self, run: RunRecord) -> PortResult<()> {
        let facts = match run.needs(self.ports().clock.now()) {
            Need::Nothing => Facts::Nothing,
            Need::Backlog => Facts::Backlog(self.has_backlog(&run.function()).await?),
            Need::Execution => {
                let status = self.ports().probe.execution_status(&run.execution_name()).await?;
                Facts::Executing(status == ExecutionStatus::Running)
            }
        };
        self.change(run, &Input::Reconciled(facts)).await?;
        Ok(())
    }

    async fn reconcile_delivery(&self, stored: Stored<DeliveryRecord>) -> PortResult<()> {
        let key = stored.record.key();
        let stored = if stored.payloads.is_partial() {
            let Some(whole) = load(self.ports(), &key).await? else { return Ok(()) };
            whole
        } else {
            stored
        };
        let body = stored.payloads.clone().take(slot::BODY).unwrap_or_default();
        let handlers = self.manifest().await?.subscriptions(&stored.record.function, &stored.record.name);
        let facts = if !handlers.is_empty() && self.has_backlog(&stored.record.function).await? {
            DeliveryFacts::Backlog
        } else {
            DeliveryFacts::NoBacklog
        };
        let subscribed = Subscribed { handlers: &handlers, body: &body };
        commit(self.ports(), stored, &DeliveryInput::Reconciled(facts), subscribed, self.deadline()).await?;
        Ok(())
    }

    async fn reconcile_deferred(&self, stored: Stored<DeferredEvent>) -> PortResult<()> {
        let backlog = self.has_backlog(CONDUCTOR).await?;
        commit(self.ports(), stored, &DeferredEventInput::Reconciled { backlog }, (), self.deadline()).await?;
        Ok(())
    }

    /// A queue that isn't there has no backlog: its task or its subscription was removed.
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        match self.ports().probe.has_backlog(function).await {
            Err(error) if error.kind() == PortErrorKind::NotDeployed => Ok(false),
            reply => reply,
        }
    }
}
