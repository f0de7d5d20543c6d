//! Waiting for a signal: "write, then look", on both sides.
//!
//! The run is stored as awaiting first, and then its process looks whether the signal has come before; what sends a
//! signal stores that it has come first, and then signals. So it comes at least once, and a second one finds nothing that
//! awaits it. Of what dies in between, the conductor looks once the attempt's lease would have ended, then each day.

use jiff::Timestamp;

use super::{Invoker, Phase, RunRecord, Signal};
use crate::{Decision, DecisionContext, Effect, Wait, Work};

impl Wait {
    /// The signal that ends the wait before an iteration, and the time that ends it without: none where a wait loop
    /// keeps the time.
    pub(super) fn signal(&self, iteration: u32) -> Option<(Signal, Option<Timestamp>)> {
        match self {
            Self::After(_) | Self::At(_) => None,
            Self::Token { name, until, .. } => Some((Signal::Token { name: name.clone() }, *until)),
            Self::Children(_) => Some((Signal::Children { iteration }, None)),
        }
    }
}

/// The run waits for a signal. Its queue brings the next iteration, whatever brought this one.
pub(super) fn awaits(
    mut run: RunRecord,
    signal: Signal,
    until: Option<Timestamp>,
    cx: &DecisionContext,
) -> Decision<RunRecord> {
    run.phase = Phase::Awaiting { signal, until };
    run.invoker = Invoker::Queue { generation: run.invoker.generation() };
    let mut decision = run.stored(cx, vec![]);
    if until.is_some() {
        decision.effects.push(decision.record.deliver(cx.now));
    }
    decision.then(Work::LookForSignal)
}

/// A signal has come: the next iteration is due, if it is the one that the run waits for.
pub(super) fn signalled(run: &RunRecord, came: &Signal, cx: &DecisionContext) -> Decision<RunRecord> {
    match &run.phase {
        Phase::Awaiting { signal, .. } if signal == came => woken(run, cx),
        _ => Decision::keep(run, vec![]),
    }
}

/// The wait is over: a message calls for the next iteration.
pub(super) fn woken(run: &RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    let was_on_timer = run.is_on_timer(cx.now);
    let mut run = run.clone();
    run.phase = Phase::Queued;
    run.due_at = cx.now;
    run.iteration_at = Some(cx.now);
    run.reconcile_count = 0;
    let mut decision = run.stored_and_delivered(cx);
    if was_on_timer {
        decision.effects.push(Effect::CancelTimer { timer: decision.record.timer() });
    }
    decision
}
