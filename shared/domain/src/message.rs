//! Messages, which travel through queues and schedules, and direct invocations of a function. Each form carries its
//! version in its name.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    AWS_SCHEDULED_TIME, Id, Json, PoolId, Purpose, RunRecord, TraceParent, WaitLoopCall, hash128,
    json::is_zero,
    run::{ExecutionEnd, RetriedCall},
};

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
    /// A deferred event is due: for the conductor.
    #[serde(rename = "deferred/1")]
    Deferred(DeferredMessage),
    /// A schedule has fired.
    #[serde(rename = "fire/1")]
    Fire(Fire),
    /// A permit may be free for those that wait: for the conductor.
    #[serde(rename = "pool/1")]
    Pool(PoolMessage),
    /// An execution of the wait loop has ended: for the conductor.
    #[serde(rename = "ended/1")]
    ExecutionEnded(ExecutionEnded),
}

/// A run is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunMessage {
    /// The run.
    pub run: Id,
    /// The attempt that it calls for.
    pub purpose: Purpose,
    /// The record as its sender wrote it: unless it was written since, it needs no read. Its version is
    /// demanded by the next write, so an old one does no harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Box<RunRecord>>,
}

impl RunMessage {
    /// The message about a run as it was just written.
    #[must_use]
    pub fn about(run: &RunRecord) -> Self {
        Self { run: run.id, purpose: run.purpose(), seen: Some(Box::new(run.clone())) }
    }

    /// The same without the record, for schedules: Scheduler rewrites what looks like its placeholders.
    #[must_use]
    pub fn ids(run: &RunRecord) -> Self {
        Self { run: run.id, purpose: run.purpose(), seen: None }
    }
}

/// The id of an event that its publisher named. No time is part of it: the same text names the same event whenever it is
/// published. The event's name is, since another event may bear the same text.
#[must_use]
pub fn chosen_event_id(name: &str, text: &str) -> Id {
    Id::new(Timestamp::UNIX_EPOCH, hash128(&format!("{}/{name}/{text}", name.len())))
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
    /// The body.
    pub body: Json,
    /// The time at which it was published.
    pub published_at: Timestamp,
    /// The time at which the first delivery is due.
    pub due_at: Timestamp,
    /// Hops of the chain of runs and events that leads here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hops: u32,
    /// The trace that it belongs to, and the place in it that started it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "TraceParent::read")]
    pub traceparent: Option<TraceParent>,
    /// The attempt that this message is for, from 1. Beyond the first there is a record of the delivery.
    pub attempt: u32,
    /// Is true where its publisher chose the id: a success is recorded too, so that the same event published again is
    /// handled once.
    #[serde(default, rename = "named", skip_serializing_if = "std::ops::Not::not")]
    pub is_named: bool,
}

impl EventMessage {
    /// An event that is published and due then, for no function yet: each subscriber gets its own. It has no publisher, no
    /// trace and no id of one's choosing.
    #[must_use]
    pub fn at(id: Id, name: impl Into<String>, body: Json, at: Timestamp) -> Self {
        Self {
            id,
            name: name.into(),
            function: String::new(),
            body,
            published_at: at,
            due_at: at,
            hops: 0,
            traceparent: None,
            attempt: 1,
            is_named: false,
        }
    }

    /// The time by which the event was delayed on purpose, in milliseconds.
    #[must_use]
    pub fn delay_ms(&self) -> u64 {
        u64::try_from(crate::until(self.published_at, self.due_at).as_millis()).unwrap_or(u64::MAX)
    }
}

/// A recorded delivery is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryMessage {
    /// The id of its record.
    pub delivery: String,
    /// The attempt that it calls for.
    pub attempt: u32,
}

/// A deferred event is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeferredMessage {
    /// The id of its record.
    pub event: String,
}

/// A permit may be free for those that wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolMessage {
    /// The pool.
    pub pool: PoolId,
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

/// An execution of the wait loop has ended, as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionEnded {
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
    /// The time of its start: one started by hand is found by it. Step Functions tells it in Unix milliseconds.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "jiff::fmt::serde::timestamp::millisecond::optional::serialize",
        deserialize_with = "told_time"
    )]
    pub started: Option<Timestamp>,
}

