//! Executions of the loop, over Step Functions.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sfn::{
    Client,
    error::SdkError,
    operation::{
        describe_execution::DescribeExecutionError, start_execution::StartExecutionError,
        stop_execution::StopExecutionError,
    },
    types::ExecutionStatus as Status,
};
use dacapo::port::{ExecutionStatus, Loops, PortResult};
use dacapo_domain::LoopCall;
use jiff::Timestamp;

use crate::{Stack, error::What};

/// The error that an execution has which Dacapo itself stopped. One stopped by hand has another, or none: that is the
/// user's wish to abort.
pub(crate) const STOPPED: &str = "Dacapo.Stopped";
/// Characters of a cause, at most.
const CAUSE_CHARS: usize = 1_000;

/// Executions of the loop.
#[derive(Debug)]
pub(crate) struct SfnLoops {
    client: Client,
    dynamodb: aws_sdk_dynamodb::Client,
    stack: Arc<Stack>,
}

impl SfnLoops {
    pub(crate) fn new(client: Client, dynamodb: aws_sdk_dynamodb::Client, stack: Arc<Stack>) -> Self {
        Self { client, dynamodb, stack }
    }

    async fn execution(&self, name: &str) -> PortResult<String> {
        let resource = format!("execution:{}-loop:{name}", self.stack.prefix());
        self.stack.arn(&self.dynamodb, "states", &resource).await
    }
}

#[async_trait]
impl Loops for SfnLoops {
    async fn start(&self, name: &str, _function: &str, call: &LoopCall, until: Timestamp) -> PortResult<()> {
        let resource = format!("stateMachine:{}-loop", self.stack.prefix());
        let machine = self.stack.arn(&self.dynamodb, "states", &resource).await?;
        let start = self.client.start_execution().state_machine_arn(machine).name(name).input(input(call, until));
        match start.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), StartExecutionError::ExecutionAlreadyExists(_)) =>
            {
                Ok(())
            }
            Err(error) => Err(self.stack.errors().port(What::of("start the loop", name), error)),
        }
    }

    async fn stop(&self, name: &str, cause: &str) -> PortResult<()> {
        let cause: String = cause.chars().take(CAUSE_CHARS).collect();
        let stop = self.client.stop_execution().execution_arn(self.execution(name).await?).error(STOPPED).cause(cause);
        match stop.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), StopExecutionError::ExecutionDoesNotExist(_)) =>
            {
                Ok(())
            }
            Err(error) => Err(self.stack.errors().port(What::of("stop the loop", name), error)),
        }
    }

    async fn status(&self, name: &str) -> PortResult<ExecutionStatus> {
        let describe = self.client.describe_execution().execution_arn(self.execution(name).await?);
        match describe.send().await {
            Ok(reply) if *reply.status() == Status::Running => Ok(ExecutionStatus::Running),
            Ok(_) => Ok(ExecutionStatus::Ended),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), DescribeExecutionError::ExecutionDoesNotExist(_)) =>
            {
                Ok(ExecutionStatus::Ended)
            }
            Err(error) => Err(self.stack.errors().port(What::of("look at the loop", name), error)),
        }
    }
}

/// What an execution is started with. A Wait state takes whole seconds and `Z`, or ends the execution uncatchably.
fn input(call: &LoopCall, until: Timestamp) -> String {
    let second = until.as_second() + i64::from(until.subsec_nanosecond() > 0);
    let until = Timestamp::from_second(second).unwrap_or(until);
    serde_json::json!({ "call": call, "until": until }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_waits_until_a_whole_second() {
        let call = LoopCall {
            run: "01JD0000000000000000000000".parse().unwrap(),
            function: "import-airports".to_owned(),
            generation: 1,
            round: 0,
            started: "2026-11-21T19:00:00Z".parse().unwrap(),
            iteration: 2,
            attempt: 1,
        };
        let input: serde_json::Value =
            serde_json::from_str(&input(&call, "2026-11-21T19:00:00.001Z".parse().unwrap())).unwrap();
        assert_eq!(input["until"], "2026-11-21T19:00:01Z");
        assert_eq!(input["call"]["function"], "import-airports");
    }
}
