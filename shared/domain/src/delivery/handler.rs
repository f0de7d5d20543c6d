//! A handler's own part in a delivery: its attempts, its next try, its end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::DeliveryRecord;
use crate::{AttemptError, RecordedError};

/// The failure of one handler.
#[derive(Clone, Debug, PartialEq)]
pub struct HandlerFailure {
    /// The handler's name, as in its [`Subscription`](crate::Subscription).
    pub handler: String,
    /// The error.
    pub error: AttemptError,
}

/// The record of one handler in a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandlerRecord {
    /// The handler's name, as in its [`Subscription`](crate::Subscription).
    pub handler: String,
    /// The number of its attempts so far.
    pub attempts: u32,
    /// The handler's fate.
    pub state: HandlerState,
}

/// The state of one handler of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HandlerState {
    /// It succeeded: it is not called again for this delivery.
    Done,
    /// It failed and is called again.
    Retrying {
        /// The time of its next attempt.
        due_at: Timestamp,
        /// The error of its last attempt.
        error: RecordedError,
    },
    /// It failed, and its policy gives it no other attempt.
    GivenUp {
        /// The error of its last attempt.
        error: RecordedError,
    },
}

impl HandlerState {
    fn error(&self) -> Option<&RecordedError> {
        match self {
            Self::Done => None,
            Self::Retrying { error, .. } | Self::GivenUp { error } => Some(error),
        }
    }
}

impl DeliveryRecord {
    /// The number of the attempt that a handler makes where the delivery is taken at this time, from 1. `None` where it
    /// is not called: it is done, given up, or waits for a later time.
    #[must_use]
    pub fn attempt_of(&self, handler: &str, taken_at: Timestamp) -> Option<u32> {
        match self.handlers.iter().find(|known| known.handler == handler) {
            Some(HandlerRecord { attempts, state: HandlerState::Retrying { due_at, .. }, .. }) => {
                (*due_at <= taken_at).then(|| attempts.saturating_add(1))
            }
            Some(_) => None,
            // A record that names no handler tells of all of them.
            None if self.handlers.is_empty() => Some(self.attempt),
            // It was deployed, or got its name, after the others were called.
            None => Some(1),
        }
    }

    /// The error of the handlers that are not done: the first one's code, and all messages, each once.
    #[must_use]
    pub fn last_error(&self) -> Option<RecordedError> {
        let errors = || self.handlers.iter().filter_map(|known| known.state.error());
        let Some(first) = errors().next() else { return self.error.clone() };
        let mut messages: Vec<&str> = vec![];
        for error in errors() {
            if !messages.contains(&error.message.as_str()) {
                messages.push(&error.message);
            }
        }
        Some(RecordedError { message: messages.join("; "), ..first.clone() })
    }

    /// Notes what has become of a handler.
    pub(super) fn note(&mut self, handler: HandlerRecord) {
        match self.handlers.iter_mut().find(|known| known.handler == handler.handler) {
            Some(known) => *known = handler,
            None => self.handlers.push(handler),
        }
    }

    /// The soonest time that a handler waits for.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let due = self.handlers.iter().filter_map(|known| match &known.state {
            HandlerState::Retrying { due_at, .. } => Some(*due_at),
            HandlerState::Done | HandlerState::GivenUp { .. } => None,
        });
        due.min()
    }
}
