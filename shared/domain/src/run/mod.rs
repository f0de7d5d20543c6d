//! A run: its record, and every decision about it.
//!
//! [`table`] says what each input does in each phase; [`RunRecord`] is a [`Machine`](crate::Machine), and decides by
//! it. The record's body, inputs, result and logs are apart.

mod attempt;
mod bounds;
mod cascade;
mod debounce;
mod decide;
mod end;
mod input;
mod logged;
mod measured;
mod park;
mod pause;
mod phase;
mod places;
mod reconcile;
mod signal;
mod steps;
pub mod table;
mod view;
mod wait_loop;
mod wait_loop_call;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use cascade::Cascade;
pub use decide::NewRun;
pub use input::{AttemptEnd, Facts, Input, InputName, Need, Policy, Task, Update};
pub use logged::{LogRoom, Logged};
pub use pause::Pause;
pub use phase::{End, FinalState, Lease, Phase, PhaseName, Signal, State, StateError};
pub use steps::Steps;
pub use view::{RunView, WaitsFor};
pub use wait_loop_call::{ExecutionEnd, RetriedCall, Throttled, WaitLoopAnswer, WaitLoopCall, answer};

use crate::{
    BULK, CONDUCTOR, Debounce, Id, Json, LifecycleEvent, PoolId, RecordedError, TraceParent, Version,
    json::{is_one, is_zero, one},
    limits,
    text::cut,
};

/// The record of a run. Its body, inputs, result and logs are stored beside it, not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// The execution id.
    pub id: Id,
    /// The task's name.
    pub name: String,
    /// The name of the last write.
    pub version: Version,
    /// The phase, with all that means something there alone.
    pub phase: Phase,
    /// The trigger.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub trigger: Trigger,
    /// The run that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Id>,
    /// Hops of the chain of runs and events that leads here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hops: u32,
    /// The trace that it belongs to, and the place in it that started it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "TraceParent::read")]
    pub traceparent: Option<TraceParent>,
    /// The tags that it can be found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The idempotency key, or that of its debounce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// The schedule that fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The time at which the record was made.
    #[serde(with = "crate::stamp")]
    pub created_at: Timestamp,
    /// The time at which the next attempt or iteration is due. No handler starts before.
    #[serde(with = "crate::stamp")]
    pub due_at: Timestamp,
    /// The time asked for, where it was later than the creation; of a schedule's run the time it fired for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<Timestamp>,
    /// The time at which the current iteration was first due, where it is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration_at: Option<Timestamp>,
    /// The time at which the first attempt started.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::stamp::option")]
    pub started_at: Option<Timestamp>,
    /// The time by which it must have started, where its start said so: else it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_by: Option<Timestamp>,
    /// The iteration that runs or comes next, from 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub iteration: u32,
    /// The attempt at it, from 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub attempt: u32,
    /// Counts changes of body or due time before the start; older messages are dropped.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revision: u32,
    /// The caller of the handler.
    #[serde(default, skip_serializing_if = "Invoker::is_first")]
    pub invoker: Invoker,
    /// The abort that is to reach its children, where one was asked for since it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cascade: Option<Cascade>,
    /// The pools whose permits its attempt holds, in the order in which they were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permits: Vec<PoolId>,
    /// The head start among those that wait for a permit, in seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority_s: u32,
    /// The pause, where it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// The number of times that its attempts were used up and it was resumed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resumed_count: u32,
    /// Time spent in handlers so far, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handler_ms: u64,
    /// The log entries so far, as far as they are counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub logged: Logged,
    /// The steps and tokens that stand beside it, as far as they are counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps: Steps,
    /// The last progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The error of the last attempt, or of the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
    /// The lifecycle events that are still to be published, where a function subscribes to them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unpublished: BTreeSet<LifecycleEvent>,
    /// The time at which the conductor reconciles it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_at: Option<Timestamp>,
    /// The number of times in a row that the conductor found nothing to repair.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reconcile_count: u32,
    /// The number of executions of its wait loop in a row that ended exhausted, since an attempt was taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exhausted_count: u32,
    /// The time from which the record may be deleted, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_s: Option<i64>,
}

/// The idempotency key that a run was started with, or the key of its debounce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key, 1 to 256 characters, per task.
    pub text: String,
    /// The time until which it is held at least.
    pub until: Timestamp,
    /// The debounce, where it is the key of one: such keys are apart from the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debounce: Option<Debounce>,
}

/// The caller of a run's handler: exactly one thing at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Invoker {
    /// Messages in its function's queue.
    Queue {
        /// The generation of the last wait loop that called it, 0 where none did: the next one has another.
        generation: u32,
    },
    /// The wait loop's execution of a generation.
    WaitLoop {
        /// Counts executions from 1; calls of others are answered "stop".
        generation: u32,
        /// The execution's name, where it is not made of run and generation: a direct start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        execution: Option<String>,
    },
}

