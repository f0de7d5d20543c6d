//! A delivery: one event at one function. It has a record only once it has failed, or once its message was received a
//! second time, or where its publisher chose the event's id; another success at the first try writes nothing. The
//! event's body is apart from the record.

mod decide;
mod handler;
mod measured;
mod places;
pub mod table;
mod view;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use handler::{HandlerFailure, HandlerRecord, HandlerState};
pub use view::{DeliveryState, DeliveryStateError, DeliveryView};

use crate::{
    DeliveryMessage, Effect, EventMessage, Id, Json, Lease, Machine, Message, RecordKey, RecordedError, Subscription,
    TraceParent, Version, hash128, json::is_zero, later, limits,
};

/// The record of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRecord {
    /// The event's id.
    pub event: Id,
    /// The event's name.
    pub name: String,
    /// The function it is for.
    pub function: String,
    /// The name of the last write.
    pub version: Version,
    /// The phase.
    pub phase: DeliveryPhase,
    /// The time at which the event was published.
    pub published_at: Timestamp,
    /// The time at which the first delivery was due, whatever came of it since: what its handlers start is named by it.
    pub first_due_at: Timestamp,
    /// The time of its last redrive, where it was sent again from the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redriven_at: Option<Timestamp>,
    /// The time at which the next attempt is due: the soonest that a handler waits for.
    pub due_at: Timestamp,
    /// The attempt that executes or comes next, from 1. It is the delivery's; each handler has its own number.
    pub attempt: u32,
    /// The records of each handler that was called; none of a record that knows of no call, or was written by a
    /// former build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handlers: Vec<HandlerRecord>,
    /// Hops of the chain that leads here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hops: u32,
    /// The trace that it belongs to, and the place in it that started it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "TraceParent::read")]
    pub traceparent: Option<TraceParent>,
    /// The number of times that it was redriven.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub redriven_count: u32,
    /// The error of the last attempt, where it is no handler's own, or was written by a former build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
    /// The time at which the conductor reconciles it; a record that was never stored has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_at: Option<Timestamp>,
    /// The number of times in a row that the conductor found nothing to repair.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reconcile_count: u32,
    /// The time from which the record may be deleted, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_s: Option<i64>,
}

/// A phase of a delivery, with what means something there alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryPhase {
    /// An attempt is due, or will be.
    Retrying,
    /// An attempt executes, or its process died and its lease has not been found out yet.
    Handling(Lease),
    /// All handlers are done.
    Delivered,
    /// The others are done, and one at least is given up: too old, or too many attempts.
    Dropped,
}

/// A phase without what it holds: a row of the [table].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named as its phase")]
pub enum DeliveryPhaseName {
    Retrying,
    Handling,
    Delivered,
    Dropped,
}

/// An input of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum DeliveryInput {
    /// The message of an attempt arrives: the event's own, received a second time, or the record's.
    Arrived {
        /// The attempt that it calls for.
        attempt: u32,
    },
    /// The event's own message arrived, and its handlers were called before there was a record: those that failed.
    Handled(Vec<HandlerFailure>),
    /// The attempt that holds the lease has ended: the handlers that failed.
    AttemptEnded(Version, Vec<HandlerFailure>),
    /// The message came to the app's dead-letter queue.
    Undelivered {
        /// The attempt that it called for.
        attempt: u32,
    },
    /// The conductor reconciles it with what it found out.
    Reconciled(DeliveryFacts),
    /// A client sends it again.
    Redriven,
    /// A client deletes it.
    Deleted,
}

/// An input without what it holds: a column of the [table].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named as its input")]
pub enum DeliveryInputName {
    Arrived,
    Handled,
    AttemptEnded,
    Undelivered,
    Reconciled,
    Redriven,
    Deleted,
}

/// A finding of the conductor about an overdue delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryFacts {
    /// The function's queue has a backlog.
    Backlog,
    /// It has none.
    NoBacklog,
}

/// The policy of a delivery: the function's handlers of the event as they are now, and the event's body.
#[derive(Clone, Copy, Debug)]
pub struct Subscribed<'a> {
    /// The handlers, in the order of their definition; none where the function no longer subscribes.
    pub handlers: &'a [Subscription],
    /// The body, for the dead-letter queue.
    pub body: &'a Json,
}

impl DeliveryPhaseName {
    /// All phases, in the order of a delivery's life.
    pub const ALL: [Self; 4] = [Self::Retrying, Self::Handling, Self::Delivered, Self::Dropped];
}

