//! The sweep: what is overdue is reconciled.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use dacapo_domain::{
    CONDUCTOR, DeferredEvent, DeferredEventInput, DeliveryFacts, DeliveryInput, DeliveryRecord, Header, Holder,
    IdempotencyKey, IdempotencyKeyInput, Index, IndexEntry, Input, Machine, PoolInput, PoolRecord, Query, RecordKey,
    RunRecord, ScheduleInput, ScheduleRecord, StoredRecord, Subscribed, TicketRecord, Unreadable, later, limits,
    permit::Finding, run::Facts, run::Need, slot, sort_time, until,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Conductor, as_port_error};
use crate::{
    commit::{Seen, Stored, commit, create, expire_overflow, is_worth_a_retry, load, pass_on, postpone, read_record},
    control::abort_children,
    port::{ExecutionStatus, PortError, PortErrorKind, PortResult, post_after},
    schedule::ensure_scheduled,
    signal::look_for_signal,
};

/// Records that one sweep repairs, at most; those that it puts off don't count.
const BUDGET: usize = 500;
/// Records that are read at once.
const PAGE: usize = 100;
/// The time within which a sweep ends, whatever is left: the next one comes after a minute.
const TIME: Duration = Duration::from_secs(40);

/// The tally of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Records that were reconciled.
    pub reconciled: usize,
    /// Records that could not be, and were put off: the log names them.
    pub failed: usize,
}

/// The functions whose queues had a backlog: asked once in a sweep, before it sends anything there, so that
/// what it sends itself is none.
type Backlogs = HashMap<String, bool>;

impl Conductor {
    /// Reconciles what is overdue. One that fails is put off, so that it never holds up those behind it.
    ///
    /// # Errors
    /// If the store can't say what is overdue.
    pub async fn sweep(&self) -> PortResult<Swept> {
        let (mut swept, mut met, mut backlogs) = (Swept::default(), HashSet::new(), Backlogs::new());
        let now = self.ports().clock.now();
        let mut overdue = Query {
            index: Index::Reconcile,
            partitions: vec![IndexEntry::RECONCILED.to_owned()],
            from: None,
            below: Some(format!("{}~", sort_time(now))), // Up to now, included.
            descending: false,
            limit: PAGE,
        };
        loop {
            let page = self.ports().records.query(&overdue).await?;
            for Unreadable { key, reconcile_at, problem } in page.unreadable {
                if met.insert(key.clone()) {
                    swept.failed += 1;
                    self.put_off(&key, reconcile_at, limits::MAX_RECONCILE_DELAY, &problem).await;
                }
            }
            for stored in page.records {
                let (key, at, since) = (stored.header.key.to_string(), stored.header.reconcile_at, due_since(&stored));
                if at.is_none_or(|at| at > now) || !met.insert(key.clone()) {
                    continue; // The index was behind, or it was put off to within this sweep.
                }
                match self.reconcile(stored, &mut backlogs).await {
                    Ok(()) => swept.reconciled += 1,
                    Err(error) => {
                        swept.failed += 1;
                        let pause = pause_after(&error, since, self.ports().clock.now());
                        self.put_off(&key, at, pause, &error.to_string()).await;
                    }
                }
                if swept.reconciled >= BUDGET || self.ports().clock.now() > now + TIME {
                    return Ok(swept);
                }
            }
            let Some(last) = page.last else { return Ok(swept) };
            overdue = overdue.after(last);
        }
    }

    /// Puts off a record that could not be reconciled.
    async fn put_off(&self, key: &str, seen: Option<Timestamp>, pause: Duration, problem: &str) {
        let until = later(self.ports().clock.now(), pause);
        tracing::error!(record = key, problem, %until, "a record could not be reconciled: it is put off");
        let (Some(of), Some(seen)) = (RecordKey::from_text(key), seen) else { return };
        if let Err(error) = postpone(self.ports(), &of, seen, until).await {
            tracing::error!(record = key, %error, "it could not be put off either");
        }
    }

