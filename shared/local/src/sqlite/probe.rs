//! The questions of the conductor before it repairs.

use async_trait::async_trait;
use dacapo_core::port::{ExecutionStatus, PortResult, Probe};

use super::{Database, executions, messages};

#[async_trait]
impl Probe for Database {
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        let (function, now) = (function.to_owned(), self.now());
        self.call(move |connection| messages::has_backlog(connection, &function, now)).await
    }

    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus> {
        let execution = execution.to_owned();
        let is_running = self.call(move |connection| Ok(executions::is_running(connection, &execution)?)).await?;
        Ok(if is_running { ExecutionStatus::Running } else { ExecutionStatus::Ended })
    }
}
