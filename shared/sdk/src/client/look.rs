//! Looking at runs, and ending, moving or repeating them.

use std::time::Duration;

use dacapo_domain::{Event, Id, Json, Policy, Run as Record, RunRecord, When};

use super::{Client, Started};
use crate::{
    Error, ErrorKind, TaskError, TaskRef,
    port::{ListFilter, LogEntry, Page, Stored},
    runner::apply::{apply, perform},
};

/// How long a client goes on trying one write.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a waiting client asks, at first and at most.
const ASKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// Log entries of one read.
const LOG_PAGE: usize = 500;

/// A page of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Newest first.
    pub runs: Vec<RunRecord>,
    /// Where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

impl Client {
    /// A run's record.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, or the history has let it go.
    pub async fn state(&self, id: Id) -> Result<RunRecord, Error> {
        let stored = self.stored(id).await?;
        Ok(self.record(stored))
    }

    /// A page of runs, newest first.
    ///
    /// # Errors
    /// `Usage` for a limit that is not 1 to 1,000, `NotFound` for a task that isn't there.
    pub async fn list(&self, filter: ListFilter) -> Result<Listed, Error> {
        if !(1..=1_000).contains(&filter.limit) {
            let text = format!("list a page of {} runs (allowed: 1 to 1000)", filter.limit);
            return Err(Error::new(ErrorKind::Usage, text));
        }
        if let Some(task) = &filter.task {
            self.task_by_name(task).await?;
        }
        let Page { runs, cursor } = self.ports().store.list(&filter).await?;
        Ok(Listed { runs: runs.into_iter().map(|stored| self.record(stored)).collect(), cursor })
    }

    /// A run's log entries, in the order they were made.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn logs(&self, id: Id) -> Result<Vec<LogEntry>, Error> {
        self.stored(id).await?;
        let mut entries: Vec<LogEntry> = vec![];
        loop {
            let after = entries.last().map(LogEntry::key);
            let page = self.ports().store.logs(id, after.as_deref(), LOG_PAGE).await?;
            let is_last = page.len() < LOG_PAGE;
            entries.extend(page);
            if is_last {
                return Ok(entries);
            }
        }
    }

    /// Ends a run: at once, or, where an attempt executes, as soon as it hears of it.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, `Refused` if it has ended.
    pub async fn abort(&self, id: Id, message: &str) -> Result<RunRecord, Error> {
        let seen = self.stored(id).await?.run;
        if seen.state.is_final() {
            return Err(Error::new(ErrorKind::Refused, format!("abort run {id}: it is {}", seen.state)));
        }
        self.change(&seen, Event::Aborted(message.to_owned())).await?;
        self.state(id).await
    }

    /// Moves a run that has not started to another time.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, `Refused` if it has started or ended, `Usage` for a time that is none.
    pub async fn reschedule(&self, id: Id, when: impl Into<When>) -> Result<RunRecord, Error> {
        let seen = self.stored(id).await?.run;
        let due_at = when.into().resolve(self.ports().clock.now()).map_err(Error::usage)?;
        let moved = self.change(&seen, Event::Rescheduled(due_at)).await?;
        if moved.due_at != due_at {
            let text = format!("reschedule run {id}: it is {} and has started or ended", moved.state);
            return Err(Error::new(ErrorKind::Refused, text));
        }
        self.state(id).await
    }

    /// Starts a run like this one: with the same body, or another.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn replay(&self, id: Id, body: Option<Json>) -> Result<Started<serde_json::Value>, Error> {
        let stored = self.stored(id).await?;
        let body = body.or(stored.body).unwrap_or_default();
        self.run_by_name(&stored.run.name, body).replays(id).await
    }

    /// Waits for a run's end.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn wait_for(&self, id: Id) -> Result<RunRecord, Error> {
        let (mut pause, longest) = ASKS;
        loop {
            let record = self.state(id).await?;
            if record.state.is_final() {
                return Ok(record);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Waits for a run's typed result.
    ///
    /// # Errors
    /// The run's failure with its code, `RESULT_TOO_LARGE` for a result that was not kept, or what the store says.
    pub async fn wait<I, O>(&self, task: TaskRef<I, O>, started: &Started<O>) -> Result<O, TaskError> {
        let record = self.wait_for(started.id()).await?;
        if let (Some(code), Some(message)) = (record.error_code, record.error_message) {
            return Err(TaskError::terminal(message).code(code));
        }
        if let Some(why) = record.result_left_out {
            return Err(TaskError::terminal(why).code("RESULT_TOO_LARGE"));
        }
        match record.result {
            Some(result) => Ok(task.output.decode(&result)?),
            None => Err(TaskError::terminal(format!("run {} ended {}", record.id, record.state)).code("ABORTED")),
        }
    }

    async fn stored(&self, id: Id) -> Result<Stored, Error> {
        let stored = self.ports().store.load(id).await?;
        stored.ok_or_else(|| {
            let text = format!("find run {id} (a finished run is kept for its task's `history`, 14 days by default)");
            Error::new(ErrorKind::NotFound, text)
        })
    }

    fn record(&self, stored: Stored) -> RunRecord {
        RunRecord::new(&stored.run, stored.body, stored.input, stored.result, self.ports().clock.now())
    }

    /// Decides and stores what an outsider wants of a run. Only code in Lambda judges a lease, so a run that
    /// executes is told, not ended.
    async fn change(&self, seen: &Record, event: Event<'_>) -> Result<Record, Error> {
        let ports = self.ports();
        let policy = match self.manifest().await {
            Ok(manifest) => manifest.task(&seen.name).map(|(_, task)| task.policy.clone()).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::NotDeployed => Policy::default(),
            Err(error) => return Err(error),
        };
        let deadline = ports.clock.now() + PATIENCE;
        let applied = apply(ports, seen, event, Some(&policy), deadline).await?;
        let applied = applied.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("find run {} again: its history is over", seen.id))
        })?;
        perform(ports, &applied.run, &applied.effects).await;
        Ok(applied.run)
    }
}
