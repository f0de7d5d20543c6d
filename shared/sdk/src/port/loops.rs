use async_trait::async_trait;
use dacapo_domain::LoopCall;
use jiff::Timestamp;

use super::PortResult;

/// What has become of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// It waits or calls.
    Running,
    /// It has ended, or there never was one.
    Ended,
}

/// Executions of the loop: each waits, calls the function, and does what it is told.
#[async_trait]
pub trait Loops: Send + Sync {
    /// Starts an execution that calls the function first at this time (whole seconds, rounded up).
    /// One that exists already is no error.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError); the execution may have been started all the same.
    async fn start(&self, name: &str, function: &str, call: &LoopCall, until: Timestamp) -> PortResult<()>;

    /// Stops an execution. One that has ended, or never was, is no error.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn stop(&self, name: &str, cause: &str) -> PortResult<()>;

    /// Whether an execution is running.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn status(&self, name: &str) -> PortResult<ExecutionStatus>;
}
