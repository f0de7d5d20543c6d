//! From a payload, which may be a batch of SQS messages, to its answer.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use dacapo_core::runner::InvokeError;
use dacapo_domain::{Json, Message, Sent};
use futures::{StreamExt, stream};
use jiff::Timestamp;

use crate::receiver::{ReceivedMessage, Receiver};

/// SQS's name for the number of receives.
const RECEIVES: &str = "ApproximateReceiveCount";
/// SQS's name for the time at which it took the message, in Unix milliseconds.
const SENT: &str = "SentTimestamp";
/// The end of the name of the app's dead-letter queue.
const APP_DLQ: &str = "-undelivered";

/// Answers a payload.
///
/// # Errors
/// If the payload is not for this function, or a port failed. A message of a batch that failed is told by the answer.
pub async fn answer(receiver: &impl Receiver, payload: Json, deadline: Timestamp) -> Result<Json, InvokeError> {
    match read_batch(&payload) {
        None => receiver.invoke(payload, deadline).await,
        Some(event) => {
            let failures = deliver(receiver, &event, deadline).await;
            Json::of(&failures).map_err(|error| InvokeError::Payload(error.to_string()))
        }
    }
}

/// Delivers the messages: those of events one after another, since a handler's timeout is counted in its own time, and a
/// batch is never longer than fits into an invocation. What failed is named; what is not named is deleted from the queue.
async fn deliver(receiver: &impl Receiver, event: &SqsEvent, deadline: Timestamp) -> SqsBatchResponse {
    let at_once = if receiver.is_concurrent() { event.records.len() } else { 1 };
    let deliveries: Vec<_> = event.records.iter().map(|message| deliver_one(receiver, message, deadline)).collect();
    let delivered: Vec<bool> = stream::iter(deliveries).buffered(at_once).collect().await;
    let mut failures = SqsBatchResponse::default();
    for (message, _) in event.records.iter().zip(delivered).filter(|(_, is_delivered)| !is_delivered) {
        failures.add_failure(message.message_id.clone().unwrap_or_default());
    }
    failures
}

/// Delivers a message; gives false where it is left for redelivery.
async fn deliver_one(receiver: &impl Receiver, message: &SqsMessage, deadline: Timestamp) -> bool {
    // A handler holds its thread: the rest needs another process.
    if receiver.must_exit() {
        return false;
    }
    let sent_at = sent_at(message);
    let text = Message::timed(message.body.as_deref().unwrap_or_default(), sent_at);
    let delivered = receiver.deliver(received(message, &text, sent_at), deadline).await;
    if let Err(error) = &delivered {
        let id = message.message_id.as_deref().unwrap_or_default();
        tracing::error!(message = %id, %error, "a message is left for redelivery");
    }
    delivered.is_ok()
}

/// Reads a batch: `None` where the payload is none, and so a direct invocation.
fn read_batch(payload: &Json) -> Option<SqsEvent> {
    let event: SqsEvent = payload.parse().ok()?;
    let from_sqs = |message: &SqsMessage| message.event_source.as_deref() == Some("aws:sqs");
    (!event.records.is_empty() && event.records.iter().all(from_sqs)).then_some(event)
}

/// A message of a batch, as its receiver wants it.
fn received<'a>(message: &'a SqsMessage, text: &'a str, sent_at: Timestamp) -> ReceivedMessage<'a> {
    let receives = message.attributes.get(RECEIVES).and_then(|count| count.parse().ok()).unwrap_or(1);
    let from_app_dlq = message.event_source_arn.as_deref().is_some_and(|queue| queue.ends_with(APP_DLQ));
    let sent = Sent { id: message.message_id.as_deref().unwrap_or_default(), at: sent_at };
    ReceivedMessage { text, receives, sent, from_app_dlq }
}

