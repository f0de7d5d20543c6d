//! A run's message, its loop's call, and a direct start: one way through.

use std::sync::Arc;

use dacapo_domain::{
    Answer, Effect, Event, Json, LoopCall, NewRun, Outcome, Run, RunMessage, RunRecord, State, TaskEntry, Trigger,
    run::answer,
};
use jiff::Timestamp;

use super::{
    Attempt, InvokeError, Runner,
    apply::{Applied, apply, perform},
    gone,
};
use crate::{
    definition::ErasedTask,
    port::{Created, PortResult, Stored},
};

type Task = Arc<dyn ErasedTask>;

impl Runner {
    pub(super) async fn deliver_run(&self, task: &Task, message: RunMessage, deadline: Timestamp) -> PortResult<()> {
        let seen = match message.seen {
            Some(seen) => *seen,
            None => match self.ports.store.load(message.run).await? {
                Some(stored) => stored.run,
                None => return Ok(()), // The history has let it go.
            },
        };
        self.advance(task, &seen, Event::Delivered(message.purpose), deadline).await?;
        Ok(())
    }

    /// The loop calls: whatever is due is done, then the record says what comes next.
    pub(super) async fn called(&self, task: &Task, call: &LoopCall, deadline: Timestamp) -> PortResult<Answer> {
        let forgotten = Answer::Stop { id: call.run, state: State::Expired };
        let Some(stored) = self.ports.store.load(call.run).await? else {
            return Ok(forgotten);
        };
        let Some(run) = self.advance(task, &stored.run, Event::LoopCalled(call), deadline).await? else {
            return Ok(forgotten);
        };
        let policy = task.entry().policy;
        match apply(&self.ports, &run, Event::LoopAnswered(call), Some(&policy), deadline).await? {
            Some(applied) => Ok(answer(&applied.run, call, self.ports.clock.now())),
            None => Ok(forgotten),
        }
    }

    /// A direct invocation: the first attempt runs in place.
    pub(super) async fn run_direct(&self, task: &Task, body: Json, deadline: Timestamp) -> Result<Json, InvokeError> {
        let entry = task.entry();
        if entry.private {
            let text = format!("task {:?} is private: it can't be invoked directly", entry.name);
            return Err(InvokeError::Payload(text));
        }
        let clock = &self.ports.clock;
        let new = NewRun {
            id: clock.new_id(),
            name: entry.name,
            due_at: clock.now(),
            trigger: Trigger::Direct,
            parent_id: None,
            hops: 0,
            tags: vec![],
            key: None,
            schedule: None,
            ttl: entry.policy.ttl,
            execution: None,
        };
        let run = Run::create(new, &clock.moment()).run;
        self.start_in_place(task, &run, &body, deadline).await?;
        let stored = self.ports.store.load(run.id).await?.ok_or_else(|| gone("a direct run"))?;
        let record = RunRecord::new(&stored.run, stored.body, stored.input, stored.result, self.ports.clock.now());
        Ok(direct_answer(&record))
    }

    /// Stores a new run and takes its first attempt at once; one that exists already is left to its driver.
    pub(super) async fn start_in_place(
        &self,
        task: &Task,
        run: &Run,
        body: &Json,
        deadline: Timestamp,
    ) -> PortResult<()> {
        if self.ports.store.create(run, body, None).await? == Created::New {
            self.advance(task, run, Event::Delivered(run.purpose()), deadline).await?;
        }
        Ok(())
    }

    /// One event, its attempt if there is one, and the end's hooks. `None` means that the record is gone.
    async fn advance(&self, task: &Task, seen: &Run, event: Event<'_>, deadline: Timestamp) -> PortResult<Option<Run>> {
        let entry = task.entry();
        let Some(mut applied) = apply(&self.ports, seen, event, Some(&entry.policy), deadline).await? else {
            return Ok(None);
        };
        if applied.effects.contains(&Effect::Handle) {
            match self.attempt(task, applied, &entry, deadline).await? {
                Some(ended) => applied = ended,
                None => return Ok(None),
            }
        }
        perform(&self.ports, &applied.run, &applied.effects).await;
        if applied.effects.contains(&Effect::Settle) {
            self.settle(task, &applied.run, &entry, deadline).await?;
        }
        Ok(Some(applied.run))
    }

