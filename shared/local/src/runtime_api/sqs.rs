//! The event that an event source mapping of SQS sends, and its reading of the answer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A message of a queue, received.
#[derive(Clone, Debug)]
pub struct SqsRecord<'a> {
    pub message_id: String,
    pub receipt_handle: String,
    pub body: &'a str,
    /// The number of its receives, this one included.
    pub receives: u32,
}

#[derive(Serialize)]
struct Batch<'a> {
    #[serde(rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    body: &'a str,
    attributes: Attributes,
    message_attributes: std::collections::BTreeMap<String, String>,
    event_source: &'a str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
    aws_region: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: Option<String>,
}

/// The event of a batch of messages, as JSON text.
///
/// # Errors
/// None in practice: all of it is text.
pub fn batch_event(function: &str, records: &[SqsRecord<'_>]) -> Result<Vec<u8>, serde_json::Error> {
    let records = records.iter().map(|record| Record {
        message_id: &record.message_id,
        receipt_handle: &record.receipt_handle,
        body: record.body,
        attributes: Attributes { approximate_receive_count: record.receives.to_string() },
        message_attributes: std::collections::BTreeMap::new(),
        event_source: "aws:sqs",
        event_source_arn: format!("arn:aws:sqs:local:000000000000:{function}"),
        aws_region: "local",
    });
    serde_json::to_vec(&Batch { records: records.collect() })
}

/// The messages of a batch that failed, by id. Nothing, `null` and an empty list mean that all succeeded; an answer
/// that can't be read, or an id that is empty or not of the batch, means that all failed.
pub fn failed_items(answer: &[u8], batch: &BTreeSet<String>) -> BTreeSet<String> {
    if answer.iter().all(u8::is_ascii_whitespace) {
        return BTreeSet::new();
    }
    let Ok(answer) = serde_json::from_slice::<Option<Answer>>(answer) else { return batch.clone() };
    let failures = answer.unwrap_or_default().batch_item_failures.unwrap_or_default();
    let failed: Option<BTreeSet<String>> =
        failures.into_iter().map(|failure| failure.item_identifier.filter(|id| batch.contains(id))).collect();
    failed.unwrap_or_else(|| batch.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> BTreeSet<String> {
        ["a", "b"].map(str::to_owned).into()
    }

    #[test]
    fn an_empty_answer_means_that_all_succeeded() {
        for answer in ["", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
            assert_eq!(failed_items(answer.as_bytes(), &batch()), BTreeSet::new(), "{answer}");
        }
    }

    #[test]
    fn failures_are_by_message() {
        let answer = br#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#;
        assert_eq!(failed_items(answer, &batch()), ["b".to_owned()].into());
    }

    #[test]
    fn an_answer_that_makes_no_sense_means_that_all_failed() {
        for answer in [
            "[1",
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#,
            r#"{"batchItemFailures":7}"#,
        ] {
            assert_eq!(failed_items(answer.as_bytes(), &batch()), batch(), "{answer}");
        }
    }

    #[test]
    fn the_event_is_what_sqs_sends() -> Result<(), Box<dyn std::error::Error>> {
        let (message_id, receipt_handle) = ("7".to_owned(), "7.1".to_owned());
        let record = SqsRecord { message_id, receipt_handle, body: "{\"a\":1}", receives: 2 };
        let event: serde_json::Value = serde_json::from_slice(&batch_event("greet", &[record])?)?;
        assert_eq!(
            event,
            serde_json::json!({"Records": [{
                "messageId": "7",
                "receiptHandle": "7.1",
                "body": "{\"a\":1}",
                "attributes": {"ApproximateReceiveCount": "2"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:local:000000000000:greet",
                "awsRegion": "local",
            }]})
        );
        Ok(())
    }
}
