//! A delivery as people and programs are told of it.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DeliveryPhase, DeliveryRecord, HandlerRecord};
use crate::{Id, Json, Payloads, slot};

/// The state of a delivery, as people and programs are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It failed and is tried again, or an attempt executes.
    Retrying,
    /// Final, unless it is redriven: a handler at least is given up. It is a dead letter.
    Dropped,
    /// Final: all handlers are done.
    Delivered,
}

/// The text names no state of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a state of a delivery (allowed: retrying, dropped, delivered)")]
pub struct DeliveryStateError(String);

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Retrying, Self::Dropped, Self::Delivered];

    /// The state's name, as in records and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retrying => "retrying",
            Self::Dropped => "dropped",
            Self::Delivered => "delivered",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DeliveryState {
    type Err = DeliveryStateError;

    fn from_str(text: &str) -> Result<Self, DeliveryStateError> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| DeliveryStateError(text.to_owned()))
    }
}

/// A delivery that has failed at some time: one event at one function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeliveryView {
    /// The delivery's id: the event's id, the function and the event's name, with slashes between them.
    pub id: String,
    /// The event's id.
    pub event_id: Id,
    /// The event's name.
    pub name: String,
    /// The function.
    pub function: String,
    /// The state.
    pub state: DeliveryState,
    /// The time at which the event was published.
    pub published_at: Timestamp,
    /// Attempts that have ended, since it was redriven where it was; each handler has its own number.
    pub attempts: u32,
    /// The time at which the next attempt is due; none where it is over.
    pub next_try_at: Option<Timestamp>,
    /// The state of each handler that was called.
    pub handlers: Vec<HandlerRecord>,
    /// The code of the last error.
    pub error_code: Option<String>,
    /// The messages of the handlers that are not done, each once.
    pub error_message: Option<String>,
    /// The last error's chain of causes.
    pub error_stack: Option<String>,
    /// The number of times that it was redriven.
    pub redriven_count: u32,
    /// The event's body; none in a list, where it is stored apart from the record.
    pub body: Option<Json>,
    /// The time from which the record may be deleted, in Unix seconds; none while it is tried again.
    pub expires_at_s: Option<i64>,
}

impl DeliveryRecord {
    /// The state as it is told.
    #[must_use]
    pub const fn state(&self) -> DeliveryState {
        match self.phase {
            DeliveryPhase::Retrying | DeliveryPhase::Handling(_) => DeliveryState::Retrying,
            DeliveryPhase::Dropped => DeliveryState::Dropped,
            DeliveryPhase::Delivered => DeliveryState::Delivered,
        }
    }
}

impl DeliveryView {
    /// The view of a delivery and its payloads.
    #[must_use]
    pub fn new(delivery: &DeliveryRecord, mut payloads: Payloads) -> Self {
        let (state, error) = (delivery.state(), delivery.last_error());
        let is_over = state != DeliveryState::Retrying;
        let (error_code, error_message) = error.as_ref().map(|it| (it.code.clone(), it.message.clone())).unzip();
        Self {
            id: delivery.record_id(),
            event_id: delivery.event,
            name: delivery.name.clone(),
            function: delivery.function.clone(),
            state,
            published_at: delivery.published_at,
            attempts: if is_over { delivery.attempt } else { delivery.attempt.saturating_sub(1) },
            next_try_at: (!is_over).then_some(delivery.due_at),
            handlers: delivery.handlers.clone(),
            error_code,
            error_message,
            error_stack: error.and_then(|error| error.stack),
            redriven_count: delivery.redriven_count,
            body: payloads.take(slot::BODY),
            expires_at_s: delivery.expires_at_s,
        }
    }
}
