//! A deferred event: one that is due beyond the queue's longest delay. The conductor publishes it to those who
//! subscribe when it is due.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    CONDUCTOR, Decision, DecisionContext, DeferredMessage, Effect, EventMessage, Header, Id, Json, Machine, Message,
    RecordKey, TraceParent, Version, Work, hash128, json::is_zero, later, limits,
};

/// The record of a deferred event, its body apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeferredEvent {
    /// The event's id.
    pub event: Id,
    /// The event's name.
    pub name: String,
    /// The name of the last write.
    pub version: Version,
    /// Is true where its publisher chose the id.
    #[serde(default, rename = "named", skip_serializing_if = "std::ops::Not::not")]
    pub is_named: bool,
    /// Is true once it has been published to its subscribers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_published: bool,
    /// The time at which its publisher published it.
    pub published_at: Timestamp,
    /// The time at which it is due.
    pub due_at: Timestamp,
    /// Hops of the chain that leads here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hops: u32,
    /// The trace that it belongs to, and the place in it that started it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "TraceParent::read")]
    pub traceparent: Option<TraceParent>,
    /// The time at which the conductor reconciles it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_at: Option<Timestamp>,
    /// The number of times in a row that the conductor found nothing to repair.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reconcile_count: u32,
    /// The time from which the record may be deleted, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_s: Option<i64>,
}

/// An input of a deferred event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeferredEventInput {
    /// The publisher publishes it again, due then.
    PublishedAgain {
        /// The time at which it is published.
        published_at: Timestamp,
        /// The time at which it is due.
        due_at: Timestamp,
    },
    /// The message arrives at the conductor.
    Arrived,
    /// It has been sent to its subscribers.
    Published,
    /// The conductor reconciles it; whether its queue has a backlog.
    Reconciled {
        /// Is true where something visible waits in the conductor's queue.
        backlog: bool,
    },
}

impl DeferredEvent {
    /// A new deferred event and what brings it to the conductor.
    #[must_use]
    pub fn create(event: &EventMessage, cx: &DecisionContext) -> Decision<Self> {
        let record = Self {
            event: event.id,
            name: event.name.clone(),
            version: cx.version(),
            is_named: event.is_named,
            is_published: false,
            published_at: event.published_at,
            due_at: event.due_at,
            hops: event.hops,
            traceparent: event.traceparent,
            reconcile_at: Some(later(event.due_at.max(cx.now), limits::QUEUE_GRACE)),
            reconcile_count: 0,
            expires_at_s: None,
        };
        let deliver = record.deliver(cx.now);
        Decision::store(record, vec![deliver])
    }

    /// The key of the record of this id.
    #[must_use]
    pub fn key_of(record_id: &str) -> RecordKey {
        RecordKey::new(Self::KIND, record_id)
    }

    /// The event as its subscribers get it; each gets its own name in it.
    #[must_use]
    pub fn event_message(&self, body: Json) -> EventMessage {
        EventMessage {
            id: self.event,
            name: self.name.clone(),
            function: String::new(),
            body,
            published_at: self.published_at,
            due_at: self.due_at,
            hops: self.hops,
            traceparent: self.traceparent,
            attempt: 1,
            is_named: self.is_named,
        }
    }

    fn record_id(&self) -> String {
        format!("{}/{}", self.event, self.name)
    }

    fn message(&self) -> Message {
        Message::Deferred(DeferredMessage { event: self.record_id() })
    }

    fn deliver(&self, now: Timestamp) -> Effect {
        let timer = || format!("event-{:032x}", hash128(&self.record_id()));
        Effect::deliver_at(self.due_at, now, CONDUCTOR, timer, |_| self.message())
    }
}

impl Machine for DeferredEvent {
    const KIND: &'static str = "event";
    type Input = DeferredEventInput;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        Header {
            key: Self::key_of(&self.record_id()),
            version: self.version,
            reconcile_at: self.reconcile_at,
            expires_at_s: self.expires_at_s,
        }
    }

    fn decide(&self, input: &DeferredEventInput, (): (), cx: &DecisionContext) -> Decision<Self> {
        use DeferredEventInput::{Arrived, Published, PublishedAgain, Reconciled};
        let now = cx.now;
        match (self.is_published, input) {
            // Those who handled it know it; others may subscribe since.
            (true, PublishedAgain { published_at, due_at }) => {
                let (published_at, due_at) = (*published_at, *due_at);
                let event = EventMessage { published_at, due_at, ..self.event_message(Json::default()) };
                Self::create(&event, cx)
            }
            (false, PublishedAgain { .. }) => Decision::keep(self, vec![]),
            (true, _) => Decision::keep(self, vec![]),
            (false, Arrived) if now < self.due_at => Decision::keep(self, vec![self.deliver(now)]),
            (false, Arrived) => Decision::keep(self, vec![]).then(Work::Publish),
            (false, Published) => {
                let expires_at_s = Some((now + limits::HISTORY).as_second() + 1);
                let (is_published, version) = (true, cx.version());
                let next = Self { is_published, version, reconcile_at: None, expires_at_s, ..self.clone() };
                Decision::store(next, vec![])
            }
            (false, Reconciled { backlog }) => {
                let pause = limits::reconcile_pause(self.reconcile_count);
                let reconcile_at = Some(later(self.due_at, limits::QUEUE_GRACE).max(later(now, pause)));
                let (version, reconcile_count) = (cx.version(), self.reconcile_count.saturating_add(1));
                let is_lost = !backlog && self.due_at <= now;
                let send = if is_lost { vec![Effect::send(CONDUCTOR, &self.message())] } else { vec![] };
                Decision::store(Self { version, reconcile_at, reconcile_count, ..self.clone() }, send)
            }
        }
    }
}
