//! The deployed app, and how tests look at it.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    time::{Duration, Instant},
};

use aws_sdk_sqs::types::QueueAttributeName;
use dacapo::{Client, Id, Json, ListFilter, RunView, State};
use dacapo_tests::{
    lambda::{Invocation, Lambda},
    localstack::Localstack,
    proxy::Proxy,
};
use futures::FutureExt;
use serde::{Serialize, de::DeserializeOwned};

/// Longer than the conductor may need to notice a crash: the rest of a lease, its grace, a minute until the next
/// sweep; three times that, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(200);

/// The app, as a program with AWS credentials sees it.
pub struct App {
    pub localstack: &'static Localstack,
    pub client: Client,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub scheduler: aws_sdk_scheduler::Client,
    pub sfn: aws_sdk_sfn::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub lambda: Lambda,
}

/// The messages of a queue, roughly, as SQS tells.
#[derive(Debug, PartialEq, Eq)]
pub struct Backlog {
    pub visible: u32,
    pub delayed: u32,
    pub in_flight: u32,
}

impl App {
    /// The app that is deployed, deployed first if it isn't.
    pub async fn deployed() -> Self {
        let localstack = Localstack::shared(env!("CARGO_BIN_EXE_dacapo-localstack"));
        let config = localstack.config().await;
        let ports = dacapo_aws::ports(&localstack.app, &localstack.stage, &config).unwrap();
        Self {
            localstack,
            client: Client::new(ports),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            scheduler: aws_sdk_scheduler::Client::new(&config),
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            lambda: Lambda::new(&config),
        }
    }

    /// The run's record once it has ended.
    pub async fn ended(&self, id: Id) -> RunView {
        self.reaches(id, "has ended", |record| record.state.is_final()).await
    }

    /// The run's record once it is in a state. A run that has ended in another will never be.
    pub async fn is(&self, id: Id, state: State) -> RunView {
        let reached = |record: &RunView| record.state == state || record.state.is_final();
        let record = self.reaches(id, state.name(), reached).await;
        assert_eq!(record.state, state, "{record:#?}");
        record
    }

    /// The run's record once it is as expected.
    pub async fn reaches(&self, id: Id, what: &str, expected: impl Fn(&RunView) -> bool) -> RunView {
        eventually(&format!("run {id} {what}"), || async {
            let record = self.client.state(id).await.map_err(|error| error.to_string())?;
            if expected(&record) { Ok(record) } else { Err(format!("{record:#?}")) }
        })
        .await
    }

    /// All runs of a task.
    pub async fn runs(&self, task: &str) -> Vec<RunView> {
        let filter = ListFilter { task: Some(task.to_owned()), limit: 1_000, ..ListFilter::default() };
        self.client.list(filter).await.unwrap().runs
    }

    /// The number of times that a handler was called for a run: `chaos` leaves a log entry each time, unless it
    /// continues.
    pub async fn calls(&self, id: Id) -> usize {
        self.client.logs(id).await.unwrap().len()
    }

    /// The address of a function's queue.
    pub async fn queue(&self, function: &str) -> String {
        let queue = format!("{}-{function}", self.localstack.prefix());
        let reply = self.sqs.get_queue_url().queue_name(queue).send().await.unwrap();
        reply.queue_url().unwrap().to_owned()
    }

    /// The messages in a function's queue.
    pub async fn backlog(&self, function: &str) -> Backlog {
        use QueueAttributeName as Name;

        let ask = self.sqs.get_queue_attributes().queue_url(self.queue(function).await);
        let reply = ask.attribute_names(Name::All).send().await.unwrap();
        let count = |name| reply.attributes().and_then(|all| all.get(&name)).unwrap().parse().unwrap();
        Backlog {
            visible: count(Name::ApproximateNumberOfMessages),
            delayed: count(Name::ApproximateNumberOfMessagesDelayed),
            in_flight: count(Name::ApproximateNumberOfMessagesNotVisible),
        }
    }

    /// The ARN of the loop.
    pub async fn state_machine(&self) -> String {
        let name = format!("{}-loop", self.localstack.prefix());
        let machines = self.sfn.list_state_machines().into_paginator().items().send();
        let machines = machines.collect::<Result<Vec<_>, _>>().await.unwrap();
        machines.into_iter().find(|machine| machine.name() == name).unwrap().state_machine_arn
    }

    /// The ARN of the execution that drives a run.
    pub async fn execution(&self, id: Id, generation: u32) -> String {
        format!("{}:{id}-{generation}", self.state_machine().await.replace(":stateMachine:", ":execution:"))
    }

    /// Lets a function's calls go through a proxy while something is done, and straight again afterwards, also where that
    /// fails.
    pub async fn detour<T>(&self, function: &str, proxy: &Proxy, done: impl Future<Output = T>) -> T {
        let function = format!("{}-{function}", self.localstack.prefix());
        let go = async |endpoint: &str| {
            self.lambda.set_variable(&function, "AWS_ENDPOINT_URL", endpoint).await.unwrap();
        };
        go(proxy.address()).await;
        let done = AssertUnwindSafe(done).catch_unwind().await;
        go(&self.localstack.endpoint).await;
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Calls a function directly and reads its answer.
    pub async fn invoke(&self, function: &str, payload: &str) -> Json {
        let function = format!("{}-{function}", self.localstack.prefix());
        let answer = self.lambda.invoke(&function, payload, Invocation::RequestResponse).await.unwrap();
        assert_eq!(answer.function_error, None, "{function} answered {}", answer.payload);
        Json::from_text(&answer.payload).unwrap()
    }
}

/// Looks again and again until what is looked for is there; else says what was there last.
pub async fn eventually<T, F: Future<Output = Result<T, String>>>(what: &str, look: impl Fn() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if Instant::now() > deadline => panic!("{what}: not within {PATIENCE:?}; seen last: {seen}"),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The result of a run that completed.
pub fn result<T: DeserializeOwned>(record: &RunView) -> T {
    assert_eq!(record.state, State::Completed, "{record:#?}");
    record.result.as_ref().unwrap().parse().unwrap()
}

/// A value as a run's body.
pub fn body(value: &impl Serialize) -> Json {
    Json::of(value).unwrap()
}
