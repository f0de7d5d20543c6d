//! The record of an attempt's run: read, and written to under the attempt's lease.

use std::time::Duration;

use dacapo_domain::{Input, RunRecord, Task, limits};
use jiff::Timestamp;
use tokio::{sync::MutexGuard, time::Instant};

use super::{
    TaskAttempt,
    task::{ONCE_A_SECOND, lock},
};
use crate::{
    Error, ErrorKind,
    commit::{Committed, commit_run, load},
    port::PortResult,
};

impl TaskAttempt {
    /// The run's record as this attempt last saw it.
    #[must_use]
    pub fn run(&self) -> RunRecord {
        lock(&self.snapshot).clone()
    }

    /// Sets the limit of this attempt, counted from its start. The lease moves first, so that the run
    /// is never taken for dead.
    ///
    /// # Errors
    /// `Usage` beyond `max_timeout`, below a second, or in a hook that has a limit of its own; `Refused` where the
    /// attempt's lease is lost; else what the store says.
    pub async fn set_timeout(&self, limit: Duration) -> Result<(), Error> {
        let allowed = self.policy().max_timeout;
        if self.limit().is_fixed() {
            let text = "set a timeout in a hook that runs apart from its attempt (only an attempt's own can be moved)";
            return Err(Error::new(ErrorKind::Usage, text));
        }
        if limit < limits::MIN_TIMEOUT || limit > allowed {
            let text = format!(
                "set a timeout of {limit:?} (allowed: 1 s to {allowed:?}, the task's `max_timeout`; what takes longer uses `Continue`)"
            );
            return Err(Error::new(ErrorKind::Usage, text));
        }
        self.change(&Input::Extended(self.token, limit)).await?;
        self.limit().set(self.run().attempt_limit(limit, self.policy()));
        Ok(())
    }

    /// Is true once an abort was asked for: read from the store, at most once a second.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn is_aborted(&self) -> Result<bool, Error> {
        let is_fresh = {
            let mut asked = lock(&self.asked);
            let is_fresh = asked.is_some_and(|at| at.elapsed() < ONCE_A_SECOND);
            if !is_fresh {
                *asked = Some(Instant::now());
            }
            is_fresh
        };
        if is_fresh {
            return Ok(self.run().abort().is_some());
        }
        let mut run = self.run.lock().await;
        let stored = load::<RunRecord>(self.app().ports(), &RunRecord::key_of(run.id)).await?;
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

    /// Writes a change of this attempt's own.
    pub(super) async fn change(&self, input: &Input) -> Result<(), Error> {
        let run = self.record().await;
        if self.write(run, input, self.write_until()).await? {
            return Ok(());
        }
        let text = "change the run: its attempt has lost its lease or has ended (nothing was stored)";
        Err(Error::new(ErrorKind::Refused, text))
    }

    /// Writes to the record that is held meanwhile; says whether the attempt might.
    pub(super) async fn write(
        &self,
        mut run: MutexGuard<'_, RunRecord>,
        input: &Input,
        until: Timestamp,
    ) -> PortResult<bool> {
        let (seen, task) = (run.clone(), Task::Known(self.policy()));
        let committed = commit_run(self.app().ports(), seen, input, task, until).await?;
        let Some(Committed { record, changed, .. }) = committed else { return Ok(false) };
        // A record that another attempt holds is not this one's to speak for: it would log in that one's name.
        if changed {
            *run = record;
            *lock(&self.snapshot) = run.clone();
        }
        Ok(changed)
    }

    /// The record to write to: waits for a write that is under way.
    pub(super) async fn record(&self) -> MutexGuard<'_, RunRecord> {
        self.run.lock().await
    }
}
