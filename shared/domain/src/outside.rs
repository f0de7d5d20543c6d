//! Messages of those who know nothing of Dacapo: the AWS command line, other programs, EventBridge's rules. All of them
//! go into the conductor's queue.

use jiff::Timestamp;
use serde::Deserialize;

use crate::{EventMessage, Id, Json, NameError, Start, UnreadableJson, check_event_name, hash128};

/// A message from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outside {
    /// A run is to be started.
    Start(Start),
    /// An event is published, to every function that subscribes to it.
    Publish(EventMessage),
}

/// The sending of a message, as its queue tells it: the same however often it is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent<'a> {
    /// The queue's id of the message.
    pub id: &'a str,
    /// The time at which it came into the queue.
    pub at: Timestamp,
}

/// A message from outside that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// It has not the form that its key promises.
    #[error("{0} ({expected})", expected = Outside::EXPECTED)]
    Form(#[from] serde_json::Error),
    /// The name of the event can't be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The body can't be used.
    #[error("the body can't be used: {0}")]
    Body(#[from] UnreadableJson),
}

/// `{"task": …, "body": …}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    task: String,
    #[serde(default)]
    body: Json,
}

/// `{"event": …, "body": …}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    event: String,
    #[serde(default)]
    body: Json,
}

/// An event of EventBridge, in the form in which a rule hands it on.
#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: Timestamp,
    detail: Json,
}

impl Outside {
    /// The forms that it may have, as an error says them.
    pub const EXPECTED: &str =
        r#"expected {"task": …, "body": …}, {"event": …, "body": …}, or an event of EventBridge"#;

    /// Reads a message. `None` where it has none of the keys `task`, `event` and `detail-type`: then it is Dacapo's own,
    /// or nothing.
    ///
    /// The run or event of one message has the same id however often it is read. That of an event of EventBridge is made
    /// of the event's own, so that it is the same also where a rule sends it twice.
    ///
    /// # Errors
    /// If it has one of them and can't be used.
    #[must_use]
    pub fn read(text: &str, sent: Sent<'_>) -> Option<Result<Self, OutsideError>> {
        let fields: std::collections::BTreeMap<String, Json> = serde_json::from_str(text).ok()?;
        let has = |key| fields.contains_key(key);
        if has("task") {
            return Some(start(text, sent));
        }
        if has("event") {
            return Some(publish(text, sent));
        }
        has("detail-type").then(|| hand_on(text, sent))
    }
}

fn start(text: &str, sent: Sent<'_>) -> Result<Outside, OutsideError> {
    let Task { task, body } = serde_json::from_str(text)?;
    body.check()?;
    Ok(Outside::Start(Start { task, body, execution: sent.id.to_owned(), started: sent.at }))
}

fn publish(text: &str, sent: Sent<'_>) -> Result<Outside, OutsideError> {
    let Event { event, body } = serde_json::from_str(text)?;
    event_message(Id::new(sent.at, hash128(sent.id)), event, body, sent)
}

fn hand_on(text: &str, sent: Sent<'_>) -> Result<Outside, OutsideError> {
    let Envelope { id, detail_type, time, detail } = serde_json::from_str(text)?;
    event_message(Id::new(time, hash128(&id)), detail_type, detail, sent)
}

/// The event counts from when it came: an archive that is replayed has events of long ago, which are to be tried again
/// for as long as others.
fn event_message(id: Id, name: String, body: Json, sent: Sent<'_>) -> Result<Outside, OutsideError> {
    check_event_name(&name)?;
    body.check()?;
    Ok(Outside::Publish(EventMessage::at(id, name, body, sent.at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Sent<'static> =
        Sent { id: "059f36b4-87a3-44ab-83d2-661975830a7d", at: Timestamp::constant(1_790_000_000, 0) };

    /// S3's own example of an event through EventBridge, cut.
    const OBJECT_CREATED: &str = r#"{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created",
        "source":"aws.s3","account":"111122223333","time":"2021-11-12T00:00:00Z","region":"ca-central-1",
        "resources":["arn:aws:s3:::shop-invoices"],"detail":{"version":"0","bucket":{"name":"shop-invoices"},
        "object":{"key":"7.pdf","size":5},"reason":"PutObject"}}"#;

    fn read(text: &str) -> Outside {
        Outside::read(text, SENT).unwrap().unwrap()
    }

    #[test]
    fn event_of_eventbridge_is_named_by_its_detail_type_and_has_its_detail_as_body() {
        let Outside::Publish(event) = read(OBJECT_CREATED) else { panic!("no event") };
        assert_eq!(event.name, "Object Created");
        let body: serde_json::Value = event.body.parse().unwrap();
        assert_eq!(body["object"]["key"], "7.pdf");
        assert_eq!((event.published_at, event.due_at, event.attempt), (SENT.at, SENT.at, 1));

        // A rule may send it twice, and SQS tells another id each time.
        let again = Outside::read(OBJECT_CREATED, Sent { id: "another", ..SENT }).unwrap().unwrap();
        assert_eq!(again, Outside::Publish(event.clone()));
        let Outside::Publish(other) = read(&OBJECT_CREATED.replace("17793124", "27793124")) else { panic!("no event") };
        assert_ne!(other.id, event.id, "another event of the same second");
    }

    #[test]
    fn message_that_names_a_task_or_an_event_has_one_id_however_often_it_is_received() {
        let Outside::Start(start) = read(r#"{"task": "resize", "body": {"n": 1.50}}"#) else { panic!("no start") };
        assert_eq!((start.task.as_str(), start.body.text()), ("resize", r#"{"n": 1.50}"#));
        assert_eq!(read(r#"{"task": "resize", "body": {"n": 1.50}}"#), Outside::Start(start.clone()));
        let other = Outside::read(r#"{"task": "resize"}"#, Sent { id: "another", ..SENT }).unwrap().unwrap();
        let Outside::Start(other) = other else { panic!("no start") };
        assert_ne!(other.run(), start.run());
        assert_eq!(other.body, Json::default());

        let text = r#"{"event": "user.joined", "body": {"email": "ada@example.org"}}"#;
        let Outside::Publish(event) = read(text) else { panic!("no event") };
        assert_eq!((event.name.as_str(), event.body.text()), ("user.joined", r#"{"email": "ada@example.org"}"#));
        assert_eq!(read(text), Outside::Publish(event));
    }

    #[test]
    fn message_that_can_not_be_used_says_what_is_wrong() {
        for (text, wrong) in [
            (r#"{"task": 7}"#, "invalid type: integer `7`, expected a string"),
            (r#"{"task": "resize", "body": 1, "key": "a"}"#, "unknown field `key`, expected `task` or `body`"),
            (r#"{"event": "user.joined", "when": "1 hour"}"#, "unknown field `when`, expected `event` or `body`"),
            (r#"{"event": "task.done"}"#, "task.done"),
            (r#"{"detail-type": "Object Created", "detail": {}}"#, "missing field `id`"),
            (r#"{"task": "resize", "body": "\ud800"}"#, "the body can't be used"),
        ] {
            let error = Outside::read(text, SENT).unwrap().unwrap_err().to_string();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }

    #[test]
    fn message_of_another_form_is_none_from_outside() {
        let notification = r#"{"Type": "Notification", "TopicArn": "arn", "Message": "{}"}"#;
        for text in [r#"{"run/1": {}}"#, r#"{"Records": [{"s3": {}}]}"#, notification, "[1]", "not JSON", "7"] {
            assert!(Outside::read(text, SENT).is_none(), "{text}");
        }
    }
}
