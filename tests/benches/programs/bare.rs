//! The program that Dacapo is compared with: the handler of `echo` on bare `lambda_runtime`, with the same clients.
//!
//! Its tokio, its TLS and its build are those of a Dacapo function, so that what differs is Dacapo.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use echo::Said;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Error> {
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(dacapo_aws::http_client()).load().await;
    let clients = Clients::new(&config);
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let mut failures = SqsBatchResponse::default();
        for message in event.payload.records {
            if handle(&message.body.unwrap_or_default(), &clients).await.is_err() {
                failures.add_failure(message.message_id.unwrap_or_default());
            }
        }
        Ok::<_, Error>(failures)
    }))
    .await
}

async fn handle(message: &str, clients: &Clients) -> Result<(), Error> {
    let said: Said = serde_json::from_str(message)?;
    if said.continues > 0 {
        clients.use_all().await?;
    }
    std::hint::black_box(echo::answer(said));
    Ok(())
}

struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    scheduler: aws_sdk_scheduler::Client,
    sfn: aws_sdk_sfn::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Clients {
    fn new(config: &SdkConfig) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            scheduler: aws_sdk_scheduler::Client::new(config),
            sfn: aws_sdk_sfn::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
        }
    }

    /// Never called here, but the linker doesn't know: a client whose calls it may leave out would be none.
    async fn use_all(&self) -> Result<(), Error> {
        self.dynamodb.put_item().send().await?;
        self.dynamodb.update_item().send().await?;
        self.dynamodb.get_item().send().await?;
        self.dynamodb.query().send().await?;
        self.scheduler.create_schedule().send().await?;
        self.scheduler.delete_schedule().send().await?;
        self.sfn.start_execution().send().await?;
        self.sfn.stop_execution().send().await?;
        self.sqs.send_message().send().await?;
        self.sqs.get_queue_attributes().send().await?;
        Ok(())
    }
}
