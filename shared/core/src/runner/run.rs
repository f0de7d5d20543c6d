//! A run's message, its wait loop's call, and a direct start: one way through.

use std::{sync::Arc, time::Duration};

use dacapo_domain::{
    AttemptEnd, AttemptError, AttemptOutcome, Id, Input, Json, NewRun, Payload, Payloads, Policy, RunMessage,
    RunRecord, RunView, State, Task, TaskEntry, Trigger, WaitLoopAnswer, WaitLoopCall, Work, limits, run::answer, slot,
    until,
};
use jiff::Timestamp;
use serde::Serialize;
use tracing::Instrument;

use super::{EndedAttempt, InvokeError, Runner, Taken, take};
use crate::{
    attempt::{Log, TaskAttempt},
    commit::{Committed, Creation, Stored, commit_call, commit_run, create, load, retry_until},
    function::ErasedTask,
    lifecycle::{publish_owed, settle},
    port::{LogLevel, PortError, PortErrorKind, PortResult},
    signal::look_for_signal,
    span,
};

type Handler = Arc<dyn ErasedTask>;

impl Runner {
    pub(super) async fn deliver_run(&self, task: &Handler, message: RunMessage, deadline: Timestamp) -> PortResult<()> {
        let policy = self.entry(task).policy;
        if policy.limits.are_keyed() {
            let Some(stored) = self.load_run(message.run, deadline).await? else { return Ok(()) };
            self.advance(task, stored, Input::Delivered(message.purpose), deadline).await?;
        } else if let Some(taken) = take(self.ports(), &self.gate, message, &policy, deadline).await? {
            self.work_on(task, taken, deadline).await?;
        }
        Ok(())
    }

    /// Does what is to be done for a run whose message was taken.
    pub(super) async fn work_on(&self, task: &Handler, taken: Taken, deadline: Timestamp) -> PortResult<()> {
        let Taken { run, payloads, work } = taken;
        let (former, work) = (run.clone(), Some(work));
        let committed = Committed { record: run, former, payloads, work, released: None, changed: true };
        self.go_on(task, committed, deadline).await?;
        Ok(())
    }

    /// The answer to a wait loop's call, as JSON.
    pub(super) async fn answer(
        &self,
        task: &Handler,
        call: &WaitLoopCall,
        deadline: Timestamp,
    ) -> Result<Json, InvokeError> {
        let answer = self.called(task, call, deadline).await?;
        Json::of(&answer).map_err(|error| InvokeError::Payload(error.to_string()))
    }

    /// The wait loop calls: whatever is due is done, then the record says what comes next.
    async fn called(&self, task: &Handler, call: &WaitLoopCall, deadline: Timestamp) -> PortResult<WaitLoopAnswer> {
        let forgotten = WaitLoopAnswer::Stop { id: call.run, state: State::Expired };
        let Some(stored) = self.load_run(call.run, deadline).await? else { return Ok(forgotten) };
        let input = Input::WaitLoopCalled(call.clone());
        let Some(run) = self.advance(task, stored, input, deadline).await? else { return Ok(forgotten) };
        let (input, policy) = (Input::WaitLoopAnswered(call.clone()), self.entry(task).policy);
        let committed = commit_run(self.ports(), run, &input, Task::Known(&policy), deadline).await?;
        Ok(committed.map_or(forgotten, |committed| answer(&committed.record, call, self.ports().clock.now())))
    }

    /// A direct invocation: the first attempt runs in place.
    pub(super) async fn run_direct(
        &self,
        task: &Handler,
        body: Json,
        deadline: Timestamp,
    ) -> Result<Json, InvokeError> {
        let entry = self.entry(task);
        if entry.private {
            let (name, remedy) = (&entry.name, TaskEntry::PRIVATE_REMEDY);
            let text = format!("task {name:?} is private: it can't be invoked directly ({remedy})");
            return Err(InvokeError::Payload(text));
        }
        body.check().map_err(|error| InvokeError::Payload(format!("the body can't be used: {error}")))?;
        let clock = &self.ports().clock;
        let now = clock.now();
        let new =
            NewRun { traceparent: self.app.traced(), ..NewRun::at(clock.new_id(), &entry.name, now, Trigger::Direct) };
        let id = new.id;
        let fits = RunRecord::create(new.clone(), &clock.decision_context()).record.check_size(&body);
        fits.map_err(|error| InvokeError::Payload(format!("failed to {error}")))?;
        self.start_in_place(task, new, body, deadline).await?;
        let stored = self.load_run(id, deadline).await?.ok_or_else(|| {
            let message = "the record of a direct run has gone while it was in use";
            PortError::new(PortErrorKind::Refused, message)
        })?;
        let run = RunView::new(&stored.record, stored.payloads, clock.now());
        direct_answer(&run).map_err(|error| InvokeError::Payload(error.to_string()))
    }

