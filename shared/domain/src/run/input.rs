//! The inputs of a run, and the questions that one of them answers.

use std::time::Duration;

use jiff::Timestamp;

use super::{ExecutionEnd, Policy, Progress, Purpose, WaitLoopCall};
use crate::{AttemptOutcome, Version};

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
    /// The attempt that holds the lease has ended.
    AttemptEnded {
        /// The lease's token.
        token: Version,
        /// The outcome.
        outcome: AttemptOutcome,
        /// Time spent in the handler.
        spent: Duration,
    },
    /// The attempt that holds the lease says how far it is.
    Progressed(Version, Progress),
    /// The attempt that holds the lease asks for another limit, counted from its start.
    Extended(Version, Duration),
    /// A client asks to end it, with a message.
    AbortRequested(String),
    /// A client moves it to another time.
    Rescheduled(Timestamp),
    /// The conductor reconciles it with what it found out.
    Reconciled(Facts),
    /// The hooks of its end have run.
    EndHooksDone,
    /// No function has its task any more: takes the place of another input.
    TaskRemoved,
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
    AttemptEnded,
    Progressed,
    Extended,
    AbortRequested,
    Rescheduled,
    Reconciled,
    EndHooksDone,
    TaskRemoved,
}

impl InputName {
    /// All inputs.
    pub const ALL: [Self; 14] = [
        Self::Delivered,
        Self::Undelivered,
        Self::WaitLoopCalled,
        Self::WaitLoopAnswered,
        Self::WaitLoopCrashed,
        Self::ExecutionEnded,
        Self::AttemptEnded,
        Self::Progressed,
        Self::Extended,
        Self::AbortRequested,
        Self::Rescheduled,
        Self::Reconciled,
        Self::EndHooksDone,
        Self::TaskRemoved,
    ];

    /// Is true of what can be decided without the task's policy.
    pub(super) const fn needs_no_policy(self) -> bool {
        matches!(
            self,
            Self::Progressed | Self::WaitLoopAnswered | Self::Reconciled | Self::EndHooksDone | Self::TaskRemoved
        )
    }

    /// Is true of what is decided in the task's own function, which has the code of the hooks.
    pub(super) const fn is_in_function(self) -> bool {
        matches!(self, Self::Delivered | Self::WaitLoopCalled | Self::AttemptEnded)
    }
}

impl Input {
    /// The input's column in the table.
    #[must_use]
    pub const fn name(&self) -> InputName {
        match self {
            Self::Delivered(_) => InputName::Delivered,
            Self::Undelivered(_) => InputName::Undelivered,
            Self::WaitLoopCalled(_) => InputName::WaitLoopCalled,
            Self::WaitLoopAnswered(_) => InputName::WaitLoopAnswered,
            Self::WaitLoopCrashed(..) => InputName::WaitLoopCrashed,
            Self::ExecutionEnded(..) => InputName::ExecutionEnded,
            Self::AttemptEnded { .. } => InputName::AttemptEnded,
            Self::Progressed(..) => InputName::Progressed,
            Self::Extended(..) => InputName::Extended,
            Self::AbortRequested(_) => InputName::AbortRequested,
            Self::Rescheduled(_) => InputName::Rescheduled,
            Self::Reconciled(_) => InputName::Reconciled,
            Self::EndHooksDone => InputName::EndHooksDone,
            Self::TaskRemoved => InputName::TaskRemoved,
        }
    }
}

/// The task of a run as it is now.
#[derive(Clone, Copy, Debug)]
pub enum Task<'a> {
    /// A function has it, with this policy.
    Known(&'a Policy),
    /// No function has it any more.
    Removed,
}

impl<'a> From<Option<&'a Policy>> for Task<'a> {
    fn from(policy: Option<&'a Policy>) -> Self {
        policy.map_or(Self::Removed, Self::Known)
    }
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