    async fn reconcile(&self, stored: StoredRecord, backlogs: &mut Backlogs) -> PortResult<()> {
        if stored.header.expires_at_s.is_some() && due_since(&stored).is_none() {
            // The record itself asks for nothing: the store keeps it for what stands beside it.
            return expire_overflow(self.ports(), &stored.header).await;
        }
        match &*stored.header.key.kind {
            RunRecord::KIND => self.reconcile_run(read_record(stored)?.record, backlogs).await,
            DeliveryRecord::KIND => self.reconcile_delivery(read_record(stored)?, backlogs).await,
            DeferredEvent::KIND => self.reconcile_deferred(read_record(stored)?, backlogs).await,
            PoolRecord::KIND => self.reconcile_pool(read_record::<PoolRecord>(stored)?.record).await,
            IdempotencyKey::KIND => self.reconcile_key(stored.header.clone(), read_record(stored)?).await,
            ScheduleRecord::KIND => {
                let stored = read_record::<ScheduleRecord>(stored)?;
                let committed = commit(self.ports(), stored, &ScheduleInput::Reconciled, (), self.deadline()).await?;
                ensure_scheduled(self.ports(), committed, self.deadline()).await
            }
            kind => {
                let text = format!("failed to reconcile a record of kind {kind:?}: this version knows no such kind");
                Err(PortError::new(PortErrorKind::Refused, text))
            }
        }
    }

    async fn reconcile_run(&self, run: RunRecord, backlogs: &mut Backlogs) -> PortResult<()> {
        let run = if run.pending_cascade().is_some() {
            abort_children(&self.app, &run, self.deadline()).await.map_err(as_port_error)?;
            let Some(run) = self.change(run, &Input::ChildrenAborted).await? else { return Ok(()) };
            if run.reconcile_at.is_none_or(|at| at > self.ports().clock.now()) {
                return Ok(());
            }
            run
        } else {
            run
        };
        let need = run.needs(self.ports().clock.now());
        if need == Need::Signal && look_for_signal(self.ports(), &run, true, self.deadline()).await? {
            return Ok(());
        }
        let facts = match need {
            need @ (Need::Nothing | Need::Backlog | Need::Signal) => {
                // One that needs no answer may be sent a message as well.
                let backlog = self.has_backlog(&run.function(), backlogs).await?;
                if need == Need::Backlog { Facts::Backlog(backlog) } else { Facts::Nothing }
            }
            Need::Execution => match self.ports().probe.execution_status(&run.execution_name()).await? {
                ExecutionStatus::Running => Facts::Executing(true),
                ExecutionStatus::Ended(None) => Facts::Executing(false),
                ExecutionStatus::Ended(Some(how)) => {
                    // The event that told so was lost: it is as good now.
                    let input = Input::ExecutionEnded(run.invoker.generation(), how);
                    return self.change(run, &input).await.map(drop);
                }
            },
        };
        self.change(run, &Input::Reconciled(facts)).await?;
        Ok(())
    }

    async fn reconcile_delivery(&self, stored: Stored<DeliveryRecord>, backlogs: &mut Backlogs) -> PortResult<()> {
        let key = stored.record.key();
        let stored = if stored.payloads.is_partial() {
            let Some(whole) = load(self.ports(), &key).await? else { return Ok(()) };
            whole
        } else {
            stored
        };
        let body = stored.payloads.clone().take(slot::BODY).unwrap_or_default();
        let handlers = self.manifest().await?.subscriptions(&stored.record.function, &stored.record.name);
        let facts = if !handlers.is_empty() && self.has_backlog(&stored.record.function, backlogs).await? {
            DeliveryFacts::Backlog
        } else {
            DeliveryFacts::NoBacklog
        };
        let subscribed = Subscribed { handlers: &handlers, body: &body };
        commit(self.ports(), stored, &DeliveryInput::Reconciled(facts), subscribed, self.deadline()).await?;
        Ok(())
    }

    /// A key is past its time: it expires with its run's record. The process that ended the run may have died before it
    /// said so; a run that has not ended keeps its key.
    async fn reconcile_key(&self, header: Header, stored: Stored<IdempotencyKey>) -> PortResult<()> {
        let (ports, run, now) = (self.ports(), stored.record.run, self.ports().clock.now());
        let holder = load::<RunRecord>(ports, &RunRecord::key_of(run)).await?.map(|holder| holder.record);
        let expires_at_s = holder.map_or(Some(now.as_second() + 1), |holder| holder.expires_at_s);
        match (expires_at_s, header.reconcile_at) {
            (Some(expires_at_s), _) => {
                let ended = IdempotencyKeyInput::RunEnded { run, expires_at_s };
                commit(ports, stored, &ended, (), self.deadline()).await?;
                Ok(())
            }
            (None, Some(seen)) => postpone(ports, &header.key, seen, later(now, limits::WAIT_GRACE)).await,
            (None, None) => Ok(()),
        }
    }