    /// Stores a new run and takes its first attempt at once; one that exists already is left to what calls it.
    pub(super) async fn start_in_place(
        &self,
        task: &Handler,
        new: NewRun,
        body: Json,
        deadline: Timestamp,
    ) -> PortResult<()> {
        let mut decision = RunRecord::create(new, &self.ports().clock.decision_context()).with(slot::BODY, body);
        decision.effects.clear(); // No message: the attempt is taken here, and the conductor is the net.
        if let Creation::New = create(self.ports(), &decision, deadline).await? {
            let run = Stored { record: decision.record, payloads: decision.payloads };
            let purpose = run.record.purpose();
            self.advance(task, run, Input::Delivered(purpose), deadline).await?;
        }
        Ok(())
    }

    /// One call, its attempt if there is one, and the hooks of the end. `None` means that the record is gone.
    async fn advance(
        &self,
        task: &Handler,
        seen: Stored<RunRecord>,
        call: Input,
        deadline: Timestamp,
    ) -> PortResult<Option<RunRecord>> {
        let policy = self.entry(task).policy;
        let key = match seen.payloads.get(slot::BODY) {
            Payload::Here(body) if policy.limits.are_keyed() => task.limit_key(body),
            _ => None,
        };
        match commit_call(self.ports(), &self.gate, seen.record, call, &policy, key.as_deref(), deadline).await? {
            Some(committed) => self.go_on(task, committed, deadline).await,
            None => Ok(None),
        }
    }

    /// The attempt that was taken, if there is one, and the hooks of the end.
    async fn go_on(
        &self,
        task: &Handler,
        mut committed: Committed<RunRecord>,
        deadline: Timestamp,
    ) -> PortResult<Option<RunRecord>> {
        let entry = self.entry(task);
        if committed.work == Some(Work::CallHandler) {
            let ended = self.call_handler(task, committed.record, committed.payloads, deadline).await?;
            let Some(ended) = ended else { return Ok(None) };
            let Some(ended) = ended.commit(self.ports(), deadline).await? else { return Ok(None) };
            committed = ended;
        }
        if committed.work == Some(Work::LookForSignal) {
            // The attempt is stored: its message is acknowledged whatever comes of this.
            if let Err(error) = look_for_signal(self.ports(), &committed.record, false, deadline).await {
                tracing::warn!(run = %committed.record.id, %error, "what a run waits for is left to the conductor");
            }
        }
        match committed.work {
            Some(Work::RunEndHooks) => {
                let span = span::of_run(&committed.record);
                self.run_end_hooks(task, &committed.record, &entry, deadline).instrument(span).await?;
            }
            Some(Work::PublishLifecycle) => settle(&self.app, &committed.record, deadline).await?,
            _ => {}
        }
        Ok(Some(committed.record))
    }

    /// Calls the handler under its limit and says what came of it. `None` means that the record is gone.
    pub(super) async fn call_handler(
        &self,
        task: &Handler,
        run: RunRecord,
        payloads: Payloads,
        deadline: Timestamp,
    ) -> PortResult<Option<EndedAttempt>> {
        let span = span::of_run(&run);
        self.attempt(task, run, payloads, deadline).instrument(span).await
    }