fn sent_at(message: &SqsMessage) -> Timestamp {
    let sent_ms = message.attributes.get(SENT).and_then(|ms| ms.parse().ok());
    sent_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicBool, Ordering::Relaxed},
        },
        time::Duration,
    };

    use dacapo_core::port::{PortError, PortErrorKind, PortResult};
    use tokio::{sync::Barrier, time::timeout};

    use super::*;

    /// Takes everything but what it is told to refuse.
    #[derive(Default)]
    struct Fake {
        refuses: &'static str,
        blocks_on: &'static str,
        blocked: AtomicBool,
        /// So many are taken side by side: none before all of them have come.
        meets: Option<Barrier>,
        taken: Mutex<Vec<String>>,
    }

    impl Receiver for Fake {
        async fn deliver(&self, message: ReceivedMessage<'_>, _deadline: Timestamp) -> PortResult<()> {
            if let Some(all) = &self.meets {
                all.wait().await;
            }
            if !self.refuses.is_empty() && message.text.contains(self.refuses) {
                return Err(PortError::new(PortErrorKind::Transient, "throttled"));
            }
            self.blocked.store(!self.blocks_on.is_empty() && message.text.contains(self.blocks_on), Relaxed);
            self.taken.lock().unwrap().push(message.text.to_owned());
            Ok(())
        }

        async fn invoke(&self, payload: Json, _deadline: Timestamp) -> Result<Json, InvokeError> {
            Ok(payload)
        }

        fn is_concurrent(&self) -> bool {
            self.meets.is_some()
        }

        fn must_exit(&self) -> bool {
            self.blocked.load(Relaxed)
        }
    }

    async fn answered(fake: &Fake, payload: &str) -> serde_json::Value {
        let answer = answer(fake, Json::from_text(payload).unwrap(), Timestamp::UNIX_EPOCH).await.unwrap();
        answer.parse().unwrap()
    }

    const BATCH: &str = include_str!("fixtures/sqs-batch.json");

    #[tokio::test]
    async fn batch_that_was_taken_reports_no_failure() {
        let fake = Fake::default();
        assert_eq!(answered(&fake, BATCH).await, serde_json::json!({ "batchItemFailures": [] }));
        assert_eq!(fake.taken.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn bad_message_in_a_batch_fails_no_other() {
        let fake = Fake { refuses: "not a message", ..Fake::default() };
        let failures = serde_json::json!([{ "itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da" }]);
        assert_eq!(answered(&fake, BATCH).await, serde_json::json!({ "batchItemFailures": failures }));
        assert_eq!(fake.taken.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn runs_of_a_batch_are_taken_side_by_side_and_fail_each_for_itself() {
        let fake = Fake { refuses: "not a message", meets: Some(Barrier::new(3)), ..Fake::default() };
        let answered = timeout(Duration::from_secs(60), answered(&fake, BATCH)).await.expect("none waits for another");
        let failures = serde_json::json!([{ "itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da" }]);
        assert_eq!(answered, serde_json::json!({ "batchItemFailures": failures }));
        assert_eq!(fake.taken.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn fire_whose_placeholder_was_left_is_of_the_time_at_which_it_was_sent() {
        let fire = r#"{"fire/1":{"schedule":"hourly","time":"<aws.scheduler.scheduled-time>"}}"#;
        let other = r#"{"task":"say","body":"<aws.scheduler.scheduled-time>"}"#;
        let fake = Fake::default();
        for text in [fire, other] {
            let mut batch: serde_json::Value = serde_json::from_str(BATCH).unwrap();
            batch["Records"][0]["body"] = text.into();
            answered(&fake, &batch.to_string()).await;
        }
        let taken = fake.taken.lock().unwrap();
        assert_eq!(taken[0], r#"{"fire/1":{"schedule":"hourly","time":"2018-12-17T21:37:29.183Z"}}"#);
        assert_eq!(taken[3], other, "a text of a user's");
    }

    #[tokio::test]
    async fn message_behind_a_blocked_handler_is_left_for_another_process() {
        let fake = Fake { blocks_on: "not a message", ..Fake::default() };
        let failures = serde_json::json!([{ "itemIdentifier": "5f1b8c4e-7a52-4f6e-9a0b-0c7b4c1d9e33" }]);
        assert_eq!(answered(&fake, BATCH).await, serde_json::json!({ "batchItemFailures": failures }));
    }

    #[tokio::test]
    async fn wait_loops_call_reaches_the_function_as_it_is() {
        let call = include_str!("fixtures/loop-call.json");
        assert_eq!(answered(&Fake::default(), call).await, serde_json::from_str::<serde_json::Value>(call).unwrap());
    }

    fn json(text: &str) -> Json {
        Json::from_text(text).unwrap()
    }

    #[test]
    fn batch_from_sqs_is_read() {
        let batch = read_batch(&json(include_str!("fixtures/sqs-batch.json"))).unwrap();
        let read = |message| received(message, message.body.as_deref().unwrap(), sent_at(message));
        let messages: Vec<ReceivedMessage<'_>> = batch.records.iter().map(read).collect();
        assert_eq!(messages.len(), 3);
        assert_eq!(messages[0].receives, 1);
        assert_eq!(messages[2].receives, 3);
        let at = Timestamp::from_millisecond(1_545_082_649_183).unwrap();
        assert_eq!(messages[0].sent, Sent { id: "059f36b4-87a3-44ab-83d2-661975830a7d", at });
        assert_eq!(messages[1].text, "not a message");
        assert!(messages.iter().all(|message| !message.from_app_dlq));
    }

    #[test]
    fn app_dlq_is_told_from_other_queues_by_its_arn() {
        let batch = read_batch(&json(include_str!("fixtures/sqs-undelivered.json"))).unwrap();
        assert!(received(&batch.records[0], "", Timestamp::UNIX_EPOCH).from_app_dlq);
    }

    #[test]
    fn json_that_is_no_batch_is_a_direct_invocation() {
        for body in [
            r#"{"email":"ada@example.com"}"#,
            r#"{"Records":[]}"#,
            r#"{"Records":[{"eventSource":"aws:s3","body":"b"}]}"#,
            r#"[1,2]"#,
            "null",
            include_str!("fixtures/loop-call.json"),
        ] {
            assert!(read_batch(&json(body)).is_none(), "{body}");
        }
    }
}
