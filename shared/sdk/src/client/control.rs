//! Ending, moving and repeating runs.

use dacapo_core::commit::{Committed, PATIENCE, commit_run};
use dacapo_domain::{Id, Input, Json, Policy, RunRecord, RunView, Task, When, slot};

use super::{Client, StartRun, Started};
use crate::{Error, ErrorKind};

impl Client {
    /// Ends a run: at once, or, where an attempt executes, as soon as it hears of it.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, `Refused` if it has ended.
    pub async fn abort(&self, id: Id, message: &str) -> Result<RunView, Error> {
        let seen = self.stored(id).await?.record;
        if seen.phase.is_final() {
            let state = seen.state_at(self.ports().clock.now());
            return Err(Error::new(ErrorKind::Refused, format!("abort run {id}: it is {state}")));
        }
        self.change(seen, Input::AbortRequested(message.to_owned())).await?;
        self.state(id).await
    }

    /// Moves a run that has not started to another time.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, `Refused`, and not moved, if it has started or ended, `Usage` for a time that
    /// is none.
    pub async fn reschedule(&self, id: Id, when: impl Into<When>) -> Result<RunView, Error> {
        let seen = self.stored(id).await?.record;
        let due_at = when.into().resolve(self.ports().clock.now()).map_err(Error::usage)?;
        let Committed { record, changed, .. } = self.change(seen, Input::Rescheduled(due_at)).await?;
        if changed {
            return self.state(id).await;
        }
        let state = record.state_at(self.ports().clock.now());
        let text = format!("reschedule run {id}: it is {state} and has started or ended");
        Err(Error::new(ErrorKind::Refused, text))
    }

    /// Starts a run like this one: with the same body, or another.
    ///
    /// # Errors
    /// `NotFound` if there is no such run; `Refused` for another body, where the task is private.
    pub async fn replay(&self, id: Id, body: Option<Json>) -> Result<Started<serde_json::Value>, Error> {
        self.replay_of(id, body).await?.await
    }

    /// A run like this one that is yet to be started: with a key, with tags, or later.
    ///
    /// # Errors
    /// As [`replay`](Self::replay).
    pub async fn replay_of(&self, id: Id, body: Option<Json>) -> Result<StartRun<serde_json::Value>, Error> {
        let mut stored = self.stored(id).await?;
        let (name, first) = (stored.record.name, stored.payloads.take(slot::BODY).unwrap_or_default());
        let body = body.unwrap_or_else(|| first.clone());
        if body != first && self.task_by_name(&name).await?.private {
            let text = format!("replay run {id} with another body: task {name:?} is private (replay it as it was)");
            return Err(Error::new(ErrorKind::Refused, text));
        }
        Ok(self.run_by_name(&name, body).replays(id))
    }

    /// Commits an input from outside. Only code in Lambda judges a lease, so a run that executes is told, not ended.
    async fn change(&self, seen: RunRecord, input: Input) -> Result<Committed<RunRecord>, Error> {
        let ports = self.ports();
        let policy = match self.app.task(&seen.name).await {
            Ok(task) => task.map(|task| task.policy).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::NotDeployed => Policy::default(),
            Err(error) => return Err(error),
        };
        let (id, until) = (seen.id, ports.clock.now() + PATIENCE);
        let committed = commit_run(ports, seen, &input, Task::Known(&policy), until).await?;
        committed.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("find run {id} again: its history is over")))
    }
}
