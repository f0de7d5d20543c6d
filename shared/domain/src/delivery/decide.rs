//! What happens to a delivery, and what it leads to.

use super::{
    DeliveryPhase, DeliveryRecord,
    table::{DeliveryCell, DeliveryTransition as T, cell},
    transitions,
};
use crate::{AttemptError, Decision, DecisionContext, Header, Json, Machine, Subscription, Version};

/// What happens to a delivery.
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
    /// Its message came to the app's dead-letter queue.
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
    /// Its column in the table.
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
    /// Its place among the function's handlers of the event.
    pub handler: usize,
    /// What it failed with.
    pub error: AttemptError,
}

/// What the conductor has found out about an overdue delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryFacts {
    /// The function's queue has a backlog.
    Backlog,
    /// It has none.
    NoBacklog,
}

/// What a delivery is decided with: the function's handlers of the event as they are now, and the event's body.
#[derive(Clone, Copy, Debug)]
pub struct Subscribed<'a> {
    /// The handlers, in the order of their definition; none where the function no longer subscribes.
    pub handlers: &'a [Subscription],
    /// The body, for the dead-letter queue.
    pub body: &'a Json,
}

impl Machine for DeliveryRecord {
    const KIND: &'static str = "delivery";
    type Input = DeliveryInput;
    type Policy<'a> = Subscribed<'a>;

    fn header(&self) -> Header {
        Header {
            key: self.key(),
            version: self.version,
            reconcile_at: self.reconcile_at,
            expires_at_s: self.expires_at_s,
        }
    }

    fn decide(&self, input: &DeliveryInput, subscribed: Subscribed<'_>, cx: &DecisionContext) -> Decision<Self> {
        let from = self.phase.name();
        let DeliveryCell::Does(transition) = cell(from, input.name()) else { return Decision::keep(self, vec![]) };
        let decision = match (transition, input) {
            (T::TakeAttempt, DeliveryInput::Arrived { attempt }) => {
                transitions::arrived(self, *attempt, subscribed, cx)
            }
            (T::RecordCrash, DeliveryInput::Arrived { attempt } | DeliveryInput::Undelivered { attempt }) => {
                let taken = matches!(input, DeliveryInput::Arrived { .. });
                transitions::crashed(self, *attempt, taken, subscribed, cx)
            }
            (T::RecordFailure, DeliveryInput::FirstFailed(failures)) if self.is_fresh() => {
                transitions::failed(self, failures, subscribed, cx)
            }
            (T::RecordFailure, DeliveryInput::Failed(token, failures)) if self.holds(*token) => {
                transitions::failed(self, failures, subscribed, cx)
            }
            (T::RecordSuccess, DeliveryInput::Handled(token)) if self.holds(*token) => transitions::handled(self, cx),
            (T::Reconcile, DeliveryInput::Reconciled(facts)) => transitions::reconciled(self, *facts, subscribed, cx),
            (T::Redrive, _) => transitions::redriven(self, cx),
            _ => Decision::keep(self, vec![]), // Another attempt's, or a duplicate: the record rules.
        };
        let to = decision.record.phase.name();
        debug_assert!(from == to || transition.leads_to().contains(&to), "{transition:?}: {from:?} → {to:?}");
        decision
    }

    fn bears(&self, decided: &Self) -> bool {
        matches!(
            (&self.phase, &decided.phase),
            (DeliveryPhase::Handling(found), DeliveryPhase::Handling(taken))
                if taken.token == decided.version && found.token == taken.token
        )
    }
}

impl DeliveryRecord {
    fn holds(&self, token: Version) -> bool {
        matches!(&self.phase, DeliveryPhase::Handling(lease) if lease.token == token)
    }
}
