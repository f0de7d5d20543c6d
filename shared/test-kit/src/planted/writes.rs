//! The effect of a bug on a write, or on the effects that follow from one.

use std::time::Duration;

use dacapo_domain::{
    DeliveryRecord, Effect, HandlerState, Header, Index, Json, Machine, Message, Phase, PoolRecord, RunRecord,
    ScheduleRecord, Write, hash128, later, slot, until,
};

use super::Bug;

/// One in so many messages that a bug loses.
const ONE_IN: u64 = 4;
/// The time by which a run is watched too late.
const TOO_LATE: Duration = Duration::from_secs(3 * 3_600);

/// The write as the bug has it; `seen` is the header that it replaces.
pub fn changed(bug: Bug, write: &Write, seen: Option<&Header>) -> Write {
    let mut write = write.clone();
    write.effects.retain(|effect| !is_lost(bug, effect));
    match bug {
        Bug::EndHooksForgotten => edit::<RunRecord>(&mut write, |run| {
            if let Phase::Ended(end) = &mut run.phase {
                end.hooks_pending = false;
                run.reconcile_at = None;
            }
        }),
        Bug::Unwatched if seen.is_some() => edit::<RunRecord>(&mut write, |run| run.reconcile_at = None),
        Bug::RetryNotCounted => edit::<RunRecord>(&mut write, |run| {
            if matches!(run.phase, Phase::Queued) {
                run.attempt = run.attempt.saturating_sub(1).max(1);
            }
        }),
        Bug::LeaseEndsEarly => edit::<RunRecord>(&mut write, |run| {
            if let Phase::Running { lease, .. } = &mut run.phase
                && lease.token == run.version
            {
                lease.until = later(lease.since, until(lease.since, lease.until) / 4);
                run.reconcile_at = Some(lease.until);
            }
        }),
        Bug::WatchedTooLate => {
            edit::<RunRecord>(&mut write, |run| run.reconcile_at = run.reconcile_at.map(|at| later(at, TOO_LATE)));
        }
        Bug::InputForgotten if seen.is_some() => drop(write.payloads.take(slot::INPUT)),
        Bug::PauseForgotten => edit::<ScheduleRecord>(&mut write, |schedule| schedule.paused = false),
        Bug::DoneHandlerForgotten => edit::<DeliveryRecord>(&mut write, |delivery| {
            delivery.handlers.retain(|handler| handler.state != HandlerState::Done);
        }),
        _ => {}
    }
    write
}

/// Is true of an effect that never happens.
pub fn is_lost(bug: Bug, effect: &Effect) -> bool {
    let one_in_some = |message: &Json| hash128(message.text()).is_multiple_of(ONE_IN.into());
    match (bug, effect) {
        (Bug::EventLost, Effect::Send { message, .. }) => {
            one_in_some(message) && matches!(Message::from_text(message.text()), Ok(Message::Event(_)))
        }
        (Bug::MessageLost, Effect::Send { message, .. }) => {
            one_in_some(message) && matches!(Message::from_text(message.text()), Ok(Message::Run(_)))
        }
        (Bug::TimerLost, Effect::SendAt { .. }) | (Bug::ExecutionNotStarted, Effect::StartWaitLoop { .. }) => true,
        _ => false,
    }
}

/// Is true where a bug stores a record over one that its writer has not seen.
pub fn overwrites(bug: Bug, write: &Write, found: &RunOrOther) -> bool {
    let is_run = write.header.key.kind == RunRecord::KIND;
    match bug {
        Bug::LateOutcomeCounts => is_run && !found.is_final(),
        Bug::FinalStateChanges => is_run && found.is_final(),
        Bug::AbortOverwritten => is_run && found.is_to_be_aborted(),
        Bug::PermitGivenTwice => write.header.key.kind == PoolRecord::KIND,
        _ => false,
    }
}

/// A record that was found: a run, or something else.
pub struct RunOrOther(Option<RunRecord>);

impl RunOrOther {
    pub fn read(document: &Json) -> Self {
        Self(document.parse().ok())
    }

    fn is_final(&self) -> bool {
        self.0.as_ref().is_some_and(|run| run.phase.is_final())
    }

    fn is_to_be_aborted(&self) -> bool {
        self.0.as_ref().is_some_and(|run| run.abort().is_some())
    }
}

/// Changes a record of a kind in its write.
fn edit<M: Machine>(write: &mut Write, change: impl FnOnce(&mut M)) {
    if write.header.key.kind != M::KIND {
        return;
    }
    let Ok(mut record) = write.document.parse::<M>() else { return };
    change(&mut record);
    let Ok(document) = Json::of(&record) else { return };
    write.document = document;
    write.header = record.header();
    if write.header.reconcile_at.is_none() {
        write.index.retain(|entry| entry.index != Index::Reconcile);
    }
}
