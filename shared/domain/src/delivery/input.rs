//! The inputs of a delivery.

use crate::{AttemptError, Json, Subscription, Version};

/// An input of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum DeliveryInput {
    /// The message of an attempt arrives: the event's own, received a second time, or the record's.
    Arrived {
        /// The attempt that it calls for.
        attempt: u32,
    },
    /// The event's own message arrived, and its handlers failed before there was a record.
    FirstFailed(Vec<HandlerFailure>),
    /// The attempt that holds the lease failed.
    Failed(Version, Vec<HandlerFailure>),
    /// The attempt that holds the lease succeeded.
    Handled(Version),
    /// The message came to the app's dead-letter queue.
    Undelivered {
        /// The attempt that it called for.
        attempt: u32,
    },
    /// The conductor reconciles it with what it found out.
    Reconciled(DeliveryFacts),
    /// A client sends it again.
    Redriven,
}

/// An input without what it holds: a column of the [table](super::table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named as its input")]
pub enum DeliveryInputName {
    Arrived,
    FirstFailed,
    Failed,
    Handled,
    Undelivered,
    Reconciled,
    Redriven,
}

impl DeliveryInputName {
    /// All inputs.
    pub const ALL: [Self; 7] = [
        Self::Arrived,
        Self::FirstFailed,
        Self::Failed,
        Self::Handled,
        Self::Undelivered,
        Self::Reconciled,
        Self::Redriven,
    ];
}

impl DeliveryInput {
    /// The input's column in the table.
    #[must_use]
    pub const fn name(&self) -> DeliveryInputName {
        match self {
            Self::Arrived { .. } => DeliveryInputName::Arrived,
            Self::FirstFailed(_) => DeliveryInputName::FirstFailed,
            Self::Failed(..) => DeliveryInputName::Failed,
            Self::Handled(_) => DeliveryInputName::Handled,
            Self::Undelivered { .. } => DeliveryInputName::Undelivered,
            Self::Reconciled(_) => DeliveryInputName::Reconciled,
            Self::Redriven => DeliveryInputName::Redriven,
        }
    }
}

/// The failure of one handler.
#[derive(Clone, Debug, PartialEq)]
pub struct HandlerFailure {
    /// The place among the function's handlers of the event.
    pub handler: usize,
    /// The error.
    pub error: AttemptError,
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
