//! What is compared with: the handler of `echo` on bare `lambda_runtime`, with the four clients that Dacapo has.
//!
//! Its tokio, its TLS and its build are those of a Dacapo function, so that what differs is Dacapo.

use aws_config::BehaviorVersion;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Error> {
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(dacapo_aws::http_client()).load().await;
    let clients = (
        aws_sdk_dynamodb::Client::new(&config),
        aws_sdk_scheduler::Client::new(&config),
        aws_sdk_sfn::Client::new(&config),
        aws_sdk_sqs::Client::new(&config),
    );
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        // A handler would use them; here they only have to be there.
        std::hint::black_box(&clients);
        let mut failures = SqsBatchResponse::default();
        for message in event.payload.records {
            match serde_json::from_str(&message.body.unwrap_or_default()) {
                Ok(said) => drop(std::hint::black_box(echo::answer(said))),
                Err(_) => failures.add_failure(message.message_id.unwrap_or_default()),
            }
        }
        Ok::<_, Error>(failures)
    }))
    .await
}
