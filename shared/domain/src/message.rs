//! What travels through queues and schedules. Each form carries its version in its name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Delivery, Id, Json, Purpose, Run};

/// A message in a function's queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// A run is due.
    #[serde(rename = "run/1")]
    Run(RunMessage),
    /// An event is to be handled.
    #[serde(rename = "event/1")]
    Event(EventMessage),
    /// A recorded delivery is due: from a schedule, which carries ids only.
    #[serde(rename = "delivery/1")]
    Delivery(DeliveryMessage),
    /// A schedule has fired.
    #[serde(rename = "fire/1")]
    Fire(Fire),
    /// An execution of the loop has ended: for the conductor.
    #[serde(rename = "ended/1")]
    Ended(Ended),
}

/// A run is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunMessage {
    /// Which.
    pub run: Id,
    /// For which attempt.
    pub purpose: Purpose,
    /// The record as its sender wrote it: where nobody has written since, it needs no read. Its version is
    /// demanded by the next write, so an old one does no harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Box<Run>>,
}

impl RunMessage {
    /// The message about a run as it was just written.
    #[must_use]
    pub fn about(run: &Run) -> Self {
        Self { run: run.id, purpose: run.purpose(), seen: Some(Box::new(run.clone())) }
    }

    /// The same without the record, for schedules: Scheduler rewrites what looks like its placeholders.
    #[must_use]
    pub fn ids(run: &Run) -> Self {
        Self { run: run.id, purpose: run.purpose(), seen: None }
    }
}

/// A published event, as every subscriber gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMessage {
    /// The event's id.
    pub id: Id,
    /// The event's name.
    pub name: String,
    /// The function that gets it.
    pub function: String,
    /// Its body.
    pub body: Json,
    /// When it was published.
    pub published_at: Timestamp,
    /// When the first delivery is due.
    pub due_at: Timestamp,
    /// Hops of the chain of runs and events that leads here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hops: u32,
    /// The attempt that this message is for, from 1. Beyond the first there is a [`Delivery`] on record.
    pub attempt: u32,
}

impl EventMessage {
    /// How long the event was held back on purpose, in milliseconds.
    #[must_use]
    pub fn delay_ms(&self) -> u64 {
        u64::try_from(crate::until(self.published_at, self.due_at).as_millis()).unwrap_or(u64::MAX)
    }
}

/// A recorded delivery is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryMessage {
    /// Which.
    pub delivery: String,
    /// For which attempt.
    pub attempt: u32,
}

impl DeliveryMessage {
    /// The message about a delivery on record.
    #[must_use]
    pub fn about(delivery: &Delivery) -> Self {
        Self { delivery: delivery.key(), attempt: delivery.attempt }
    }
}

/// A schedule has fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fire {
    /// The schedule's name, unique in the app.
    pub schedule: String,
    /// The time it fired for: a fire that comes twice has the same.
    pub time: Timestamp,
}

/// An execution of the loop has ended, as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The execution's name.
    pub execution: String,
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: String,
    /// The error's name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The cause, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Message {
    /// The message as it travels. U+FFFE and U+FFFF, which SQS refuses, are escaped.
    ///
    /// # Panics
    /// Never: all of a message's types can be serialized.
    #[must_use]
    pub fn to_text(&self) -> String {
        let text = serde_json::to_string(self).expect("a message can be serialized");
        if text.contains(['\u{fffe}', '\u{ffff}']) {
            return text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
        }
        text
    }

    /// Reads a message.
    ///
    /// # Errors
    /// If the text is no message of a version that this build knows.
    pub fn from_text(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
