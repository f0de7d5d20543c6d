//! The inputs of a run, the questions that one of them answers, and the policy of its task.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ExecutionEnd, Logged, Progress, Purpose, Signal, WaitLoopCall};
use crate::{
    AttemptOutcome, Holder, Json, LifecycleEvent, Limits, Payloads, PoolId, Retry, Version, json::is_one, limits,
};

/// An input of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The message arrives at its function.
    Delivered(Purpose),
    /// The message was received again and again and never taken, as when the function can't start.
    Undelivered(Purpose),
    /// The wait loop calls.
    WaitLoopCalled(WaitLoopCall),
    /// The wait loop is about to be answered.
    WaitLoopAnswered(WaitLoopCall),
    /// The wait loop reports that a call of the function ended in no answer, and why.
    WaitLoopCrashed(WaitLoopCall, String),
    /// The wait loop's execution of a generation ended without its run.
    ExecutionEnded(u32, ExecutionEnd),
    /// One of these two, whose attempt has the permits of these pools.
    Permitted(Box<Input>, Vec<PoolId>),
    /// The attempt that is due has found no permit in a pool, and has its ticket there.
    Parked {
        /// The attempt.
        holder: Holder,
        /// The pool.
        pool: PoolId,
        /// Is true where the pool's queue is paused.
        is_held: bool,
        /// The pools whose permits it has.
        permits: Vec<PoolId>,
    },
    /// The attempt that holds the lease has ended.
    AttemptEnded(AttemptEnd),
    /// The attempt that holds the lease says how far it is.
    Progressed(Version, Progress),
    /// The attempt that holds the lease asks for another limit, counted from its start.
    Extended(Version, Duration),
    /// The signal that it may wait for has come.
    Signalled(Signal),
    /// One that waits for it needs its record until then at least.
    Needed(Timestamp),
    /// The attempt that holds the lease updates the run's own stored data.
    Updated(Version, Update),
    /// A client asks to end it, with a message.
    AbortRequested(String),
    /// An abort has reached its children.
    ChildrenAborted,
    /// A client pauses it.
    PauseRequested,
    /// A client resumes it.
    ResumeRequested,
    /// A client moves it to another time.
    Rescheduled(Timestamp),
    /// A later call came under the key of its debounce.
    Debounced {
        /// The call's body.
        body: Json,
        /// The end of the call's delay.
        due_at: Timestamp,
    },
    /// The conductor reconciles it with what it found out.
    Reconciled(Facts),
    /// The hooks of its end have run, if there are any.
    EndHooksDone {
        /// Is true where the lifecycle events that it owed are published.
        published: bool,
    },
    /// No function has its task any more: takes the place of another input.
    TaskRemoved,
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptEnd {
    /// The lease's token.
    pub token: Version,
    /// The outcome.
    pub outcome: AttemptOutcome,
    /// Time spent in the handler.
    pub spent: Duration,
    /// The progress that was told last, where it is not stored yet.
    pub progress: Option<Progress>,
    /// The log entries of the iteration and the run, those of this attempt included; none where it kept none.
    pub logged: Option<Logged>,
    /// Is true where the lifecycle events that the run owed are published.
    pub published: bool,
    /// Is true where the process has the time for the hooks of the end.
    pub has_time: bool,
    /// The steps that this attempt has stored.
    pub steps: u32,
    /// The tokens that this attempt has made.
    pub tokens: u32,
}

/// An update of a run's own stored data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// The tags, where they change.
    pub tags: Option<Vec<String>>,
    /// The payloads that are replaced.
    pub payloads: Payloads,
}

/// An input without what it holds: a column of the [table](super::table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named as its input")]
pub enum InputName {
    Delivered,
    Undelivered,
    WaitLoopCalled,
    WaitLoopAnswered,
    WaitLoopCrashed,
    ExecutionEnded,
    Parked,
    AttemptEnded,
    Progressed,
    Extended,
    Signalled,
    Needed,
    Updated,
    AbortRequested,
    ChildrenAborted,
    PauseRequested,
    ResumeRequested,
    Rescheduled,
    Debounced,
    Reconciled,
    EndHooksDone,
    TaskRemoved,
}

/// The task of a run as it is now.
#[derive(Clone, Copy, Debug)]
pub enum Task<'a> {
    /// A function has it, with this policy.
    Known(&'a Policy),
    /// No function has it any more.
    Removed,
}

/// A question that the conductor must answer before it can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the record says it all.
    Nothing,
    /// The question whether the function's queue shows anything visible.
    Backlog,
    /// The question whether the execution of the record's generation is running.
    Execution,
    /// The question whether the signal that it waits for has come, which is an input of its own.
    Signal,
}

/// A finding of the conductor about an overdue run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facts {
    /// The record was enough.
    Nothing,
    /// Is true where the function's queue has a backlog.
    Backlog(bool),
    /// Is true where the execution is running.
    Executing(bool),
}