/// Reads a time in Unix milliseconds, or as text, in which LocalStack tells it.
fn told_time<'de, D: Deserializer<'de>>(told: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Told {
        Ms(#[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")] Timestamp),
        Text(Timestamp),
    }
    let (Told::Ms(time) | Told::Text(time)) = Told::deserialize(told)?;
    Ok(Some(time))
}

impl ExecutionEnded {
    /// The failure that it ended with: `None` where it succeeded.
    #[must_use]
    pub fn how(&self) -> Option<ExecutionEnd> {
        ExecutionEnd::of(&self.status, self.error.as_deref(), self.cause.as_deref())
    }

    /// The run and the generation that the execution's name is made of; of one that was started by hand, the run that
    /// its [`Start`] made. `None` where such a one's start isn't told.
    #[must_use]
    pub fn run(&self) -> Option<(Id, u32)> {
        let parts = self.execution.rsplit_once('-');
        let own = parts.and_then(|(id, generation)| Some((id.parse().ok()?, generation.parse().ok()?)));
        own.or_else(|| Some((started_by_hand(&self.execution, self.started?), 1)))
    }
}

/// The run of an execution that was started by hand: the same each time it is asked for.
fn started_by_hand(execution: &str, started: Timestamp) -> Id {
    Id::new(started, hash128(execution))
}

impl Message {
    /// The message as it travels. U+FFFE and U+FFFF, which SQS refuses, are escaped.
    ///
    /// # Panics
    /// Never: all of a message's types can be serialized.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "its types can be serialized, and two letters that are escaped keep it JSON"
    )]
    pub fn to_json(&self) -> Json {
        let json = Json::of(self).expect("a message can be serialized");
        if !json.text().contains(['\u{fffe}', '\u{ffff}']) {
            return json;
        }
        let escaped = json.text().replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
        Json::from_text(escaped).expect("JSON with two characters escaped is JSON")
    }

    /// The name of its form, as it travels.
    #[must_use]
    pub const fn form(&self) -> &'static str {
        match self {
            Self::Run(_) => "run/1",
            Self::Event(_) => "event/1",
            Self::Delivery(_) => "delivery/1",
            Self::Deferred(_) => "deferred/1",
            Self::Fire(_) => "fire/1",
            Self::Pool(_) => "pool/1",
            Self::ExecutionEnded(_) => "ended/1",
        }
    }

    /// The same as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_json().text().to_owned()
    }

    /// A message's text with the time of its fire. EventBridge Scheduler writes it in place of [`AWS_SCHEDULED_TIME`]; where
    /// a service leaves the placeholder as it is, as emulators do, it is the time at which the message was sent.
    #[must_use]
    pub fn timed(text: &str, sent_at: Timestamp) -> Cow<'_, str> {
        if text.starts_with(r#"{"fire/1":"#) && text.contains(AWS_SCHEDULED_TIME) {
            return text.replace(AWS_SCHEDULED_TIME, &sent_at.to_string()).into();
        }
        text.into()
    }

    /// The trace that a message's run or event belongs to; read only where the text speaks of one.
    #[must_use]
    pub fn traceparent_in(text: &str) -> Option<TraceParent> {
        #[derive(Deserialize)]
        struct Traced {
            #[serde(default, deserialize_with = "TraceParent::read")]
            traceparent: Option<TraceParent>,
        }
        #[derive(Deserialize)]
        enum Peek {
            #[serde(rename = "run/1")]
            Run { seen: Option<Traced> },
            #[serde(rename = "event/1")]
            Event(Traced),
        }
        if !text.contains(r#""traceparent":"#) {
            return None;
        }
        match serde_json::from_str(text).ok()? {
            Peek::Run { seen } => seen?.traceparent,
            Peek::Event(event) => event.traceparent,
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// If the text is no message of a version that this build knows.
    pub fn from_text(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// A direct invocation that is Dacapo's own; any other JSON is a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Invocation {
    /// A wait loop calls a task's function.
    #[serde(rename = "loop/2")]
    Called(RetriedCall),
    /// The same without its retries: by the embedded engine, which makes none, or by an execution that was started before
    /// calls told of them.
    #[serde(rename = "loop/1")]
    Loop(WaitLoopCall),
    /// A wait loop tells the conductor that a call ended in no answer.
    #[serde(rename = "crash/1")]
    Crash(CrashReport),
    /// A wait loop was started by hand: the conductor makes the run.
    #[serde(rename = "start/1")]
    Start(Start),
    /// A minute has passed: the conductor reconciles what is overdue.
    #[serde(rename = "sweep/1")]
    Sweep {},
    /// The app was deployed: the conductor stores the manifest that it carries.
    #[serde(rename = "deployed/1")]
    Deployed {},
}

/// A call of a function ended in no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashReport {
    /// The call.
    pub call: WaitLoopCall,
    /// The error, as the service tells it.
    pub cause: String,
    /// The number of times that this was told in vain.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
}

/// A wait loop was started by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The task's name.
    pub task: String,
    /// The body.
    #[serde(default)]
    pub body: Json,
    /// The execution's name.
    pub execution: String,
    /// The time of its start.
    pub started: Timestamp,
}

impl Start {
    /// The id of the run to make.
    #[must_use]
    pub fn run(&self) -> Id {
        started_by_hand(&self.execution, self.started)
    }
}

impl Invocation {
    /// Reads a payload: `None` where it is not Dacapo's own, and so a body.
    #[must_use]
    pub fn read(payload: &Json) -> Option<Result<Self, serde_json::Error>> {
        const OWN: [&str; 6] = ["loop/2", "loop/1", "crash/1", "start/1", "sweep/1", "deployed/1"];
        let fields: std::collections::BTreeMap<String, Json> = payload.parse().ok()?;
        let mut keys = fields.keys();
        let own = matches!((keys.next(), keys.next()), (Some(key), None) if OWN.contains(&key.as_str()));
        own.then(|| payload.parse())
    }
}
