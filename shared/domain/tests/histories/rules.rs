//! The rules that hold of every decision about every kind of record, whatever happens in whatever order.

use std::{collections::BTreeSet, fmt::Debug};

use dacapo_domain::{
    Change, Decision, DecisionContext, DeferredEvent, DeferredEventInput, DeliveryInput, DeliveryPhase, DeliveryRecord,
    Effect, FinalState, IdempotencyKey, IdempotencyKeyInput, Index, Input, Json, Machine, ManifestRecord, Message,
    Phase, RunRecord, ScheduleInput, ScheduleRecord, TokenRecord, TokenState, limits, sort_time,
};
use jiff::Timestamp;
use proptest::prelude::*;

pub type Checked = Result<(), TestCaseError>;

/// A kind, as far as the rules need to know it.
pub trait Ruled: Machine + PartialEq + Debug {
    /// The earliest moment of needed repair, plus its grace; `None` where nothing is left to repair.
    fn repair_at(&self, _now: Timestamp) -> Option<Timestamp> {
        None
    }

    /// The final state, if it has ended: forever.
    fn final_state(&self) -> Option<String> {
        None
    }

    fn is_failed_run(&self) -> bool {
        false
    }

    fn is_reconciliation(_input: &Self::Input) -> bool {
        false
    }

    /// Is true of an input that may begin anew what has ended.
    fn begins_anew(_input: &Self::Input) -> bool {
        false
    }
}

impl Ruled for RunRecord {
    fn repair_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.earliest_repair(now)
    }

    fn final_state(&self) -> Option<String> {
        match &self.phase {
            Phase::Ended(end) => Some(format!("{:?} at {}", end.state, end.at)),
            _ => None,
        }
    }

    fn is_failed_run(&self) -> bool {
        matches!(&self.phase, Phase::Ended(end) if end.state == FinalState::Failed)
    }

    fn is_reconciliation(input: &Input) -> bool {
        matches!(input, Input::Reconciled(_))
    }
}

impl Ruled for DeliveryRecord {
    fn repair_at(&self, _now: Timestamp) -> Option<Timestamp> {
        self.earliest_repair()
    }

    fn final_state(&self) -> Option<String> {
        matches!(self.phase, DeliveryPhase::Delivered | DeliveryPhase::Dropped).then(|| format!("{:?}", self.phase))
    }

    fn is_reconciliation(input: &DeliveryInput) -> bool {
        matches!(input, DeliveryInput::Reconciled(_))
    }

    fn begins_anew(input: &DeliveryInput) -> bool {
        *input == DeliveryInput::Redriven
    }
}

impl Ruled for DeferredEvent {
    fn repair_at(&self, _now: Timestamp) -> Option<Timestamp> {
        (!self.is_published).then(|| self.due_at + limits::QUEUE_GRACE)
    }

    fn final_state(&self) -> Option<String> {
        self.is_published.then(|| "published".to_owned())
    }

    fn is_reconciliation(input: &DeferredEventInput) -> bool {
        matches!(input, DeferredEventInput::Reconciled { .. })
    }

    fn begins_anew(input: &DeferredEventInput) -> bool {
        matches!(input, DeferredEventInput::PublishedAgain { .. })
    }
}

impl Ruled for ScheduleRecord {
    fn repair_at(&self, _now: Timestamp) -> Option<Timestamp> {
        self.reconcile_at
    }

    fn is_reconciliation(input: &ScheduleInput) -> bool {
        matches!(input, ScheduleInput::Reconciled)
    }
}
impl Ruled for TokenRecord {
    fn final_state(&self) -> Option<String> {
        (self.state != TokenState::Open).then(|| format!("{:?}", self.state))
    }
}

impl Ruled for IdempotencyKey {
    fn repair_at(&self, _now: Timestamp) -> Option<Timestamp> {
        self.expires_at_s.is_none().then(|| self.until + limits::QUEUE_GRACE)
    }

