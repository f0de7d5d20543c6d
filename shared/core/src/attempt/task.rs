//! One attempt of a task's handler, and what it may ask.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use dacapo_domain::{
    AdjacentFires, Input, Json, Policy, Progress, RunRecord, Schedule, ScheduleRecord, Task, TaskEntry, Version, limits,
};
use jiff::Timestamp;
use tokio::time::Instant;

use super::Limit;
use crate::{
    App, Error, ErrorKind, Origin,
    commit::{append, commit_run, load},
    port::{LogEntry, LogLevel},
};

/// Progress is stored and an abort is looked for at most this often.
const ONCE_A_SECOND: Duration = Duration::from_secs(1);

/// One attempt at one iteration of a run, while its handler executes.
pub struct TaskAttempt {
    app: App,
    origin: Origin,
    policy: Policy,
    declared: Option<Schedule>,
    token: Version,
    body: Json,
    input: Json,
    called_at: Timestamp,
    deadline: Timestamp,
    limit: Limit,
    /// The record as this attempt knows it; held over a write, so that writes of one attempt don't race.
    run: tokio::sync::Mutex<RunRecord>,
    snapshot: Mutex<RunRecord>,
    pending: Mutex<Pending>,
    /// The number that its log entries come after.
    logged_before: u32,
    logged: AtomicU32,
    logged_bytes: AtomicU64,
}

/// The fire that started a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledFire {
    /// The time it fired for.
    pub scheduled_for: Timestamp,
    /// The fire before it, and the next five.
    pub around: AdjacentFires,
}

/// The calls that are merged into one of the store a second.
#[derive(Default)]
struct Pending {
    progress: Option<Progress>,
    progressed: Option<Instant>,
    asked: Option<Instant>,
}

impl TaskAttempt {
    pub(crate) fn new(
        app: &App,
        task: &TaskEntry,
        run: RunRecord,
        body: Json,
        input: Json,
        deadline: Timestamp,
    ) -> Self {
        Self {
            app: app.clone(),
            origin: Origin::of_run(&run),
            policy: task.policy.clone(),
            declared: run.schedule.as_ref().and_then(|name| {
                task.schedules.iter().find(|schedule| schedule.name == *name).map(|schedule| schedule.schedule.clone())
            }),
            token: run.lease().map_or(run.version, |lease| lease.token),
            body,
            input,
            called_at: app.ports().clock.now(),
            deadline,
            limit: Limit::new(task.policy.timeout.min(limits::RUNNER_STOPS)),
            snapshot: Mutex::new(run.clone()),
            run: tokio::sync::Mutex::new(run),
            pending: Mutex::default(),
            logged_before: 0,
            logged: AtomicU32::new(0),
            logged_bytes: AtomicU64::new(0),
        }
    }

    /// The attempt of the n-th hook of the end: its log entries stand behind those of the last attempt and of the hooks
    /// before, not in their place.
    pub(crate) fn of_end_hook(self, place: u32) -> Self {
        Self { logged_before: place * (limits::LOG_ENTRIES + 1), ..self }
    }

