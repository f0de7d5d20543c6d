//! The recorded form of a failed attempt's error.

use serde::{Deserialize, Serialize};

/// Error codes that Dacapo itself gives; any other is the author's own.
pub mod code {
    /// An error of the handler that names no code.
    pub const ERROR: &str = "ERROR";
    /// The attempt took longer than its timeout.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// The process ended without an answer: killed, out of memory, a binary that can't start.
    pub const CRASHED: &str = "CRASHED";
    /// The handler panicked.
    pub const PANIC: &str = "PANIC";
    /// All iterations and attempts together took longer than `max_duration`.
    pub const MAX_DURATION: &str = "MAX_DURATION";
    /// The handler said `continue` once more than `max_iterations` allows.
    pub const MAX_ITERATIONS: &str = "MAX_ITERATIONS";
    /// The body doesn't parse as the task's input.
    pub const BODY_MISMATCH: &str = "BODY_MISMATCH";
    /// The input of a `continue` doesn't parse as the task's input any more, as after a deploy.
    pub const INPUT_MISMATCH: &str = "INPUT_MISMATCH";
    /// No function has the task.
    pub const UNKNOWN_TASK: &str = "UNKNOWN_TASK";
    /// The `handle_error` hook failed.
    pub const HANDLE_ERROR_ERROR: &str = "HANDLE_ERROR_ERROR";
    /// The `init` hook failed.
    pub const INIT_ERROR: &str = "INIT_ERROR";
    /// The `cleanup` hook failed.
    pub const CLEANUP_ERROR: &str = "CLEANUP_ERROR";
    /// A `continue` asked for a wait that is not 0, or 1 s to 355 days.
    pub const WAIT_OUT_OF_RANGE: &str = "WAIT_OUT_OF_RANGE";
    /// The input of a `continue` is larger than 262,144 bytes.
    pub const TOO_LARGE: &str = "TOO_LARGE";
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
}
