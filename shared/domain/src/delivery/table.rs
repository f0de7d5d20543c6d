//! The table of a delivery's life: what each input does in each phase.

use super::{DeliveryInputName, DeliveryPhaseName};
use crate::diagram::{self, Arrow};

/// The meaning of an input in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryCell {
    /// It leads to this transition.
    Does(DeliveryTransition),
    /// It is ignored, for this reason.
    Ignored(&'static str),
}

/// A transition, as its function is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryTransition {
    /// Takes the attempt that is due.
    TakeAttempt,
    /// Records that the process of an attempt died.
    RecordCrash,
    /// Records what each handler came to: the delivery is over, or those that failed are tried again.
    RecordAttempt,
    /// Repairs what is overdue, and says when to look again.
    Reconcile,
    /// Begins anew, from the record.
    Redrive,
    /// Deletes the record.
    Delete,
}

/// The meaning of an input in a phase.
#[must_use]
pub const fn cell(phase: DeliveryPhaseName, input: DeliveryInputName) -> DeliveryCell {
    use DeliveryCell::{Does, Ignored};
    use DeliveryInputName as I;
    use DeliveryPhaseName::{Delivered, Dropped, Handling, Retrying};
    use DeliveryTransition as T;

    match (input, phase) {
        (I::Arrived, Retrying) => Does(T::TakeAttempt),
        (I::Arrived, Handling) => Does(T::RecordCrash),

        (I::Handled, Retrying) => Does(T::RecordAttempt),
        (I::Handled, Handling) => Ignored("a duplicate of the event's message: the record rules"),

        (I::AttemptEnded, Handling) => Does(T::RecordAttempt),
        (I::AttemptEnded, Retrying) => Ignored("no attempt holds the lease"),

        (I::Undelivered, Retrying | Handling) => Does(T::RecordCrash),

        (I::Reconciled, Retrying | Handling) => Does(T::Reconcile),

        (I::Redriven, Dropped) => Does(T::Redrive),
        (I::Deleted, Dropped) => Does(T::Delete),
        (I::Redriven | I::Deleted, Retrying | Handling) => Ignored("it is not over: its next attempt is on its way"),
        (I::Redriven | I::Deleted, Delivered) => Ignored("all handlers are done: it is no dead letter"),

        (I::Arrived | I::Handled | I::AttemptEnded | I::Undelivered | I::Reconciled, Delivered | Dropped) => {
            Ignored("the delivery is over")
        }
    }
}

impl DeliveryTransition {
    /// The phases that it may lead to from this one.
    #[must_use]
    pub const fn leads_to(self, from: DeliveryPhaseName) -> &'static [DeliveryPhaseName] {
        use DeliveryPhaseName::{Delivered, Dropped, Handling, Retrying};
        match self {
            // What arrives before its time is sent again; where a deploy has removed the handlers, none is called.
            Self::TakeAttempt => &[Retrying, Handling, Dropped],
            Self::Reconcile if matches!(from, Handling) => &[Handling, Retrying, Dropped],
            Self::RecordAttempt => &[Retrying, Delivered, Dropped],
            Self::RecordCrash | Self::Reconcile => &[Retrying, Dropped],
            Self::Redrive => &[Retrying],
            Self::Delete => &[],
        }
    }
}

/// The table as a Mermaid state diagram.
#[must_use]
pub fn diagram() -> String {
    let arrows = DeliveryPhaseName::ALL.into_iter().flat_map(|from| {
        DeliveryInputName::ALL.into_iter().flat_map(move |input| match cell(from, input) {
            DeliveryCell::Does(DeliveryTransition::Delete) => vec![Arrow { from, to: None, input }],
            DeliveryCell::Does(transition) => diagram::arrows(from, input, transition.leads_to(from)),
            DeliveryCell::Ignored(_) => vec![],
        })
    });
    diagram::draw(DeliveryPhaseName::Retrying, &[DeliveryPhaseName::Delivered, DeliveryPhaseName::Dropped], arrows)
}