/// A task's options, as far as decisions about its runs need them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// Limit of one attempt.
    #[serde(rename = "timeoutMs", with = "crate::ms")]
    pub timeout: Duration,
    /// The longest limit that `set_timeout` may set.
    #[serde(rename = "maxTimeoutMs", with = "crate::ms")]
    pub max_timeout: Duration,
    /// Limit on the run's total handler time.
    #[serde(rename = "maxDurationMs", with = "crate::ms::or_none", skip_serializing_if = "Option::is_none")]
    pub max_duration: Option<Duration>,
    /// Calls of the handler for new iterations, at most; none is unlimited.
    pub max_iterations: Option<u32>,
    /// The retries of a failed attempt.
    pub retry: Retry,
    /// A run not started this long after it was due expires.
    #[serde(rename = "ttlMs", with = "crate::ms::or_none", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// The time for which a finished run is kept.
    #[serde(rename = "historyMs", with = "crate::ms")]
    pub history: Duration,
    /// The limits that its attempts share.
    #[serde(skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
    /// Messages that share one invocation, at most: attempts of several runs, side by side.
    #[serde(skip_serializing_if = "is_one")]
    pub batch: u32,
    /// Is true where a run whose attempts are used up is paused instead of failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pauses_when_exhausted: bool,
    /// Is true where hooks follow the end.
    pub has_end_hooks: bool,
    /// The lifecycle events that a function subscribes to, as the manifest finds them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub publishes: BTreeSet<LifecycleEvent>,
}

impl InputName {
    /// All inputs.
    pub const ALL: [Self; 22] = [
        Self::Delivered,
        Self::Undelivered,
        Self::WaitLoopCalled,
        Self::WaitLoopAnswered,
        Self::WaitLoopCrashed,
        Self::ExecutionEnded,
        Self::Parked,
        Self::AttemptEnded,
        Self::Progressed,
        Self::Extended,
        Self::Signalled,
        Self::Needed,
        Self::Updated,
        Self::AbortRequested,
        Self::ChildrenAborted,
        Self::PauseRequested,
        Self::ResumeRequested,
        Self::Rescheduled,
        Self::Debounced,
        Self::Reconciled,
        Self::EndHooksDone,
        Self::TaskRemoved,
    ];

    /// Is true of what can be decided without the task's policy.
    pub(super) const fn needs_no_policy(self) -> bool {
        matches!(
            self,
            Self::Progressed
                | Self::Updated
                | Self::WaitLoopAnswered
                | Self::Signalled
                | Self::Needed
                | Self::ChildrenAborted
                | Self::Reconciled
                | Self::EndHooksDone
                | Self::TaskRemoved
        )
    }

    /// Is true of what calls for the handler, or tells that a call of it went wrong.
    #[must_use]
    pub const fn calls(self) -> bool {
        matches!(self, Self::Delivered | Self::WaitLoopCalled | Self::WaitLoopCrashed)
    }
}

impl Input {
    /// Is true of what is decided in the task's own function, which has the code of the hooks, while it has time for them.
    pub(super) fn can_run_end_hooks(&self) -> bool {
        match self {
            Self::Delivered(_) | Self::WaitLoopCalled(_) => true,
            Self::Permitted(call, _) => call.can_run_end_hooks(),
            Self::AttemptEnded(end) => end.has_time,
            _ => false,
        }
    }

    /// The input's column in the table.
    #[must_use]
    pub fn name(&self) -> InputName {
        match self {
            Self::Permitted(call, _) => call.name(),
            Self::Parked { .. } => InputName::Parked,
            Self::Delivered(_) => InputName::Delivered,
            Self::Undelivered(_) => InputName::Undelivered,
            Self::WaitLoopCalled(_) => InputName::WaitLoopCalled,
            Self::WaitLoopAnswered(_) => InputName::WaitLoopAnswered,
            Self::WaitLoopCrashed(..) => InputName::WaitLoopCrashed,
            Self::ExecutionEnded(..) => InputName::ExecutionEnded,
            Self::AttemptEnded(_) => InputName::AttemptEnded,
            Self::Progressed(..) => InputName::Progressed,
            Self::Extended(..) => InputName::Extended,
            Self::Signalled(_) => InputName::Signalled,
            Self::Needed(_) => InputName::Needed,
            Self::Updated(..) => InputName::Updated,
            Self::AbortRequested(_) => InputName::AbortRequested,
            Self::ChildrenAborted => InputName::ChildrenAborted,
            Self::PauseRequested => InputName::PauseRequested,
            Self::ResumeRequested => InputName::ResumeRequested,
            Self::Rescheduled(_) => InputName::Rescheduled,
            Self::Debounced { .. } => InputName::Debounced,
            Self::Reconciled(_) => InputName::Reconciled,
            Self::EndHooksDone { .. } => InputName::EndHooksDone,
            Self::TaskRemoved => InputName::TaskRemoved,
        }
    }
}

impl<'a> From<Option<&'a Policy>> for Task<'a> {
    fn from(policy: Option<&'a Policy>) -> Self {
        policy.map_or(Self::Removed, Self::Known)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            max_timeout: limits::USUAL_MAX_TIMEOUT,
            max_duration: None,
            max_iterations: Some(500),
            retry: Retry::default(),
            ttl: None,
            history: limits::HISTORY,
            limits: Limits::default(),
            batch: 1,
            pauses_when_exhausted: false,
            has_end_hooks: false,
            publishes: BTreeSet::new(),
        }
    }
}

impl Policy {
    /// The policy of a task that no function has any more. Nothing says whether a function subscribes to the end of its
    /// runs; where none does, nothing is published.
    #[must_use]
    pub fn of_removed() -> Self {
        Self { publishes: [LifecycleEvent::Failed, LifecycleEvent::Aborted].into(), ..Self::default() }
    }
}

impl AttemptEnd {
    /// The end of an attempt that told no progress, kept no log entry, stored no step and made no token, in a process that
    /// has time for the hooks.
    #[must_use]
    pub fn new(token: Version, outcome: AttemptOutcome, spent: Duration) -> Self {
        let (published, has_time, steps, tokens) = (true, true, 0, 0);
        Self { token, outcome, spent, progress: None, logged: None, published, has_time, steps, tokens }
    }
}