    /// Finds what became of the attempts whose permits have stood for long, and passes on what is free.
    async fn reconcile_pool(&self, pool: PoolRecord) -> PortResult<()> {
        let (ports, manifest, now) = (self.ports(), self.manifest().await?, self.ports().clock.now());
        let (id, limit) = (pool.id.clone(), manifest.limit(&pool.id));
        let holders: Vec<Holder> = pool.overdue(now).collect();
        let keys: Vec<_> = holders.iter().map(|holder| RunRecord::key_of(holder.run)).collect();
        let found = ports.records.peek(&keys).await?.into_iter().map(read_record::<RunRecord>);
        let runs = found.map(|stored| Ok(stored?.record)).collect::<PortResult<Vec<_>>>()?;
        let (mut leaving, mut staying, mut returning) = (vec![], vec![], vec![]);
        for holder in holders {
            let run = runs.iter().find(|run| run.id == holder.run);
            match (pool.find(holder, run, limit, now), run) {
                (Finding::Stays(until), _) => staying.push((holder, until)),
                (Finding::Called, Some(run)) => {
                    staying.push((holder, later(now, limits::QUEUE_GRACE)));
                    match manifest.task(&run.name) {
                        Some(_) => post_after(&*ports.outbox, &[run.send()]).await,
                        None => drop(self.change(run.clone(), &Input::Reconciled(Facts::Nothing)).await?),
                    }
                }
                (Finding::Returns, Some(run)) => {
                    let ticket = TicketRecord::create(run, id.clone(), &ports.clock.decision_context());
                    create(ports, &ticket, self.deadline()).await?;
                    returning.push(holder);
                }
                (Finding::Leaves | Finding::Called | Finding::Returns, _) => leaving.push(holder),
            }
        }
        let reconciled = PoolInput::Reconciled { leaving, staying, returning };
        commit(ports, Seen::Stored(pool), &reconciled, limit, self.deadline()).await?;
        pass_on(ports, &id, limit, vec![], self.deadline()).await
    }

    async fn reconcile_deferred(&self, stored: Stored<DeferredEvent>, backlogs: &mut Backlogs) -> PortResult<()> {
        let backlog = self.has_backlog(CONDUCTOR, backlogs).await?;
        commit(self.ports(), stored, &DeferredEventInput::Reconciled { backlog }, (), self.deadline()).await?;
        Ok(())
    }

    /// A queue that isn't there has no backlog: its task or its subscription was removed.
    async fn has_backlog(&self, function: &str, backlogs: &mut Backlogs) -> PortResult<bool> {
        if let Some(known) = backlogs.get(function) {
            return Ok(*known);
        }
        let has_backlog = match self.ports().probe.has_backlog(function).await {
            Err(error) if error.kind() == PortErrorKind::NotDeployed => false,
            reply => reply?,
        };
        backlogs.insert(function.to_owned(), has_backlog);
        Ok(has_backlog)
    }
}

/// The pause after which a record is reconciled again that could not be: for as long as it has been overdue, so that the
/// pause doubles, a minute at least, and the longest where its document doesn't say since when. A service that throttles
/// says nothing of the record, which is not to wait for long once it answers.
fn pause_after(error: &PortError, since: Option<Timestamp>, now: Timestamp) -> Duration {
    let overdue = since.map_or(limits::MAX_RECONCILE_DELAY, |since| until(since, now));
    let longest = if is_worth_a_retry(error) { limits::QUEUE_GRACE } else { limits::MAX_RECONCILE_DELAY };
    overdue.clamp(limits::QUEUE_GRACE, longest)
}

/// The time at which a record was to be reconciled, by its own document, which no putting off changes. Every kind writes
/// it there under the same name.
fn due_since(stored: &StoredRecord) -> Option<Timestamp> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Due {
        reconcile_at: Timestamp,
    }
    stored.document.parse::<Due>().ok().map(|due| due.reconcile_at)
}