    /// Calls the handler under its limit and stores what came of it.
    async fn attempt(
        &self,
        task: &Task,
        taken: Applied,
        entry: &TaskEntry,
        deadline: Timestamp,
    ) -> PortResult<Option<Applied>> {
        let Some((body, input)) = self.payloads(taken.stored, &taken.run).await? else {
            return Ok(None);
        };
        let attempt = Arc::new(Attempt::new(&self.client, entry, taken.run, body, input.clone(), deadline));
        let call = {
            let (task, attempt) = (task.clone(), attempt.clone());
            async move { task.call(input, attempt).await }
        };
        let outcome = match self.guard.call(call, attempt.limit()).await {
            Ok(outcome) => outcome,
            Err(failed) => Outcome::Failed(failed),
        };
        let spent = attempt.limit().spent();
        let (token, mut run) = (attempt.token(), attempt.last_seen().await);
        if let Some(progress) = attempt.take_progress() {
            let event = Event::Progressed(token, progress);
            match apply(&self.ports, &run, event, Some(&entry.policy), deadline).await? {
                Some(applied) => run = applied.run,
                None => return Ok(None),
            }
        }
        apply(&self.ports, &run, Event::Ended { token, outcome, spent }, Some(&entry.policy), deadline).await
    }

    /// The body and this iteration's input: as a rule they came with the write that took the attempt.
    async fn payloads(&self, stored: Option<Box<Stored>>, run: &Run) -> PortResult<Option<(Json, Json)>> {
        let first = run.iteration == 1;
        let complete = stored.filter(|stored| stored.body.is_some() && (first || stored.input.is_some()));
        let stored = match complete {
            Some(stored) => *stored,
            None => match self.ports.store.load(run.id).await? {
                Some(stored) => stored,
                None => return Ok(None),
            },
        };
        let body = stored.body.unwrap_or_default();
        let input = if first { body.clone() } else { stored.input.unwrap_or_else(|| body.clone()) };
        Ok(Some((body, input)))
    }

    /// Runs the hooks of the end, then says so on the record. A crash in between runs them again.
    async fn settle(&self, task: &Task, run: &Run, entry: &TaskEntry, deadline: Timestamp) -> PortResult<()> {
        let Some(stored) = self.ports.store.load(run.id).await? else { return Ok(()) };
        let body = stored.body.unwrap_or_default();
        let input = stored.input.clone().unwrap_or_else(|| body.clone());
        let record =
            RunRecord::new(&stored.run, Some(body.clone()), stored.input, stored.result, self.ports.clock.now());
        let attempt = Attempt::new(&self.client, entry, stored.run.clone(), body, input, deadline);
        let attempt = Arc::new(attempt.at_the_end());
        let hooks = {
            let (task, attempt) = (task.clone(), attempt.clone());
            async move { task.end(attempt, record).await }
        };
        if let Err(failed) = self.guard.call(hooks, attempt.limit()).await {
            tracing::error!(run = %run.id, error = failed.failure.message, "a hook of the run's end failed");
        }
        apply(&self.ports, &stored.run, Event::Settled, Some(&entry.policy), deadline).await?;
        Ok(())
    }
}

fn direct_answer(record: &RunRecord) -> Json {
    let error =
        record.error_code.as_ref().map(|code| serde_json::json!({ "code": code, "message": record.error_message }));
    let answer = serde_json::json!({
        "id": record.id,
        "state": record.state,
        "result": record.result,
        "error": error,
    });
    Json::of(&answer).unwrap_or_default()
}
