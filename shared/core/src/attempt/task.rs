//! One attempt of a task's handler, and what it may ask.

use std::{
    sync::{Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use dacapo_domain::{
    AdjacentFires, AttemptEnd, AttemptOutcome, Id, Json, Payloads, Policy, Progress, RunRecord, Schedule,
    ScheduleRecord, TaskEntry, Version, limits, slot, until,
};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    Limit,
    data::StoredData,
    log::{Log, NewEntry},
    step_names::AttemptSteps,
};
use crate::{
    App, Error, Origin,
    commit::{children_of, load},
    hook::HookName,
    port::LogLevel,
};

/// Progress is stored and an abort is looked for at most this often.
pub(super) const ONCE_A_SECOND: Duration = Duration::from_secs(1);

/// One attempt at one iteration of a run, while its handler executes.
pub struct TaskAttempt {
    app: App,
    origin: Origin,
    policy: Policy,
    declared: Option<Schedule>,
    pub(super) token: Version,
    body: Json,
    input: Json,
    called_at: Timestamp,
    /// The time until which its own writes are tried: its outcome has more.
    write_until: Timestamp,
    limit: Limit,
    /// The record as this attempt knows it; held over a write, so that writes of one attempt don't race. Who takes both
    /// it and `data` takes `data` first.
    pub(super) run: tokio::sync::Mutex<RunRecord>,
    pub(super) snapshot: Mutex<RunRecord>,
    pub(super) asked: Mutex<Option<Instant>>,
    begun: Mutex<Vec<HookName>>,
    pub(super) pending: Mutex<Pending>,
    pub(super) has_clamped: AtomicBool,
    pub(super) steps: Mutex<AttemptSteps>,
    pub(super) data: tokio::sync::Mutex<StoredData>,
    log: Log,
}

/// The fire that started a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledFire {
    /// The time it fired for.
    pub scheduled_for: Timestamp,
    /// The fire before it, and the next five.
    pub around: AdjacentFires,
}

/// Progress that was told and is not stored yet.
#[derive(Default)]
pub(super) struct Pending {
    pub progress: Option<Progress>,
    pub stored_at: Option<Instant>,
}

impl Pending {
    /// The time until progress may be stored again.
    pub fn wait(&self) -> Duration {
        self.stored_at.map_or(Duration::ZERO, |at| ONCE_A_SECOND.saturating_sub(at.elapsed()))
    }
}

impl TaskAttempt {
    pub(crate) fn new(
        app: &App,
        task: &TaskEntry,
        run: RunRecord,
        mut payloads: Payloads,
        deadline: Timestamp,
    ) -> Self {
        let data = StoredData::of(&payloads);
        let body = payloads.take(slot::BODY).unwrap_or_default();
        let input = payloads.take(slot::INPUT).unwrap_or_else(|| body.clone());
        let called_at = app.ports().clock.now();
        // Counted from the lease: what was read under it took some of its time.
        let since = run.lease().map_or(called_at, |lease| lease.since);
        let limit = run.attempt_limit(task.policy.timeout, &task.policy);
        // Who took it may have known another policy; the lease outlasts the attempt all the same.
        let leased = run.lease().map_or(limit, |lease| until(since, lease.until).saturating_sub(limits::LEASE_MARGIN));
        let limit = if leased < limit.min(limits::RUNNER_STOPS) { leased } else { limit };
        let limit = Limit::begun(until(since, called_at), limit);
        Self {
            app: app.clone(),
            origin: Origin::of_run(&run).within(app.traced()),
            policy: task.policy.clone(),
            declared: run.schedule.as_ref().and_then(|name| {
                task.schedules.iter().find(|schedule| schedule.name == *name).map(|schedule| schedule.schedule.clone())
            }),
            token: run.lease().map_or(run.version, |lease| lease.token),
            body,
            input,
            called_at,
            write_until: deadline.saturating_sub(limits::OUTCOME_MARGIN).unwrap_or(deadline),
            limit,
            asked: Mutex::default(),
            begun: Mutex::default(),
            pending: Mutex::default(),
            has_clamped: AtomicBool::new(false),
            steps: Mutex::new(AttemptSteps::of(&run)),
            data: tokio::sync::Mutex::new(data),
            log: Log::of_attempt(&run),
            snapshot: Mutex::new(run.clone()),
            run: tokio::sync::Mutex::new(run),
        }
    }

