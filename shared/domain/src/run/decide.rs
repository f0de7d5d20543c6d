//! The one way of a run, from its creation on: a run and what happens to it give the run as it should be, and what
//! follows: how it is stored, and what brings it to its function.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use super::{
    Input, Invoker, Key, Logged, Phase, Policy, RunRecord, Steps, Task, WaitLoopCall, attempt, cascade, debounce, end,
    park, pause, reconcile, signal,
    table::{Cell, Transition as T, cell},
    wait_loop,
    wait_loop_call::wait_until,
};
use crate::{
    Decision, DecisionContext, Effect, Header, Id, IndexEntry, Json, Machine, Measured, Message, RecordKey, RunMessage,
    TraceParent, Trigger,
    limits::{self, TooLarge},
};

/// The parts of a new run.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// The id.
    pub id: Id,
    /// The task's name.
    pub name: String,
    /// The time at which it is due; now or earlier means at once.
    pub due_at: Timestamp,
    /// The trigger.
    pub trigger: Trigger,
    /// The run that starts it.
    pub parent_id: Option<Id>,
    /// Hops of the chain of runs and events that leads here.
    pub hops: u32,
    /// The trace that it belongs to.
    pub traceparent: Option<TraceParent>,
    /// The tags that it can be found by.
    pub tags: Vec<String>,
    /// The idempotency key, or that of its debounce.
    pub key: Option<Key>,
    /// The schedule that fired.
    pub schedule: Option<String>,
    /// The time after its due time for which it may start, in place of its task's `ttl`.
    pub ttl: Option<Duration>,
    /// The head start among those that wait for a permit, in seconds.
    pub priority_s: u32,
    /// The execution that calls it from its beginning: a direct start of the wait loop.
    pub execution: Option<String>,
}

impl NewRun {
    /// A run of a task that is due then, without tags, key, parent or schedule.
    #[must_use]
    pub fn at(id: Id, task: &str, due_at: Timestamp, trigger: Trigger) -> Self {
        Self {
            id,
            name: task.to_owned(),
            due_at,
            trigger,
            parent_id: None,
            hops: 0,
            traceparent: None,
            tags: vec![],
            key: None,
            schedule: None,
            ttl: None,
            priority_s: 0,
            execution: None,
        }
    }
}

impl RunRecord {
    /// A new run and what brings it to its function.
    #[must_use]
    pub fn create(new: NewRun, cx: &DecisionContext) -> Decision<Self> {
        let now = cx.now;
        let due_at = new.due_at.max(now);
        let invoker = match new.execution {
            Some(execution) => Invoker::WaitLoop { generation: 1, execution: Some(execution) },
            None => Invoker::default(),
        };
        let mut run = Self {
            id: new.id,
            name: new.name,
            version: cx.version(),
            phase: Phase::Queued,
            trigger: new.trigger,
            parent_id: new.parent_id,
            hops: new.hops,
            traceparent: new.traceparent,
            tags: new.tags,
            key: new.key,
            created_at: now,
            due_at,
            scheduled_at: (due_at > now || new.schedule.is_some()).then_some(new.due_at),
            iteration_at: None,
            schedule: new.schedule,
            started_at: None,
            start_by: None,
            iteration: 1,
            attempt: 1,
            revision: 0,
            invoker,
            cascade: None,
            permits: vec![],
            priority_s: new.priority_s,
            paused: None,
            resumed_count: 0,
            handler_ms: 0,
            logged: Logged::default(),
            steps: Steps::default(),
            progress: None,
            error: None,
            unpublished: BTreeSet::new(),
            reconcile_at: None,
            reconcile_count: 0,
            exhausted_count: 0,
            expires_at_s: None,
        };
        run.start_by = new.ttl.map(|ttl| crate::later(run.first_due(), ttl));
        run.reconcile_at = run.earliest_repair(now);
        let effects = if run.invoker.is_queue() { vec![run.deliver(now)] } else { vec![] };
        Decision::store(run, effects)
    }
}

impl RunRecord {
    /// Checks that a run with this body fits into a message, as every door that starts one does.
    ///
    /// # Errors
    /// If it doesn't: with both sizes.
    pub fn check_size(&self, body: &Json) -> Result<(), TooLarge> {
        limits::check_bytes("a run", self.bytes_with(body), limits::MESSAGE_BYTES)
    }
}

impl Machine for RunRecord {
    const KIND: &'static str = "run";
    type Input = Input;
    type Policy<'a> = Task<'a>;

