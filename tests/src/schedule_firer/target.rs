//! The target of a fire.

use aws_config::SdkConfig;

use super::AnyError;
use crate::lambda::{Invocation, Lambda};

/// A queue or a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Queue(String),
    Function(String),
}

/// Delivers to targets of any kind.
pub(super) struct Targets {
    sqs: aws_sdk_sqs::Client,
    lambda: Lambda,
}

impl Target {
    /// Reads `arn:aws:sqs:eu-west-1:000000000000:shop-dev-report`, or a function's.
    pub(super) fn of_arn(arn: &str) -> Result<Self, AnyError> {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts[..] {
            [_, _, "sqs", _, _, queue] => Ok(Self::Queue(queue.to_owned())),
            [_, _, "lambda", _, _, "function", function, ..] => Ok(Self::Function(function.to_owned())),
            _ => Err(format!("its target {arn} is neither a queue nor a function").into()),
        }
    }
}

impl Targets {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { sqs: aws_sdk_sqs::Client::new(config), lambda: Lambda::new(config) }
    }

    pub(super) async fn deliver(&self, target: &Target, input: &str) -> Result<(), AnyError> {
        match target {
            Target::Queue(queue) => {
                let reply = self.sqs.get_queue_url().queue_name(queue).send().await?;
                let url = reply.queue_url().unwrap_or_default();
                self.sqs.send_message().queue_url(url).message_body(input).send().await?;
            }
            Target::Function(function) => {
                self.lambda.invoke(function, input, Invocation::Event).await?;
            }
        }
        Ok(())
    }
}