    fn begins_anew(input: &IdempotencyKeyInput) -> bool {
        matches!(input, IdempotencyKeyInput::Called(_))
    }
}

impl Ruled for ManifestRecord {}

pub fn check<M: Ruled>(before: &M, input: &M::Input, next: &Decision<M>, cx: &DecisionContext) -> Checked {
    let after = &next.record;
    match next.change {
        Change::Keep | Change::Delete => {
            prop_assert_eq!(before, after, "nothing is to be stored, so nothing has changed");
            prop_assert!(next.payloads.is_empty());
        }
        Change::Store => prop_assert_eq!(after.header().version, cx.version(), "each write leaves a version"),
    }
    if before.final_state().is_some() && !M::begins_anew(input) {
        prop_assert_eq!(before.final_state(), after.final_state(), "a final state never changes");
    }
    watched(before, input, next, cx)?;
    messages(next)?;
    if next.change == Change::Store { written(next) } else { Ok(()) }
}

/// Watched until settled.
fn watched<M: Ruled>(before: &M, input: &M::Input, next: &Decision<M>, cx: &DecisionContext) -> Checked {
    if next.change != Change::Store {
        return Ok(());
    }
    let (before, after) = (before.header().reconcile_at, &next.record);
    let (reconcile_at, repair_at) = (after.header().reconcile_at, after.repair_at(cx.now));
    prop_assert_eq!(reconcile_at.is_some(), repair_at.is_some(), "what is unsettled is watched, and nothing else");
    let (Some(reconcile_at), Some(repair_at)) = (reconcile_at, repair_at) else { return Ok(()) };
    if M::is_reconciliation(input) {
        let is_later = reconcile_at > cx.now;
        prop_assert!(is_later || after.final_state().is_some() || !next.effects.is_empty(), "the next time is later");
        return Ok(());
    }
    let starts = next.effects.iter().any(|effect| matches!(effect, Effect::StartWaitLoop { .. }));
    let latest = if starts { cx.now + limits::LOOP_GRACE } else { repair_at };
    prop_assert!(reconcile_at <= latest, "reconciled at {reconcile_at}, could need repair at {latest}");
    if let Some(before) = before.filter(|_| !M::begins_anew(input)) {
        prop_assert!(reconcile_at <= before, "only the conductor raises the time");
    }
    Ok(())
}

/// A message carries the run's record as it is stored, so that its receiver's first write is not lost.
fn messages<M: Ruled>(next: &Decision<M>) -> Checked {
    for effect in &next.effects {
        let Effect::Send { message, .. } = effect else { continue };
        if let Message::Run(message) = Message::from_text(message.text()).unwrap() {
            let seen = Json::of(&message.seen.unwrap()).unwrap();
            prop_assert_eq!(seen, Json::of(&next.record).unwrap());
        }
    }
    Ok(())
}

/// The write says the same as the record, and can be read again.
fn written<M: Ruled>(next: &Decision<M>) -> Checked {
    let write = next.write().unwrap();
    let header = next.record.header();
    prop_assert_eq!(&write.header, &header);
    prop_assert_eq!(&write.document.parse::<M>().unwrap(), &next.record, "read as it was written");
    let place = |index| write.index.iter().filter(move |entry| entry.index == index);
    let reconciled: Vec<&str> = place(Index::Reconcile).map(|entry| entry.sort.as_str()).collect();
    let expected: Vec<String> = header.reconcile_at.map(sort_time).into_iter().collect();
    prop_assert_eq!(reconciled, expected, "the conductor's index has the header's time");
    prop_assert_eq!(place(Index::Failed).count(), usize::from(next.record.is_failed_run()));
    let places: BTreeSet<_> = write.index.iter().map(|entry| (entry.index, &entry.partition, &entry.sort)).collect();
    prop_assert_eq!(places.len(), write.index.len(), "each place is told once");
    Ok(())
}
