use async_trait::async_trait;

use super::error::PortResult;

/// The state of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ExecutionStatus {
    /// It waits or calls.
    Running,
    /// It has ended, or there never was one.
    Ended,
}

/// The questions that the conductor asks the services before it repairs.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Says whether the function's queue shows a visible message.
    ///
    /// # Errors
    /// `NotDeployed` if the function has no queue.
    async fn has_backlog(&self, function: &str) -> PortResult<bool>;

    /// Says whether an execution of the wait loop is running.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus>;
}