    /// The run's record as this attempt last saw it.
    #[must_use]
    pub fn run(&self) -> RunRecord {
        lock(&self.snapshot).clone()
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

    /// Says how far the run is. Calls within a second of the last are merged; the last always lands.
    ///
    /// # Errors
    /// `Usage` if the fraction is not within 0 to 1; else what the store says.
    pub async fn progress(&self, message: String, fraction: f64) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&fraction) {
            let text = format!("say a progress of {fraction} (allowed: 0 to 1, where 1 is all of it)");
            return Err(Error::new(ErrorKind::Usage, text));
        }
        let progress = Progress { message, fraction };
        {
            let mut pending = lock(&self.pending);
            if pending.progressed.is_some_and(|at| at.elapsed() < ONCE_A_SECOND) {
                pending.progress = Some(progress);
                return Ok(());
            }
            pending.progressed = Some(Instant::now());
            pending.progress = None;
        }
        self.change(&Input::Progressed(self.token, progress)).await
    }

    /// The progress that was merged and not stored yet.
    pub(crate) fn take_progress(&self) -> Option<Progress> {
        lock(&self.pending).progress.take()
    }

    /// Sets the limit of this attempt, counted from its start. The lease moves first, so that the run
    /// is never taken for dead.
    ///
    /// # Errors
    /// `Usage` beyond `max_timeout` or below a second; else what the store says.
    pub async fn set_timeout(&self, limit: Duration) -> Result<(), Error> {
        let allowed = self.policy.max_timeout;
        if limit < limits::MIN_TIMEOUT || limit > allowed {
            let text = format!(
                "set a timeout of {limit:?} (allowed: 1 s to {allowed:?}, the task's `max_timeout`; beyond 15 minutes use `Continue`)"
            );
            return Err(Error::new(ErrorKind::Usage, text));
        }
        self.change(&Input::Extended(self.token, limit)).await?;
        self.limit.set(limit.min(limits::RUNNER_STOPS));
        Ok(())
    }

    /// Is true once an abort was asked for: read from the store, at most once a second.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn is_aborted(&self) -> Result<bool, Error> {
        let is_fresh = {
            let mut pending = lock(&self.pending);
            let fresh = pending.asked.is_some_and(|at| at.elapsed() < ONCE_A_SECOND);
            if !fresh {
                pending.asked = Some(Instant::now());
            }
            fresh
        };
        if is_fresh {
            return Ok(self.run().abort().is_some());
        }
        let mut run = self.run.lock().await;
        let stored = load::<RunRecord>(self.app.ports(), &RunRecord::key_of(run.id)).await?;
        let Some(stored) = stored.map(|stored| stored.record) else { return Ok(true) };
        // Another attempt's record says that this one is dead: it should end as well.
        let is_ours = stored.lease().is_some_and(|lease| lease.token == self.token);
        let is_aborted = stored.abort().is_some() || !is_ours;
        if is_ours {
            *run = stored;
            *lock(&self.snapshot) = run.clone();
        }
        Ok(is_aborted)
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

    /// Keeps a log entry with the run.
    ///
    /// # Errors
    /// `Usage` if the entry is larger than 32 KiB; else what the store says.
    pub async fn log(
        &self,
        level: LogLevel,
        message: String,
        data: Option<Json>,
        error: Option<String>,
    ) -> Result<(), Error> {
        let bytes = message.len() + data.as_ref().map_or(0, Json::bytes) + error.as_ref().map_or(0, String::len);
        if bytes > limits::LOG_ENTRY_BYTES {
            let allowed = limits::LOG_ENTRY_BYTES;
            return Err(Error::new(ErrorKind::Usage, format!("log an entry of {bytes} bytes (allowed: {allowed})")));
        }
        let number = self.logged.fetch_add(1, Ordering::Relaxed) + 1;
        let total = self.logged_bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        let full = number > limits::LOG_ENTRIES || total > limits::LOG_BYTES;
        if full && number > limits::LOG_ENTRIES + 1 {
            return Ok(());
        }
        let ports = self.app.ports();
        let run = self.run();
        let mut entry = LogEntry {
            iteration: run.iteration,
            attempt: run.attempt,
            number: self.logged_before + number,
            time: ports.clock.now(),
            level,
            message,
            data,
            error,
        };
        if full {
            self.logged.store(limits::LOG_ENTRIES + 1, Ordering::Relaxed);
            entry.level = LogLevel::Error;
            entry.message = format!("more than {} log entries: later ones are left out", limits::LOG_ENTRIES);
            (entry.data, entry.error) = (None, None);
        }
        append(ports, &RunRecord::key_of(run.id), &[entry.line()?], self.deadline).await?;
        Ok(())
    }

    /// Writes a change of this attempt's own.
    async fn change(&self, input: &Input) -> Result<(), Error> {
        let mut run = self.run.lock().await;
        let (seen, task) = (run.clone(), Task::Known(&self.policy));
        if let Some(committed) = commit_run(self.app.ports(), seen, input, task, self.deadline).await? {
            *run = committed.record;
            *lock(&self.snapshot) = run.clone();
        }
        Ok(())
    }

    /// The record to write the outcome to: waits for a write of the handler's that is under way.
    pub(crate) async fn last_seen(&self) -> RunRecord {
        self.run.lock().await.clone()
    }

    pub(crate) fn token(&self) -> Version {
        self.token
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