    async fn attempt(
        &self,
        task: &Handler,
        run: RunRecord,
        payloads: Payloads,
        deadline: Timestamp,
    ) -> PortResult<Option<EndedAttempt>> {
        let entry = &self.entry(task);
        if let Some(message) = self.abort_of_parent(&run, deadline).await? {
            return self.end_aborted(run, message, entry, deadline).await;
        }
        let Some(payloads) = self.payloads(payloads, &run, deadline).await? else { return Ok(None) };
        let attempt = Arc::new(TaskAttempt::new(&self.app, entry, run, payloads, deadline));
        let published = attempt.publish_owed().await;
        let call = {
            let (task, attempt, input) = (task.clone(), attempt.clone(), attempt.input().clone());
            async move { task.call(input, attempt).await }
        };
        let outcome = self.guard.call("handler", call, attempt.limit()).await;
        let spent = attempt.limit().spent();
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                let error = attempt.run().overrun(spent, &entry.policy).unwrap_or(error);
                AttemptOutcome::Failed(self.handle_failure(task, error, &attempt, deadline).await)
            }
        };
        let (run, end) = attempt.ended(outcome, spent).await;
        let has_time = self.has_time(&entry.policy, deadline);
        let end = AttemptEnd { published, has_time, ..end };
        Ok(Some(EndedAttempt { run, end, policy: entry.policy.clone() }))
    }

    /// Is true where this process can run the hooks of an end as well as a fresh one could.
    fn has_time(&self, policy: &Policy, deadline: Timestamp) -> bool {
        let fresh = policy.max_timeout / 2;
        !self.guard.is_blocked() && self.left(deadline) >= policy.end_hooks_limit().min(fresh)
    }

    /// The time that is left of this invocation, but for what the outcome takes to be stored.
    fn left(&self, deadline: Timestamp) -> Duration {
        until(self.ports().clock.now(), deadline).saturating_sub(limits::OUTCOME_MARGIN)
    }

    /// Lets the task's hooks decide what becomes of an attempt that gave no answer, within the margin of its lease, and
    /// early enough for the outcome to be stored.
    async fn handle_failure(
        &self,
        task: &Handler,
        mut error: AttemptError,
        attempt: &Arc<TaskAttempt>,
        deadline: Timestamp,
    ) -> AttemptError {
        attempt.limit().fix(limits::AFTER_FAILURE.min(self.left(deadline)));
        let call = {
            let (task, attempt, error) = (task.clone(), attempt.clone(), error.clone());
            async move { task.handle_failure(error, attempt).await }
        };
        match self.guard.call("hook `handle_error` or `cleanup`", call, attempt.limit()).await {
            Ok(error) => error,
            Err(failed) => {
                let cause = failed.error.message;
                error.error.add_line(format!("then {cause}"));
                log_failure("the hooks after a failed attempt were stopped", cause, attempt).await;
                error
            }
        }
    }

    /// The body and this iteration's input: as a rule they came with the write that took the attempt.
    async fn payloads(
        &self,
        mut payloads: Payloads,
        run: &RunRecord,
        deadline: Timestamp,
    ) -> PortResult<Option<Payloads>> {
        let is_here = |slot| matches!(payloads.get(slot), Payload::Here(_));
        // The first iteration has an input of its own only where a handler has updated it.
        let has_input = run.iteration > 1 || payloads.get(slot::INPUT) != Payload::Absent;
        if !is_here(slot::BODY) || (has_input && !is_here(slot::INPUT)) {
            let Some(stored) = self.load_run(run.id, deadline).await? else { return Ok(None) };
            payloads = stored.payloads;
        }
        Ok(Some(payloads))
    }

    /// Publishes what the run owes and runs the hooks of its end, then says so on the record. A crash in between has them
    /// run again.
    async fn run_end_hooks(
        &self,
        task: &Handler,
        run: &RunRecord,
        entry: &TaskEntry,
        deadline: Timestamp,
    ) -> PortResult<()> {
        let Some(Stored { record, payloads }) = self.load_run(run.id, deadline).await? else { return Ok(()) };
        let view = RunView::new(&record, payloads.clone(), self.ports().clock.now());
        let published = publish_owed(&self.app, &record, &view).await;
        let mut log = Log::of_ended(&record);
        let hooks = task.end_hooks(&view);
        let mut following = u32::try_from(hooks.len()).unwrap_or(u32::MAX);
        for (hook, place) in hooks.into_iter().zip(1..) {
            let attempt = TaskAttempt::new(&self.app, entry, record.clone(), payloads.clone(), deadline);
            // Those that follow have their share of what is left.
            let share = self.left(deadline) / following;
            following -= 1;
            let attempt = Arc::new(attempt.of_end_hook(place, log, entry.policy.end_hook_limit().min(share)));
            if attempt.limit().remaining().is_zero() {
                return Ok(()); // It comes too late: the conductor lets another process run them.
            }
            let call = {
                let (task, attempt, view) = (task.clone(), attempt.clone(), view.clone());
                async move { task.run_end_hook(hook, attempt, view).await }
            };
            // Each stands alone: one that panics, or takes too long, takes no other with it.
            let name = hook.to_string();
            if let Err(failed) = self.guard.call(&name, call, attempt.limit()).await {
                log_failure(&format!("the {name} failed"), failed.error.message, &attempt).await;
            }
            log = attempt.log_after().await;
        }
        let policy = Task::Known(&entry.policy);
        commit_run(self.ports(), record, &Input::EndHooksDone { published }, policy, deadline).await?;
        Ok(())
    }

    /// Tries until the deadline: a read that fails under a lease would leave an attempt that was never made.
    async fn load_run(&self, id: Id, deadline: Timestamp) -> PortResult<Option<Stored<RunRecord>>> {
        let key = RunRecord::key_of(id);
        retry_until(self.ports(), deadline, || load(self.ports(), &key)).await
    }
}

/// Keeps the failure of a hook with its run, and in the process's own log.
async fn log_failure(message: &str, cause: String, attempt: &TaskAttempt) {
    let run = attempt.run().id;
    tracing::error!(%run, error = cause, message);
    if let Err(error) = attempt.log(LogLevel::Error, message.to_owned(), None, Some(cause)).await {
        tracing::error!(%run, %error, "the failure of a hook could not be logged with its run");
    }
}

/// The answer to a direct invocation.
#[derive(Serialize)]
struct DirectAnswer<'a> {
    id: Id,
    state: State,
    result: Option<&'a Json>,
    error: Option<DirectError<'a>>,
}

#[derive(Serialize)]
struct DirectError<'a> {
    code: &'a str,
    message: Option<&'a str>,
}

fn direct_answer(run: &RunView) -> Result<Json, serde_json::Error> {
    let error = run.error_code.as_deref().map(|code| DirectError { code, message: run.error_message.as_deref() });
    Json::of(&DirectAnswer { id: run.id, state: run.state, result: run.result.as_ref(), error })
}