impl DeliveryPhase {
    /// The phase's row in the table.
    #[must_use]
    pub const fn name(&self) -> DeliveryPhaseName {
        match self {
            Self::Retrying => DeliveryPhaseName::Retrying,
            Self::Handling(_) => DeliveryPhaseName::Handling,
            Self::Delivered => DeliveryPhaseName::Delivered,
            Self::Dropped => DeliveryPhaseName::Dropped,
        }
    }
}

impl DeliveryRecord {
    /// The record of an event's delivery that was never stored.
    #[must_use]
    pub fn fresh(event: &EventMessage) -> Self {
        Self {
            event: event.id,
            name: event.name.clone(),
            function: event.function.clone(),
            version: Version(0),
            phase: DeliveryPhase::Retrying,
            published_at: event.published_at,
            first_due_at: event.due_at,
            redriven_at: None,
            due_at: event.due_at,
            attempt: event.attempt,
            handlers: vec![],
            hops: event.hops,
            traceparent: event.traceparent,
            redriven_count: 0,
            error: None,
            reconcile_at: None,
            reconcile_count: 0,
            expires_at_s: None,
        }
    }

    /// Is true of one that was never stored: a stored one that is not over is always reconciled some day.
    fn is_fresh(&self) -> bool {
        self.reconcile_at.is_none() && self.expires_at_s.is_none()
    }

    /// The earliest time at which the record could need repair, plus the grace: `None` where it never will.
    #[must_use]
    pub fn earliest_repair(&self) -> Option<Timestamp> {
        match &self.phase {
            DeliveryPhase::Retrying => Some(later(self.due_at, limits::QUEUE_GRACE)),
            DeliveryPhase::Handling(lease) => Some(later(lease.until, limits::LEASE_GRACE)),
            DeliveryPhase::Delivered | DeliveryPhase::Dropped => None,
        }
    }

    /// The id of the record. The event's name is part of it: two events may bear one id that their publishers chose.
    #[must_use]
    pub fn record_id(&self) -> String {
        format!("{}/{}/{}", self.event, self.function, self.name)
    }

    /// The key of the record.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        RecordKey::new(Self::KIND, self.record_id())
    }

    /// The time from which its age counts: that of its last redrive, or the one at which it was first due, whichever is later.
    #[must_use]
    pub fn aged_from(&self) -> Timestamp {
        self.redriven_at.map_or(self.first_due_at, |at| at.max(self.first_due_at))
    }

    /// The event as its function gets it.
    #[must_use]
    pub fn event_message(&self, body: Json) -> EventMessage {
        EventMessage {
            id: self.event,
            name: self.name.clone(),
            function: self.function.clone(),
            body,
            published_at: self.published_at,
            due_at: self.first_due_at,
            hops: self.hops,
            traceparent: self.traceparent,
            attempt: self.attempt,
            is_named: false, // It is on record by now.
        }
    }

    /// The message that calls for what is due.
    fn message(&self) -> Message {
        Message::Delivery(DeliveryMessage { delivery: self.record_id(), attempt: self.attempt })
    }

    /// Brings the delivery to its function when it is due.
    fn deliver(&self, now: Timestamp) -> Effect {
        let timer = || format!("delivery-{:032x}", hash128(&self.record_id()));
        Effect::deliver_at(self.due_at, now, &self.function, timer, |_| self.message())
    }
}

impl DeliveryInputName {
    /// All inputs.
    pub const ALL: [Self; 7] = [
        Self::Arrived,
        Self::Handled,
        Self::AttemptEnded,
        Self::Undelivered,
        Self::Reconciled,
        Self::Redriven,
        Self::Deleted,
    ];
}

impl DeliveryInput {
    /// The input's column in the table.
    #[must_use]
    pub const fn name(&self) -> DeliveryInputName {
        match self {
            Self::Arrived { .. } => DeliveryInputName::Arrived,
            Self::Handled(_) => DeliveryInputName::Handled,
            Self::AttemptEnded(..) => DeliveryInputName::AttemptEnded,
            Self::Undelivered { .. } => DeliveryInputName::Undelivered,
            Self::Reconciled(_) => DeliveryInputName::Reconciled,
            Self::Redriven => DeliveryInputName::Redriven,
            Self::Deleted => DeliveryInputName::Deleted,
        }
    }
}
