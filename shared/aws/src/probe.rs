//! The probe: the conductor's questions to SQS and Step Functions.

use std::sync::Arc;

use async_trait::async_trait;
use dacapo_core::port::{ExecutionStatus, PortResult, Probe};

use crate::{queues::Queues, wait_loop::WaitLoop};

/// The probe over SQS and Step Functions.
pub(crate) struct AwsProbe {
    pub(crate) queues: Arc<Queues>,
    pub(crate) wait_loop: Arc<WaitLoop>,
}

#[async_trait]
impl Probe for AwsProbe {
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        self.queues.has_backlog(function).await
    }

    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus> {
        self.wait_loop.status(execution).await
    }
}
