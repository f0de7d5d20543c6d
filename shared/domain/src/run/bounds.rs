//! Bounds of a run's time: when it must have started, how long it may execute, and until when it is tried again.

use std::time::Duration;

use jiff::Timestamp;

use super::{Policy, RunRecord};
use crate::{AttemptError, DecisionContext, Retry, RetryHint, code, later, limits};

impl RunRecord {
    /// The time at which it was to start.
    pub(super) fn first_due(&self) -> Timestamp {
        self.scheduled_at.unwrap_or(self.created_at)
    }

    /// Is true once it may not start any more: by what its start said, else by its task's `ttl`.
    pub(super) fn is_past_start(&self, policy: &Policy, now: Timestamp) -> bool {
        self.start_by(policy).is_some_and(|start_by| start_by <= now)
    }

    /// The time by which it must start, where it hasn't yet.
    pub(super) fn start_by(&self, policy: &Policy) -> Option<Timestamp> {
        let start_by = self.start_by.or_else(|| Some(later(self.first_due(), policy.ttl?)));
        start_by.filter(|_| self.started_at.is_none())
    }

    /// The limit of an attempt that asks for this much: no more than `max_duration` leaves.
    #[must_use]
    pub fn attempt_limit(&self, asked: Duration, policy: &Policy) -> Duration {
        let spent = Duration::from_millis(self.handler_ms);
        policy.max_duration.map_or(asked, |max| asked.min(max.saturating_sub(spent)))
    }

    /// The failure of a run whose handlers took `max_duration` or longer, with what its attempt has spent in addition.
    #[must_use]
    pub fn overrun(&self, spent: Duration, policy: &Policy) -> Option<AttemptError> {
        let max = policy.max_duration?;
        let spent = Duration::from_millis(self.handler_ms).saturating_add(spent);
        let (spent_s, max_s) = (spent.as_secs_f64(), max.as_secs_f64());
        let message = format!("the handler took {spent_s} s in all (`max_duration`: {max_s} s)");
        (spent >= max).then(|| AttemptError::terminal(code::MAX_DURATION, message))
    }
}

impl Policy {
    /// The limit of one hook of the end.
    #[must_use]
    pub fn end_hook_limit(&self) -> Duration {
        self.timeout.min(limits::END_HOOK)
    }

    /// The limit of all hooks of the end together, each under its own.
    #[must_use]
    pub fn end_hooks_limit(&self) -> Duration {
        self.end_hook_limit().saturating_mul(limits::END_HOOKS)
    }
}

/// The time at which a failed attempt is tried again, if at all.
pub(super) fn next_try(
    run: &RunRecord,
    failed: &AttemptError,
    policy: &Policy,
    cx: &DecisionContext,
) -> Option<Timestamp> {
    // A stored input that stops parsing after a deploy waits an hour for the deploy that mends it.
    let patience = Retry::attempts(13).min(Duration::from_secs(300)).max(Duration::from_secs(300)).jitter(false);
    let retry = if failed.error.code == code::INPUT_MISMATCH { &patience } else { &policy.retry };
    let due_at = match failed.retry {
        RetryHint::Never => return None,
        RetryHint::ByPolicy => later(cx.now, retry.delay(run.attempt, cx.unit_interval())),
        RetryHint::At(at) => at.max(cx.now),
    };
    let age = crate::until(run.iteration_at.unwrap_or_else(|| run.first_due()), due_at);
    let is_too_old = retry.max_age().is_some_and(|max| age > max);
    (run.attempt < retry.max_attempts() && !is_too_old).then_some(due_at)
}

/// The end of the lease of an owner with this limit: a margin after the runner has stopped it.
pub(super) fn lease_until(since: Timestamp, limit: Duration) -> Timestamp {
    later(since, limit.min(limits::RUNNER_STOPS) + limits::LEASE_MARGIN)
}
