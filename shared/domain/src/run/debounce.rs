//! A later call under the key of a debounced run that waits for its time.

use jiff::Timestamp;

use super::{Key, Phase, Policy, RunRecord, attempt};
use crate::{Debounce, Decision, DecisionContext, Edge, Json, slot};

/// A later call: its body takes the place of the former one, and its delay begins anew.
///
/// No message is sent where the time moves on: the former one comes early, and is sent on. Not so for a run that may
/// have asked for a permit, whose revision tells what it was promised from what it asks for next.
pub(super) fn debounced(
    run: &RunRecord,
    body: &Json,
    due_at: Timestamp,
    policy: &Policy,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    let Some((key, debounce)) = run.waits_for_calls() else { return Decision::keep(run, vec![]) };
    let due_at = debounce.bounded(due_at);
    let last_call = Some(cx.version());
    let key = Key { debounce: Some(Debounce { last_call, ..*debounce }), ..key.clone() };
    let mut next = RunRecord { key: Some(key), version: cx.version(), ..run.clone() };
    let is_put_off = cx.now < run.due_at && run.due_at < due_at && run.invoker.is_queue() && policy.limits.is_none();
    let decision = if due_at.max(cx.now) == run.due_at.max(cx.now) {
        match run.phase {
            Phase::Parked { .. } => Decision::store(next, vec![]),
            _ => next.stored(cx, vec![]),
        }
    } else if is_put_off {
        next.move_to(due_at);
        next.reconcile_count = 0;
        next.stored(cx, vec![])
    } else {
        attempt::rescheduled(&next, due_at, cx)
    };
    decision.with(slot::BODY, body.clone())
}

impl RunRecord {
    /// Is true while a later call under its key is its own.
    #[must_use]
    pub fn takes_calls_over(&self) -> bool {
        self.waits_for_calls().is_some()
    }

    /// The key and the debounce of a run that has not started, and takes later calls over.
    fn waits_for_calls(&self) -> Option<(&Key, &Debounce)> {
        let key = self.key.as_ref().filter(|_| self.started_at.is_none())?;
        let debounce = key.debounce.as_ref().filter(|debounce| debounce.edge == Edge::Trailing)?;
        matches!(self.phase, Phase::Queued | Phase::Parked { .. }).then_some((key, debounce))
    }

    /// Is true where it has taken over the call that this decision was about.
    pub(super) fn has_taken_over(&self, decided: &Self) -> bool {
        let last_call = |run: &Self| run.key.as_ref().and_then(|key| key.debounce?.last_call);
        last_call(decided) == Some(decided.version) && last_call(self) == last_call(decided)
    }
}
