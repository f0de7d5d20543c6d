//! Executions of the loop, over HTTP.

use async_trait::async_trait;
use dacapo::port::{ExecutionStatus, Loops, PortResult};
use dacapo_domain::LoopCall;
use jiff::Timestamp;

use super::Connection;
use crate::rpc::verbs;

#[async_trait]
impl Loops for Connection {
    async fn start(&self, name: &str, function: &str, call: &LoopCall, until: Timestamp) -> PortResult<()> {
        self.call(&verbs::START_LOOP, (name.to_owned(), function.to_owned(), call.clone(), until)).await
    }

    async fn stop(&self, name: &str, cause: &str) -> PortResult<()> {
        self.call(&verbs::STOP_LOOP, (name.to_owned(), cause.to_owned())).await
    }

    async fn status(&self, name: &str) -> PortResult<ExecutionStatus> {
        let running = self.call(&verbs::LOOP_IS_RUNNING, name.to_owned()).await?;
        Ok(if running { ExecutionStatus::Running } else { ExecutionStatus::Ended })
    }
}
