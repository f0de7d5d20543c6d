//! Error codes that Dacapo itself gives; any other is the author's own.

/// A constant for each code, named as it is, and all of them.
macro_rules! codes {
    ($($(#[$about:meta])+ $code:ident)+) => {
        $($(#[$about])+ pub const $code: &str = stringify!($code);)+

        /// All of them.
        pub const ALL: &[&str] = &[$($code),+];
    };
}

codes! {
    /// An error of the handler that names no code.
    ERROR
    /// The attempt took longer than its timeout.
    TIMEOUT
    /// The process ended without an answer: killed, out of memory, a binary that can't start.
    CRASHED
    /// The handler panicked.
    PANIC
    /// All iterations and attempts together took longer than `max_duration`.
    MAX_DURATION
    /// The handler said `continue` once more than `max_iterations` allows.
    MAX_ITERATIONS
    /// The body doesn't parse as the task's input.
    BODY_MISMATCH
    /// The input of a `continue` doesn't parse as the task's input any more, as after a deploy.
    INPUT_MISMATCH
    /// No function has the task.
    UNKNOWN_TASK
    /// The `handle_error` hook failed.
    HANDLE_ERROR_ERROR
    /// The `init` hook failed.
    INIT_ERROR
    /// The `cleanup` hook failed.
    CLEANUP_ERROR
    /// A `continue` asked for a wait that is not 0, or 1 s to 355 days.
    WAIT_OUT_OF_RANGE
    /// The input of a `continue` is larger than 1,048,576 bytes.
    TOO_LARGE
    /// The run whose result is waited for was aborted.
    ABORTED
    /// The run whose result is waited for did not start within its `ttl`.
    EXPIRED
    /// The run whose result is waited for completed, and its result was too large to be kept.
    RESULT_TOO_LARGE
}
