//! What comes of an attempt.

use std::time::Duration;

use jiff::Timestamp;

use crate::{Failure, Json, code, limits};

/// What comes of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The handler returned a value.
    Done {
        /// Its JSON, or why it can't be serialized.
        result: Result<Json, String>,
        /// What the handler says of it.
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
    Failed(Failed),
}

/// How long a run waits between two iterations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// So long: 0, or 1 s to 355 days.
    After(Duration),
    /// Until then: not at all where it has passed, at most 355 days.
    At(Timestamp),
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What is recorded.
    pub failure: Failure,
    /// Whether and when it is tried again.
    pub retry: RetryWish,
}

/// What an error says of the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryWish {
    /// By the task's policy.
    ByPolicy,
    /// Never.
    Never,
    /// At this time, if the policy has an attempt left.
    At(Timestamp),
}

impl Failed {
    /// A failure that is not tried again.
    #[must_use]
    pub fn terminal(code: &str, message: impl Into<String>) -> Self {
        Self { failure: Failure::new(code, message), retry: RetryWish::Never }
    }

    /// A failure that is tried again by the task's policy.
    #[must_use]
    pub fn retryable(code: &str, message: impl Into<String>) -> Self {
        Self { failure: Failure::new(code, message), retry: RetryWish::ByPolicy }
    }
}

impl Wait {
    /// When the wait is over.
    ///
    /// # Errors
    /// A failure of code `WAIT_OUT_OF_RANGE` if it is neither 0 nor 1 s to 355 days.
    pub fn due(self, now: Timestamp) -> Result<Timestamp, Failed> {
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

fn out_of_range(given: &str) -> Failed {
    let message = format!("can't continue after {given}: a wait is 0, or 1 second to 355 days");
    Failed::terminal(code::WAIT_OUT_OF_RANGE, message)
}