    fn header(&self) -> Header {
        Header {
            key: Self::key_of(self.id),
            version: self.version,
            reconcile_at: self.reconcile_at,
            expires_at_s: self.expires_at_s,
        }
    }

    fn index(&self) -> Vec<IndexEntry> {
        self.places()
    }

    fn measured(&self, input: &Input, next: &Self) -> Option<Measured> {
        Some(self.measured(input, next))
    }

    fn reconciled_among(&self) -> &'static str {
        if self.phase.is_final() || self.is_put_off() { IndexEntry::OTHERS } else { IndexEntry::DUE_RUNS }
    }

    fn decide(&self, input: &Input, task: Task<'_>, cx: &DecisionContext) -> Decision<Self> {
        let removed = matches!(task, Task::Removed) && !input.name().needs_no_policy();
        let (input, permits) = match input {
            Input::Permitted(call, permits) => (&**call, &**permits),
            input => (input, &[][..]),
        };
        let input = if removed { &Input::TaskRemoved } else { input };
        let from = self.phase.name();
        let Cell::Does(transition) = cell(from, input.name()) else { return Decision::keep(self, vec![]) };
        let fallback = Policy::default(); // Of what needs none.
        let policy = if let Task::Known(policy) = task { policy } else { &fallback };
        let decide = |run: &Self| match run.with_steps_kept(cx.now) {
            Some(kept) => kept.apply(transition, input, policy, task, cx).with_steps_moved(),
            None => run.apply(transition, input, policy, task, cx),
        };
        let decision = park::with_permits(self, permits, decide);
        let to = decision.record.phase.name();
        debug_assert!(from == to || transition.leads_to(from).contains(&to), "{transition:?}: {from:?} → {to:?}");
        if let (true, Phase::Ended(end)) = (from != to, &decision.record.phase) {
            debug_assert!(transition.ends_as(from).contains(&end.state), "{transition:?}: {from:?} → {:?}", end.state);
        }
        if input.can_run_end_hooks() { decision } else { end::delegate_end_hooks(decision, cx) }
    }

    /// The lease is its own if it bears the token of the write; so is the last call that was taken over.
    fn bears(&self, decided: &Self) -> bool {
        let token = |run: &Self| run.lease().map(|lease| lease.token);
        let is_own_lease = token(decided) == Some(decided.version) && token(self) == token(decided);
        is_own_lease || self.has_taken_over(decided)
    }
}

impl RunRecord {
    fn apply(
        &self,
        transition: T,
        input: &Input,
        policy: &Policy,
        task: Task<'_>,
        cx: &DecisionContext,
    ) -> Decision<Self> {
        match (transition, input) {
            (T::TakeAttempt, Input::Delivered(purpose)) => attempt::delivered(self, *purpose, policy, cx),
            (T::AnswerCall, Input::WaitLoopCalled(call)) => wait_loop::called(self, call, policy, cx),
            (T::EndWait, Input::Delivered(purpose)) => attempt::timed_out(self, *purpose, policy, cx),
            (T::Wake, Input::Signalled(signal)) => signal::signalled(self, signal, cx),
            (T::Park, Input::Parked { holder, pool, is_held, permits }) => {
                park::park(self, *holder, (pool, *is_held), permits, policy, cx)
            }
            (T::RecordCrash, Input::Delivered(purpose)) => attempt::found_dead(self, *purpose, policy, cx),
            (T::RecordCrash, Input::WaitLoopCalled(call)) => wait_loop::found_dead(self, call, policy, cx),
            (T::RecordCrash, Input::WaitLoopCrashed(call, cause)) => wait_loop::crashed(self, call, cause, policy, cx),
            (T::EndAttempt, Input::AttemptEnded(end)) => attempt::ended(self, end, policy, cx),
            (T::StoreProgress, Input::Progressed(token, progress)) => attempt::progressed(self, *token, progress, cx),
            (T::MoveLease, Input::Extended(token, limit)) => attempt::extended(self, *token, *limit, policy, cx),
            (T::StoreUpdate, Input::Updated(token, update)) => attempt::updated(self, *token, update, cx),
            (T::SendAfresh, Input::Undelivered(purpose)) => attempt::sent_afresh(self, *purpose),
            (T::HandOver, Input::WaitLoopAnswered(call)) => wait_loop::answering(self, call, cx),
            (T::FollowExecution, Input::ExecutionEnded(generation, how)) => {
                wait_loop::execution_ended(self, *generation, how, policy, cx)
            }
            (T::Abort, Input::AbortRequested(message)) => cascade::abort(self, message.clone(), policy, cx),
            (T::EndCascade, _) => cascade::children_aborted(self, cx),
            (T::RequestAbort, Input::AbortRequested(message)) => cascade::request_abort(self, message, cx),
            (T::KeepLonger, Input::Needed(until)) => end::keep_longer(self, *until, cx),
            (T::Pause, Input::PauseRequested) => pause::pause(self, cx),
            (T::Resume, Input::ResumeRequested) => pause::resume(self, cx),
            (T::Reschedule, Input::Rescheduled(due_at)) => attempt::rescheduled(self, *due_at, cx),
            (T::Debounce, Input::Debounced { body, due_at }) => debounce::debounced(self, body, *due_at, policy, cx),
            (T::Reconcile, Input::Reconciled(facts)) => reconcile::reconciled(self, *facts, task, cx),
            (T::RunEndHooks, _) => end::run_hooks(self, policy, cx),
            (T::FinishEndHooks, Input::EndHooksDone { published }) => end::hooks_done(self, *published, cx),
            (T::DropEndHooks, _) => end::hooks_done(self, false, cx),
            (T::FailRemoved, _) => end::fail_removed(self, cx),
            _ => unreachable!("the table leads {input:?} to {transition:?}"),
        }
    }
}

