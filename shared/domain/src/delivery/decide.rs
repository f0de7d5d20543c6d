//! One way through: a delivery and what happens to it give the delivery as it should be, and what follows.

use super::{
    DeliveryInput, DeliveryPhase, DeliveryRecord, Subscribed,
    table::{DeliveryCell, DeliveryTransition as T, cell},
    transitions,
};
use crate::{Decision, DecisionContext, Header, Machine, Version};

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
