//! A run that is paused: where it stood it stands, and nothing new starts. What executes ends its attempt, and waits go on;
//! what becomes due meanwhile is held until the run is resumed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Invoker, Phase, RunRecord};
use crate::{Decision, DecisionContext, later, limits};

/// The pause of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// The time since which it is paused.
    pub since: Timestamp,
    /// Is true where its attempts were used up: it is resumed with attempt 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_exhausted: bool,
}

/// A client pauses a run.
pub(super) fn pause(run: &RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    if run.paused.is_some() {
        return Decision::keep(run, vec![]);
    }
    let mut run = RunRecord { paused: Some(Pause { since: cx.now, is_exhausted: false }), ..run.clone() };
    if matches!(run.phase, Phase::Parked { .. }) {
        // It asks for a permit anew once it is resumed: by its revision, what it was promised meanwhile is none.
        run.phase = Phase::Queued;
        run.revision = run.revision.saturating_add(1);
    }
    run.stored(cx, vec![])
}

/// The attempts of a run are used up, and its task has it wait for a person.
pub(super) fn exhausted(mut run: RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    run.phase = Phase::Queued;
    run.paused = Some(Pause { since: cx.now, is_exhausted: true });
    run.due_at = cx.now;
    held(run, cx)
}

/// A due run waits for the run to be resumed: by its queue then, whatever was to call it.
pub(super) fn held(mut run: RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    run.phase = Phase::Queued;
    run.invoker = Invoker::Queue { generation: run.invoker.generation() };
    run.reconcile_count = 0;
    run.stored(cx, vec![])
}

/// A client resumes a run: it goes on where it stands, at once where it is due.
pub(super) fn resume(run: &RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    let Some(pause) = run.paused else { return Decision::keep(run, vec![]) };
    let mut run = RunRecord { paused: None, ..run.clone() };
    match run.phase {
        Phase::Queued => {
            run.due_at = run.due_at.max(cx.now);
            // Older messages, and permits that were given back, are dropped by their revision.
            run.revision = run.revision.saturating_add(1);
            if pause.is_exhausted {
                run.attempt = 1;
                run.iteration_at = Some(cx.now);
                run.resumed_count = run.resumed_count.saturating_add(1);
            }
            run.stored_and_delivered(cx)
        }
        // A signal may have been lost while nothing watched the run.
        Phase::Awaiting { .. } => {
            let soon = later(cx.now, limits::QUEUE_GRACE);
            run.reconcile_at = Some(run.reconcile_at.map_or(soon, |at| at.min(soon)));
            run.stored(cx, vec![])
        }
        _ => run.stored(cx, vec![]),
    }
}

impl RunRecord {
    /// Is true where nothing new may start.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }
}
