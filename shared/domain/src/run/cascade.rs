//! An abort from outside: of the run itself, and on its way to what that has started.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FinalState, Phase, Policy, RunRecord, end};
use crate::{Decision, DecisionContext, later, limits, text::cut};

/// An abort on its way to the children of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cascade {
    /// The time at which it was asked for.
    pub since: Timestamp,
    /// Is true once it has reached all of them.
    #[serde(default, rename = "done", skip_serializing_if = "std::ops::Not::not")]
    pub is_done: bool,
}

impl RunRecord {
    /// The abort that has not reached all of its children yet.
    #[must_use]
    pub fn pending_cascade(&self) -> Option<Cascade> {
        self.cascade.filter(|cascade| !cascade.is_done)
    }

    /// The message of the abort that ends whatever it has started: one that was asked for, unless the run has ended well
    /// all the same.
    #[must_use]
    pub fn abort_of_children(&self) -> Option<String> {
        self.cascade?;
        let message = match &self.phase {
            Phase::Ended(end) if end.state == FinalState::Completed => return None,
            Phase::Ended(end) => end.message.as_deref(),
            _ => self.abort(),
        };
        let message = message.map(|message| format!(": {message}")).unwrap_or_default();
        Some(format!("its parent, run {}, was aborted{message}", self.id))
    }
}

/// An abort from outside ends a run that doesn't execute; what it has started is to end too.
pub(super) fn abort(run: &RunRecord, message: String, policy: &Policy, cx: &DecisionContext) -> Decision<RunRecord> {
    let mut run = run.with_uncounted_steps(policy);
    if run.started_at.is_some() {
        run.cascade = Some(Cascade { since: cx.now, is_done: false });
    }
    end::finish(run, FinalState::Aborted, Some(message), policy, cx)
}

/// The conductor has aborted the children that it found: the last ones, since an index has them all by now.
pub(super) fn children_aborted(run: &RunRecord, cx: &DecisionContext) -> Decision<RunRecord> {
    match run.pending_cascade() {
        Some(Cascade { since, .. }) if later(since, limits::LEASE_GRACE) <= cx.now => {
            let cascade = Some(Cascade { since, is_done: true });
            RunRecord { cascade, reconcile_at: None, ..run.clone() }.stored(cx, vec![])
        }
        _ => Decision::keep(run, vec![]),
    }
}

/// A client asks to end a run that executes: its attempt is told so, and what it has started is to end.
pub(super) fn request_abort(run: &RunRecord, message: &str, cx: &DecisionContext) -> Decision<RunRecord> {
    let mut next = run.clone();
    match &mut next.phase {
        Phase::Running { abort: abort @ None, .. } => *abort = Some(cut(message.to_owned(), limits::TEXT_BYTES)),
        _ => return Decision::keep(run, vec![]),
    }
    next.cascade = Some(Cascade { since: cx.now, is_done: false });
    next.stored(cx, vec![])
}
