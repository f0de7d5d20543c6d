use std::time::Duration;

use dacapo_domain::{Retry, Schedule};

use super::Task;

/// Options. Each has a default, and replaces what was said before; `schedule` adds.
impl<I, O, V, N> Task<I, O, V, N> {
    /// The limit of one attempt: 1 s to 15 min, 30 s by default. What takes longer says `continue`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = timeout;
        self
    }

    /// The longest that `set_timeout` may raise the timeout to, 15 min by default; the Lambda's own timeout.
    pub fn max_timeout(mut self, max: Duration) -> Self {
        self.policy.max_timeout = max;
        self
    }

    /// The limit of a run's handler time over all iterations and attempts; waits don't count. A run that passes it
    /// fails with `MAX_DURATION`. None by default.
    pub fn max_duration(mut self, max: Duration) -> Self {
        self.policy.max_duration = Some(max);
        self
    }

    /// The number of calls of the handler for one run, retries apart, 500 by default. A run that says `continue` once
    /// more fails with `MAX_ITERATIONS`.
    pub fn max_iterations(mut self, max: u32) -> Self {
        self.policy.max_iterations = Some(max);
        self
    }

    /// Lets a run say `continue` as often as it likes.
    pub fn unlimited_iterations(mut self) -> Self {
        self.policy.max_iterations = None;
        self
    }

    /// The retry policy after a failed attempt: by default 3 attempts in all, 1 s and 2 s apart, stretched by a random 1 to 2.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.policy.retry = retry;
        self
    }

    /// The time that a finished run is kept, 14 days by default.
    pub fn history(mut self, kept: Duration) -> Self {
        self.policy.history = kept;
        self
    }

    /// Lets a run that hasn't started this long after it was due expire. None by default.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.policy.ttl = Some(ttl);
        self
    }

    /// The Lambda's memory: 128 to 10,240 MB, 256 by default, or a [`Machine`](crate::Machine).
    pub fn memory(mut self, mb: impl Into<u32>) -> Self {
        self.memory_mb = mb.into();
        self
    }

    /// Forbids to start the task by name: from the command line, the dashboard, or by direct invocation.
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Starts a run with this body whenever the schedule fires. A task may have any number.
    pub fn schedule(mut self, schedule: Schedule, body: I) -> Self {
        self.schedules.push((schedule, body));
        self
    }
}
