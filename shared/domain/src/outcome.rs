//! The outcome of an attempt, and the recorded form of its error.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Child, Id, Json, code, limits, text::cut};

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wait {
    /// A span: 0, or 1 s to 355 days.
    After(Duration),
    /// A time to wait for: not at all where it has passed, at most 355 days.
    At(Timestamp),
    /// The end of a token.
    Token {
        /// The run that made it.
        run: Id,
        /// The name.
        name: String,
        /// The time at which it is over without being completed.
        until: Option<Timestamp>,
    },
    /// The end of up to 1,000 runs that this one has started.
    Children(Vec<Child>),
}

/// The error of an attempt, and what it says of the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptError {
    /// The error as it is recorded.
    pub error: RecordedError,
    /// The word on the next try.
    pub retry: RetryHint,
}

/// The word of an error on the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    /// The time at which the wait is over; now, where a signal alone ends it.
    ///
    /// # Errors
    /// A failure of code `WAIT_OUT_OF_RANGE` if it is neither 0 nor 1 s to 355 days.
    pub fn due(&self, now: Timestamp) -> Result<Timestamp, AttemptError> {
        let (wait, given) = match self {
            Self::After(wait) if *wait > Duration::ZERO && *wait < limits::MIN_WAIT => {
                return Err(out_of_range(&format!("{wait:?}")));
            }
            Self::After(wait) => (*wait, format!("{} s", wait.as_secs())),
            Self::At(at) => (crate::until(now, *at), at.to_string()),
            Self::Token { until, .. } => return Ok(until.map_or(now, |until| until.max(now))),
            Self::Children(_) => return Ok(now),
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

/// The error of a failed attempt, as it is kept with the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedError {
    /// One of [`code`], or the author's own.
    pub code: String,
    /// The error's own text.
    pub message: String,
    /// The chain of causes, a line each, with a backtrace where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
}

impl RecordedError {
    /// An error without a chain of causes.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), stack: None }
    }

    /// Adds a line to the chain of causes.
    pub fn add_line(&mut self, line: impl AsRef<str>) {
        let stack = self.stack.get_or_insert_default();
        if !stack.is_empty() {
            stack.push('\n');
        }
        stack.push_str(line.as_ref());
    }

    /// Adds a backtrace, cut to what leaves room for causes that come after it.
    pub fn add_backtrace(&mut self, backtrace: String) {
        self.add_line(cut(backtrace, limits::BACKTRACE_BYTES));
    }

    /// The error with its texts cut to what is kept: one that quotes a whole document must not stop its record from
    /// being stored.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self {
            code: cut(self.code, limits::CODE_BYTES),
            message: cut(self.message, limits::TEXT_BYTES),
            stack: self.stack.map(|stack| cut(stack, limits::STACK_BYTES)),
        }
    }
}