    /// The attempt of the n-th hook of the end, after the entries that the run's log has by then. Its limit ends
    /// before the hooks' lease does, and can't be moved.
    pub(crate) fn of_end_hook(self, place: u32, log: Log, limit: Duration) -> Self {
        let lease_left = self.run().lease().map_or(Duration::ZERO, |lease| until(self.called_at, lease.until));
        self.limit.fix(limit.min(lease_left.saturating_sub(limits::LEASE_MARGIN)));
        Self { log: log.of_end_hook(place), ..self }
    }

    /// The body that the run was started with.
    #[must_use]
    pub fn body(&self) -> &Json {
        &self.body
    }

    /// This iteration's input.
    #[must_use]
    pub fn input(&self) -> &Json {
        &self.input
    }

    /// The options of the task, as far as its runs need them.
    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The time until which its own reads and writes are tried.
    pub(super) fn write_until(&self) -> Timestamp {
        self.write_until
    }

    /// The time at which the handler was called.
    #[must_use]
    pub fn called_at(&self) -> Timestamp {
        self.called_at
    }

    /// The limit of its time.
    #[must_use]
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    /// The app it belongs to.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The origin of what it starts and publishes: children of this run.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Says whether this is the first call of a hook for this attempt: none is called twice.
    #[must_use]
    pub fn begins(&self, hook: HookName) -> bool {
        let mut begun = lock(&self.begun);
        let is_first = !begun.contains(&hook);
        begun.push(hook);
        is_first
    }

    /// The fire that started the run, with the fires around it: `None` where no schedule did, or it is no more.
    ///
    /// # Errors
    /// An error of the store, which is asked only for a schedule that was made at run time.
    pub async fn fire(&self) -> Result<Option<ScheduledFire>, Error> {
        let run = self.run();
        let (Some(name), Some(scheduled_for)) = (run.schedule, run.scheduled_at) else { return Ok(None) };
        let schedule = match self.declared.clone() {
            Some(schedule) => Some(schedule),
            None => load::<ScheduleRecord>(self.app.ports(), &ScheduleRecord::key_of(&name))
                .await?
                .and_then(|stored| stored.record.put),
        };
        let Some(recurrence) = schedule.and_then(|schedule| schedule.check().ok()) else { return Ok(None) };
        Ok(Some(ScheduledFire { scheduled_for, around: recurrence.around(scheduled_for) }))
    }

    /// The runs of a task that the run has waited for last, in the order they were given.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn children(&self, task: &str) -> Result<Vec<Id>, Error> {
        let children = children_of(self.app.ports(), self.run().id).await?;
        Ok(children.into_iter().filter(|child| child.task == task).map(|child| child.id).collect())
    }

    /// Keeps a log entry with the run, cut to 32 KiB. Beyond what an iteration or a run may keep, one last entry says so.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn log(
        &self,
        level: LogLevel,
        message: String,
        data: Option<Json>,
        error: Option<String>,
    ) -> Result<(), Error> {
        let entry = NewEntry { level, message, data, error };
        Ok(self.log.keep(self.app.ports(), &self.run(), entry, self.write_until).await?)
    }

    /// The log for the hook of the end after this one.
    pub(crate) async fn log_after(&self) -> Log {
        self.log.next().await
    }

    /// The end of this attempt, and the record to write it to.
    pub(crate) async fn ended(&self, outcome: AttemptOutcome, spent: Duration) -> (RunRecord, AttemptEnd) {
        let payloads = self.payloads_told().await;
        let run = self.record().await;
        let progress = lock(&self.pending).progress.take();
        if let Some(progress) = &progress {
            self.publish_progress(progress, payloads).await;
        }
        let (logged, (steps, tokens)) = (self.log.counted().await, lock(&self.steps).end());
        (run.clone(), AttemptEnd { progress, logged, steps, tokens, ..AttemptEnd::new(self.token, outcome, spent) })
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
