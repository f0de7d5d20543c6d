use std::time::Duration;

use aws_sdk_scheduler::primitives::DateTime;
use jiff::Timestamp;
use tokio::time::Instant;

use super::plan::Plan;

/// The service may tell the time of a change in whole seconds. For so long after a change was seen another one may
/// bear the same time.
const SAME_TIME: Duration = Duration::from_millis(1_100);

/// A schedule as the firer saw it last.
pub(super) struct Known {
    pub(super) plan: Plan,
    /// Fires up to here are done.
    pub(super) done: Timestamp,
    /// The time at which this plan was first seen, by a clock that the service has no part in.
    seen: Instant,
    /// Is true where any later change bears another time.
    is_settled: bool,
}

impl Known {
    /// A plan that was just read.
    pub(super) fn new(plan: Plan, done: Timestamp, now: Instant) -> Self {
        Self { plan, done, seen: now, is_settled: false }
    }

    /// Takes note that the service was asked again, and keeps what it kept.
    pub(super) fn is_the_same(&mut self, asked: Instant) {
        self.is_settled |= asked >= self.seen + SAME_TIME;
    }

    /// Is true where the service may keep something else by now, given the list's time of the last change.
    pub(super) fn may_have_changed(&self, modified: Option<&DateTime>) -> bool {
        !self.is_settled || self.plan.modified() != modified
    }

    /// The fires that are due and not done.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Timestamp> {
        self.plan.due(self.done, now)
    }

    /// Is true once it has fired for the last time and asks to be deleted then.
    pub(super) fn is_used_up(&self) -> bool {
        self.plan.is_deleted_after_once() && self.due(Timestamp::MAX).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_scheduler::types::ScheduleState;

    use super::{super::plan::tests::plan, *};

    fn known(expression: &str) -> Known {
        Known::new(plan(expression, "UTC", ScheduleState::Enabled), Timestamp::MIN, Instant::now())
    }

    #[test]
    fn plan_is_read_again_until_its_second_is_over() {
        let mut known = known("rate(1 hour)");
        let modified = known.plan.modified().copied();
        assert!(known.may_have_changed(modified.as_ref()), "another change may follow in this second");
        known.is_the_same(known.seen + Duration::from_millis(900));
        assert!(known.may_have_changed(modified.as_ref()), "still in this second");
        known.is_the_same(known.seen + SAME_TIME);
        assert!(!known.may_have_changed(modified.as_ref()), "another change would bear another time");
        let later = modified.map(|modified| DateTime::from_secs(modified.secs() + 1));
        assert!(known.may_have_changed(later.as_ref()));
    }

    #[test]
    fn schedule_is_used_up_once_it_has_fired_and_not_while_it_is_disabled() {
        let mut once = known("at(2026-03-27T08:00:00)");
        assert!(!once.is_used_up());
        once.done = "2026-03-27T08:00:00Z".parse().unwrap();
        assert!(once.is_used_up());
        let mut again = known("rate(1 hour)");
        again.done = Timestamp::MAX;
        assert!(!again.is_used_up());
        let disabled = plan("at(2026-03-27T08:00:00)", "UTC", ScheduleState::Disabled);
        assert!(!Known::new(disabled, Timestamp::MIN, Instant::now()).is_used_up());
    }
}
