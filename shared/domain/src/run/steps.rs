//! The steps and tokens of a run, whose records stand beside its own: how many there are, and how long they are kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Policy, RunRecord};
use crate::{Change, Decision, json::is_zero, later, limits};

/// The steps of a run and its tokens, as far as its record knows of them.
///
/// They are stored without a look at their run, so each has an expiry from the beginning: two days after a run that ends
/// with the attempt would be forgotten. The record knows the earliest, and moves it before it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Steps {
    /// The number of steps, as far as they are counted.
    #[serde(skip_serializing_if = "is_zero")]
    pub count: u32,
    /// The number of tokens, as far as they are counted.
    #[serde(skip_serializing_if = "is_zero")]
    pub tokens: u32,
    /// Is true where there may be more of both: a process died, and has not said how many it stored.
    #[serde(rename = "uncounted", skip_serializing_if = "is_zero")]
    pub are_uncounted: bool,
    /// Is true once their expiry was moved far ahead.
    #[serde(rename = "kept", skip_serializing_if = "is_zero")]
    pub are_kept: bool,
    /// The time from which the first of them may be deleted, in Unix seconds.
    pub expire_at_s: i64,
}

impl Steps {
    /// Is true where there may be a step.
    #[must_use]
    pub fn may_exist(&self) -> bool {
        self.are_uncounted || self.count > 0
    }

    /// Is true where there may be a token.
    #[must_use]
    pub fn may_have_tokens(&self) -> bool {
        self.are_uncounted || self.tokens > 0
    }

    /// Is true where something may stand beside the run that expires by itself.
    fn may_expire(&self) -> bool {
        self.may_exist() || self.may_have_tokens()
    }

    fn expiring(self, expire_at_s: i64) -> Self {
        let expire_at_s = if self.may_expire() { self.expire_at_s.min(expire_at_s) } else { expire_at_s };
        Self { expire_at_s, ..self }
    }
}

impl RunRecord {
    /// The time from which a step or token of the attempt that executes may be deleted, in Unix seconds.
    #[must_use]
    pub fn step_expires_at_s(&self, policy: &Policy) -> i64 {
        let since = self.lease().map_or(self.due_at, |lease| lease.since);
        later(since, policy.history.saturating_add(limits::STEPS_OUTLIVE)).as_second()
    }

    /// Counts those that an attempt has stored.
    pub(super) fn add_steps(&mut self, stored: u32, tokens: u32, policy: &Policy) {
        if stored > 0 || tokens > 0 {
            let steps = self.steps.expiring(self.step_expires_at_s(policy));
            let (count, tokens) = (steps.count.saturating_add(stored), steps.tokens.saturating_add(tokens));
            self.steps = Steps { count, tokens, ..steps };
        }
    }

    /// The run after an attempt whose process died, if one did: it may have stored some.
    pub(super) fn with_uncounted_steps(&self, policy: &Policy) -> Self {
        let expiring = self.steps.expiring(self.step_expires_at_s(policy));
        let steps = if self.lease().is_some() { Steps { are_uncounted: true, ..expiring } } else { self.steps };
        Self { steps, ..self.clone() }
    }

    /// The time at which the expiry of the steps is to be moved, where there are any and the run is unfinished.
    pub(super) fn steps_due(&self) -> Option<Timestamp> {
        let expire_at = Timestamp::from_second(self.steps.expire_at_s).ok()?;
        let may_need_them = self.steps.may_expire() && !self.phase.is_final();
        may_need_them.then(|| expire_at.saturating_sub(limits::STEPS_GRACE).unwrap_or(expire_at))
    }

    /// The run with its steps kept for longer, where that is due.
    pub(super) fn with_steps_kept(&self, now: Timestamp) -> Option<Self> {
        self.steps_due().filter(|due| *due <= now)?;
        let expire_at_s = later(now, limits::STEPS_LIFE).as_second();
        Some(Self { steps: Steps { expire_at_s, are_kept: true, ..self.steps }, ..self.clone() })
    }

    /// Lets the steps expire with the run, from this time on: gives the expiry that they get, unless their own is near
    /// enough.
    pub(super) fn move_steps(&mut self, kept_until: Timestamp) -> Option<i64> {
        let (from_s, to_s) = (kept_until.as_second() + 1, later(kept_until, limits::STEPS_OUTLIVE).as_second() + 1);
        let is_near = !self.steps.are_kept && (from_s..=to_s).contains(&self.steps.expire_at_s);
        if !self.steps.may_expire() || is_near {
            return None;
        }
        self.steps = Steps { expire_at_s: from_s, are_kept: false, ..self.steps };
        Some(from_s)
    }
}

impl Decision<RunRecord> {
    /// The decision about a run whose steps are kept for longer; where it ends, it has said for how long.
    pub(super) fn with_steps_moved(self) -> Self {
        let moves = self.change == Change::Store && !self.record.phase.is_final();
        Self { expiry_beside_s: if moves { Some(self.record.steps.expire_at_s) } else { self.expiry_beside_s }, ..self }
    }
}