/// The progress of a run, as its handler tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The handler's words.
    pub message: String,
    /// 0 to 1.
    pub fraction: f64,
}

/// The purpose of a message. One that doesn't match the record is acknowledged and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// The iteration it calls for.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
    /// The wait loop's generation that was current.
    pub generation: u32,
    /// The revision of body and due time.
    pub revision: u32,
}

/// The trigger of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A client.
    #[default]
    Run,
    /// A schedule.
    Schedule,
    /// An event handler.
    Event,
    /// Another task.
    Child,
    /// A replay of an earlier run.
    Replay,
    /// A direct invocation of the Lambda, or a direct start of the wait loop.
    Direct,
}

impl Progress {
    /// The progress with its message cut to what is kept.
    pub(super) fn bounded(&self) -> Self {
        Self { message: cut(self.message.clone(), limits::TEXT_BYTES), ..*self }
    }
}

impl Invoker {
    /// Is true where the queue calls it.
    #[must_use]
    pub fn is_queue(&self) -> bool {
        matches!(self, Self::Queue { .. })
    }

    fn is_first(&self) -> bool {
        *self == Self::default()
    }

    /// The wait loop's generation; 0 before the first.
    #[must_use]
    pub fn generation(&self) -> u32 {
        match self {
            Self::Queue { generation } | Self::WaitLoop { generation, .. } => *generation,
        }
    }
}

impl Default for Invoker {
    fn default() -> Self {
        Self::Queue { generation: 0 }
    }
}

impl RunRecord {
    /// The function that holds the task.
    #[must_use]
    pub fn function(&self) -> String {
        if self.name == BULK { CONDUCTOR.to_owned() } else { crate::slug(&self.name) }
    }

    /// The purpose of a message about the record as it is now.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        Purpose {
            iteration: self.iteration,
            attempt: self.attempt,
            generation: self.invoker.generation(),
            revision: self.revision,
        }
    }

    /// The bytes of its whole message: what it says of itself, and this body.
    #[must_use]
    pub fn bytes_with(&self, body: &Json) -> usize {
        serde_json::to_string(self).map_or(0, |text| text.len()) + body.bytes()
    }

    /// The name of its one-time schedule.
    fn timer(&self) -> String {
        format!("run-{}", self.id)
    }

    /// The lease of the attempt that executes, or of the hooks of the end.
    #[must_use]
    pub fn lease(&self) -> Option<&Lease> {
        match &self.phase {
            Phase::Running { lease, .. } => Some(lease),
            Phase::Ended(end) => end.hooks_lease.as_ref(),
            Phase::Queued | Phase::Parked { .. } | Phase::Waiting | Phase::Awaiting { .. } => None,
        }
    }

    /// Is true while a lease is held whose owner may still be alive.
    #[must_use]
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.lease().is_some_and(|lease| lease.is_live(now))
    }

    /// The message of an abort that an executing attempt is told of.
    #[must_use]
    pub fn abort(&self) -> Option<&str> {
        match &self.phase {
            Phase::Running { abort, .. } => abort.as_deref(),
            _ => None,
        }
    }

    /// Is true where a one-time schedule, not a message, brings it to its function.
    fn is_on_timer(&self, now: Timestamp) -> bool {
        self.invoker.is_queue() && crate::until(now, self.due_at) > limits::MAX_QUEUE_DELAY
    }

    /// The name of the execution that calls the run in its current generation.
    #[must_use]
    pub fn execution_name(&self) -> String {
        match &self.invoker {
            Invoker::WaitLoop { execution: Some(name), .. } => name.clone(),
            invoker => format!("{}-{}", self.id, invoker.generation()),
        }
    }

    /// The state as it is told: becoming due writes nothing, so a run is `scheduled` until its first time has come.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> State {
        match &self.phase {
            Phase::Queued | Phase::Parked { .. } | Phase::Waiting | Phase::Awaiting { .. } if self.is_paused() => {
                State::Paused
            }
            // Of one that never started, the time after a crash is no time that was asked for.
            Phase::Queued if self.started_at.is_none() && self.scheduled_at.is_some_and(|at| at > now) => {
                State::Scheduled
            }
            Phase::Parked { is_held: true, .. } if self.started_at.is_none() => State::Created,
            Phase::Queued | Phase::Parked { .. } => State::Submitted,
            Phase::Running { .. } => State::Running,
            Phase::Waiting | Phase::Awaiting { .. } => State::Waiting,
            Phase::Ended(end) => end.state.into(),
        }
    }

    /// The time at which the run first became due, if it has.
    #[must_use]
    pub fn submitted_at(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.first_due();
        (due <= now).then_some(due)
    }
}
