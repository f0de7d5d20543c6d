//! Ending, moving and repeating runs.

use dacapo_core::{
    commit::{Committed, PATIENCE},
    control,
};
use dacapo_domain::{Id, Input, Json, RunRecord, RunView, When, slot};

use super::{Client, StartRun, Started};
use crate::{Error, ErrorKind};

impl Client {
    /// Ends a run: at once, or, where an attempt executes, as soon as it hears of it. The runs that it has started end in
    /// the same way, and those that they have started, but for what a run started that has ended.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, `Refused` if it has ended.
    pub async fn abort(&self, id: Id, message: &str) -> Result<RunView, Error> {
        let seen = self.stored(id).await?.record;
        if seen.phase.is_final() {
            let state = seen.state_at(self.ports().clock.now());
            return Err(Error::new(ErrorKind::Refused, format!("abort run {id}: it is {state}")));
        }
        let until = self.ports().clock.now() + PATIENCE;
        control::abort(&self.app, seen, message.to_owned(), until).await?;
        self.state(id).await
    }

    /// Pauses a run: an attempt that executes ends, nothing new starts, and waits, children and tokens go on. What becomes
    /// due is held until the run is [resumed](Self::resume), for as long as it takes. One that is paused stays so.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, `Refused` if it has ended.
    pub async fn pause(&self, id: Id) -> Result<RunView, Error> {
        let seen = self.stored(id).await?.record;
        let Committed { record, .. } = self.change(seen, Input::PauseRequested).await?;
        if record.phase.is_final() {
            let state = record.state_at(self.ports().clock.now());
            return Err(Error::new(ErrorKind::Refused, format!("pause run {id}: it is {state}")));
        }
        self.state(id).await
    }

    /// Resumes a run that is paused: it goes on where it stands, at once where it is due. One whose attempts were used up
    /// goes on with attempt 1.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, `Refused` if it is not paused.
    pub async fn resume(&self, id: Id) -> Result<RunView, Error> {
        let seen = self.stored(id).await?.record;
        let Committed { record, changed, .. } = self.change(seen, Input::ResumeRequested).await?;
        if !changed {
            let state = record.state_at(self.ports().clock.now());
            return Err(Error::new(ErrorKind::Refused, format!("resume run {id}: it is {state}, and not paused")));
        }
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

    /// Commits an input from outside.
    async fn change(&self, seen: RunRecord, input: Input) -> Result<Committed<RunRecord>, Error> {
        let (id, until) = (seen.id, self.ports().clock.now() + PATIENCE);
        let committed = control::change(&self.app, seen, &input, until).await?;
        committed.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("find run {id} again: its history is over")))
    }
}
