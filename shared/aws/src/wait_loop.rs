//! Executions of the wait loop, over Step Functions.

use std::sync::Arc;

use aws_sdk_sfn::{
    Client,
    error::SdkError,
    operation::{
        describe_execution::DescribeExecutionError, start_execution::StartExecutionError,
        stop_execution::StopExecutionError,
    },
    types::ExecutionStatus as Status,
};
use dacapo_core::port::{ExecutionStatus, PortResult};
use dacapo_domain::{WaitLoopCall, run::ExecutionEnd};
use jiff::Timestamp;

use crate::{
    error::Operation,
    stack::{Service, Stack},
};

/// The error of an execution that Dacapo itself stopped. One stopped by hand has another, or none: that is the user's
/// wish to abort.
const STOPPED: &str = "Dacapo.Stopped";
/// Characters of a cause, at most.
const CAUSE_CHARS: usize = 1_000;

/// Executions of the wait loop.
#[derive(Debug)]
pub(crate) struct WaitLoop {
    client: Client,
    dynamodb: aws_sdk_dynamodb::Client,
    stack: Arc<Stack>,
}

impl WaitLoop {
    pub(crate) fn new(client: Client, dynamodb: aws_sdk_dynamodb::Client, stack: Arc<Stack>) -> Self {
        Self { client, dynamodb, stack }
    }

    /// Starts an execution, which makes its first call then. One that exists already is no error.
    pub(crate) async fn start(&self, execution: &str, call: &WaitLoopCall, until: Timestamp) -> PortResult<()> {
        let resource = format!("stateMachine:{}-loop", self.stack.prefix());
        let machine = self.stack.arn(&self.dynamodb, "states", &resource).await?;
        let start = self.client.start_execution().state_machine_arn(machine).name(execution).input(input(call, until));
        match start.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), StartExecutionError::ExecutionAlreadyExists(_)) =>
            {
                Ok(())
            }
            Err(error) => Err(self.stack.errors(Service::Sfn).port(Operation::of("start the loop", execution), error)),
        }
    }

    /// Stops an execution. One that has ended, or never was, is no error.
    pub(crate) async fn stop(&self, execution: &str, cause: &str) -> PortResult<()> {
        let cause: String = cause.chars().take(CAUSE_CHARS).collect();
        let stop = self.client.stop_execution().execution_arn(self.arn(execution).await?).error(STOPPED).cause(cause);
        match stop.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), StopExecutionError::ExecutionDoesNotExist(_)) =>
            {
                Ok(())
            }
            Err(error) => Err(self.stack.errors(Service::Sfn).port(Operation::of("stop the loop", execution), error)),
        }
    }

    /// The status of an execution; one that never was has ended.
    pub(crate) async fn status(&self, execution: &str) -> PortResult<ExecutionStatus> {
        let describe = self.client.describe_execution().execution_arn(self.arn(execution).await?);
        match describe.send().await {
            Ok(reply) if *reply.status() == Status::Running => Ok(ExecutionStatus::Running),
            Ok(reply) => {
                let how = ExecutionEnd::of(reply.status().as_str(), reply.error(), reply.cause());
                Ok(ExecutionStatus::Ended(how))
            }
            Err(SdkError::ServiceError(refusal))
                if matches!(refusal.err(), DescribeExecutionError::ExecutionDoesNotExist(_)) =>
            {
                Ok(ExecutionStatus::Ended(None))
            }
            Err(error) => {
                Err(self.stack.errors(Service::Sfn).port(Operation::of("look at the loop", execution), error))
            }
        }
    }

    async fn arn(&self, execution: &str) -> PortResult<String> {
        let resource = format!("execution:{}-loop:{execution}", self.stack.prefix());
        self.stack.arn(&self.dynamodb, "states", &resource).await
    }
}

/// The input of an execution. A Wait state takes whole seconds and `Z`, or ends the execution uncatchably.
fn input(call: &WaitLoopCall, until: Timestamp) -> String {
    let second = until.as_second() + i64::from(until.subsec_nanosecond() > 0);
    let until = Timestamp::from_second(second).unwrap_or(until);
    serde_json::json!({ "call": call, "until": until }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn execution_is_started_to_wait_until_a_whole_second() {
        let call = WaitLoopCall {
            run: "01JD0000000000000000000000".parse().unwrap(),
            function: "import-airports".to_owned(),
            generation: 1,
            round: 0,
            started: "2026-11-21T19:00:00Z".parse().unwrap(),
            iteration: 2,
            attempt: 1,
            tries: 0,
            throttled: None,
        };
        let input: serde_json::Value =
            serde_json::from_str(&input(&call, "2026-11-21T19:00:00.001Z".parse().unwrap())).unwrap();
        assert_eq!(input["until"], "2026-11-21T19:00:01Z");
        assert_eq!(input["call"]["function"], "import-airports");
    }
}
