//! A batch of SQS messages, as an event source mapping brings it.

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use dacapo_domain::Json;

use crate::receiver::ReceivedMessage;

/// SQS's name for the number of receives.
const RECEIVES: &str = "ApproximateReceiveCount";
/// The end of the name of the app's dead-letter queue.
const APP_DLQ: &str = "-undelivered";

/// Reads a batch: `None` where the payload is none, and so a direct invocation.
pub(crate) fn read(payload: &Json) -> Option<SqsEvent> {
    let event: SqsEvent = payload.parse().ok()?;
    let from_sqs = |message: &SqsMessage| message.event_source.as_deref() == Some("aws:sqs");
    (!event.records.is_empty() && event.records.iter().all(from_sqs)).then_some(event)
}

/// A message of a batch, as its receiver wants it.
pub(crate) fn received(message: &SqsMessage) -> ReceivedMessage<'_> {
    let receives = message.attributes.get(RECEIVES).and_then(|count| count.parse().ok()).unwrap_or(1);
    let from_app_dlq = message.event_source_arn.as_deref().is_some_and(|queue| queue.ends_with(APP_DLQ));
    ReceivedMessage { text: message.body.as_deref().unwrap_or_default(), receives, from_app_dlq }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::from_text(text).unwrap()
    }

    #[test]
    fn batch_from_sqs_is_read() {
        let batch = read(&json(include_str!("fixtures/sqs-batch.json"))).unwrap();
        let messages: Vec<ReceivedMessage<'_>> = batch.records.iter().map(received).collect();
        assert_eq!(messages.len(), 3);
        assert_eq!(messages[0].receives, 1);
        assert_eq!(messages[2].receives, 3);
        assert_eq!(messages[1].text, "not a message");
        assert!(messages.iter().all(|message| !message.from_app_dlq));
    }

    #[test]
    fn app_dlq_is_told_from_other_queues_by_its_arn() {
        let batch = read(&json(include_str!("fixtures/sqs-undelivered.json"))).unwrap();
        assert!(received(&batch.records[0]).from_app_dlq);
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
            assert!(read(&json(body)).is_none(), "{body}");
        }
    }
}
