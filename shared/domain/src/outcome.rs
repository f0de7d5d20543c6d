//! The outcome of an attempt.

use std::time::Duration;

use jiff::Timestamp;

use crate::{Json, RecordedError, code, limits};

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptOutcome {
    /// The handler returned a value.
    Done {
        /// The value's JSON, or why it can't be serialized.
        result: Result<Json, String>,
        /// The handler's word on it.
        message: Option<String>,
    },
    /// The handler wants to be called again.
    Continue {
        /// With exactly this input.
        input: Json,
        /// After this wait.
        wait: Wait,
    },
    /// The handler ended the run without an error.
    Aborted,
    /// The attempt failed.
    Failed(AttemptError),
}

/// The wait between two iterations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A span: 0, or 1 s to 355 days.
    After(Duration),
    /// A time to wait for: not at all where it has passed, at most 355 days.
    At(Timestamp),
}

/// The error of an attempt, and what it says of the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptError {
    /// The error as it is recorded.
    pub error: RecordedError,
    /// The word on the next try.
    pub retry: RetryHint,
}

/// The word of an error on the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryHint {
    /// By the task's policy.
    ByPolicy,
    /// No other try.
    Never,
    /// At this time, if the policy has an attempt left.
    At(Timestamp),
}

impl AttemptError {
    /// A failure that is not tried again.
    #[must_use]
    pub fn terminal(code: &str, message: impl Into<String>) -> Self {
        Self { error: RecordedError::new(code, message), retry: RetryHint::Never }
    }

    /// A failure that is tried again by the task's policy.
    #[must_use]
    pub fn retryable(code: &str, message: impl Into<String>) -> Self {
        Self { error: RecordedError::new(code, message), retry: RetryHint::ByPolicy }
    }
}

impl Wait {
    /// The time at which the wait is over.
    ///
    /// # Errors
    /// A failure of code `WAIT_OUT_OF_RANGE` if it is neither 0 nor 1 s to 355 days.
    pub fn due(self, now: Timestamp) -> Result<Timestamp, AttemptError> {
        let (wait, given) = match self {
            Self::After(wait) if wait > Duration::ZERO && wait < limits::MIN_WAIT => {
                return Err(out_of_range(&format!("{wait:?}")));
            }
            Self::After(wait) => (wait, format!("{} s", wait.as_secs())),
            Self::At(at) => (crate::until(now, at), at.to_string()),
        };
        if wait > limits::MAX_WAIT {
            return Err(out_of_range(&given));
        }
        Ok(now + wait)
    }
}

fn out_of_range(given: &str) -> AttemptError {
    let message = format!("can't continue after {given}: a wait is 0, or 1 second to 355 days");
    AttemptError::terminal(code::WAIT_OUT_OF_RANGE, message)
}
