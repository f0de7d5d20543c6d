use dacapo_domain::When;

use crate::TaskError;

/// The decision of a `handle_error` hook on a failed attempt.
#[derive(Clone, Debug)]
pub enum OnError {
    /// The decision of the error and of the task's policy.
    Default,
    /// No further attempt.
    Stop,
    /// Another attempt then, if the policy has one left.
    Retry(When),
    /// Another error in its place, which says itself whether it is tried again.
    Replace(TaskError),
}

impl OnError {
    /// Another attempt then, or after that time, if the policy has one left.
    pub fn retry_at(when: impl Into<When>) -> Self {
        Self::Retry(when.into())
    }

    /// The error that the attempt ends with.
    pub(crate) fn apply(self, error: TaskError) -> TaskError {
        match self {
            Self::Default => error,
            Self::Stop => TaskError::terminal(error),
            Self::Retry(when) => error.retry_at(when),
            Self::Replace(other) => other,
        }
    }
}
