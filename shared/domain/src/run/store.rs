//! A run as it is stored: its key, and what brings it to its function.

use jiff::Timestamp;

use super::{RunRecord, WaitLoopCall};
use crate::{Decision, DecisionContext, Effect, Machine, Message, RecordKey, RunMessage, limits};

impl RunRecord {
    /// The key of a run's record.
    #[must_use]
    pub fn key_of(id: crate::Id) -> RecordKey {
        RecordKey::new(Self::KIND, id.to_string())
    }

    /// The partition of a task's runs in the indexes.
    #[must_use]
    pub fn partition(task: &str) -> String {
        format!("run/{task}")
    }

    /// Stores a changed record. The conductor's time is moved forward where the change asks for it, never back.
    ///
    /// Invariant: *watched until settled*. Only the conductor, which clears it first, raises `reconcile_at`.
    pub(super) fn stored(mut self, cx: &DecisionContext, effects: Vec<Effect>) -> Decision<Self> {
        self.version = cx.version();
        let starts = effects.iter().any(|effect| matches!(effect, Effect::StartWaitLoop { .. }));
        let wanted = if starts { Some(cx.now + limits::LOOP_GRACE) } else { self.earliest_repair(cx.now) };
        self.reconcile_at = match (self.reconcile_at, wanted) {
            (_, None) => None,
            (None, wanted) => wanted,
            (Some(former), Some(wanted)) => Some(former.min(wanted)),
        };
        Decision::store(self, effects)
    }

    /// Stores a changed record and brings it to its function when it is due; a wait loop is answered with the time.
    ///
    /// The message carries the record as it is stored, so that its receiver need not read.
    pub(super) fn stored_and_delivered(self, cx: &DecisionContext) -> Decision<Self> {
        let mut decision = self.stored(cx, vec![]);
        if decision.record.invoker.is_queue() {
            decision.effects.push(decision.record.deliver(cx.now));
        }
        decision
    }

    /// The message that calls for what is due.
    #[must_use]
    pub fn message(&self) -> Message {
        Message::Run(RunMessage::about(self))
    }

    /// Brings the run to its function when it is due.
    pub(super) fn deliver(&self, now: Timestamp) -> Effect {
        let message = |whole| if whole { self.message() } else { Message::Run(RunMessage::ids(self)) };
        Effect::deliver_at(self.due_at, now, &self.function(), || self.timer(), message)
    }

    /// Sends its message at once.
    pub(super) fn send(&self) -> Effect {
        Effect::send(&self.function(), &self.message())
    }

    /// Starts the execution of the record's generation.
    pub(super) fn start_wait_loop(&self, now: Timestamp) -> Effect {
        let call = WaitLoopCall::first(self, now);
        Effect::StartWaitLoop { execution: self.execution_name(), call, until: self.due_at }
    }
}