impl RunRecord {
    /// The key of a run's record.
    #[must_use]
    pub fn key_of(id: Id) -> RecordKey {
        RecordKey::new(Self::KIND, id.to_string())
    }

    /// Stores a changed record. The conductor's time is moved forward where the change asks for it, never back.
    ///
    /// Invariant: *watched until settled*. Only the conductor, which clears it first, raises `reconcile_at`.
    pub(super) fn stored(mut self, cx: &DecisionContext, effects: Vec<Effect>) -> Decision<Self> {
        self.version = cx.version();
        let starts = effects.iter().any(|effect| matches!(effect, Effect::StartWaitLoop { .. }));
        let wanted = if starts && !self.is_paused() {
            Some(crate::later(cx.now, limits::LOOP_GRACE))
        } else {
            self.earliest_repair(cx.now)
        };
        self.reconcile_at = match (self.reconcile_at, wanted) {
            (_, None) => None,
            (None, wanted) => wanted,
            (Some(former), Some(wanted)) => Some(former.min(wanted)),
        };
        Decision::store(self, effects)
    }

    /// Stores a changed record and brings it to its function when it is due; a wait loop is answered with the time. What is
    /// paused is held.
    ///
    /// The message carries the record as it is stored, so that its receiver need not read.
    pub(super) fn stored_and_delivered(self, cx: &DecisionContext) -> Decision<Self> {
        if self.is_paused() {
            return pause::held(self, cx);
        }
        let mut decision = self.stored(cx, vec![]);
        if decision.record.invoker.is_queue() {
            decision.effects.push(decision.record.deliver(cx.now));
        }
        decision
    }

    /// The message that calls for what is due.
    #[must_use]
    pub fn message(&self) -> Message {
        Message::Run(RunMessage::about(self))
    }

    /// Brings the run to its function when it is due.
    pub(super) fn deliver(&self, now: Timestamp) -> Effect {
        let message = |whole| if whole { self.message() } else { Message::Run(RunMessage::ids(self)) };
        Effect::deliver_at(self.due_at, now, &self.function(), || self.timer(), message)
    }

    /// Sends its message at once.
    #[must_use]
    pub fn send(&self) -> Effect {
        Effect::send(&self.function(), &self.message())
    }

    /// Starts the execution of the record's generation.
    pub(super) fn start_wait_loop(&self, now: Timestamp) -> Effect {
        let call = WaitLoopCall::first(self, now);
        let until = wait_until(self.due_at, now);
        Effect::StartWaitLoop { execution: self.execution_name(), call, until }
    }

    /// The run with its wait loop's next generation: calls of the former are answered "stop" or handed over.
    pub(super) fn next_generation(&self) -> Self {
        let generation = self.invoker.generation().saturating_add(1);
        Self { invoker: Invoker::WaitLoop { generation, execution: None }, ..self.clone() }
    }

    /// Lets an execution of another generation carry on.
    pub(super) fn renewed(&self, cx: &DecisionContext) -> Decision<Self> {
        let run = Self { reconcile_count: 0, ..self.next_generation() };
        let start = run.start_wait_loop(cx.now);
        run.stored(cx, vec![start])
    }
}
