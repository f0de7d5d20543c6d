//! The faults that an app's processes meet, and how often each happens.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::trace::Trace;

/// The faults of an app's processes, and how often each happens: a share of a port's calls, 0 to 1.
///
/// A process that crashes does nothing more, and tells nothing: its message comes back when its visibility
/// ends, its lease ends in its time. So does one whose Lambda's timeout has passed. A throttled call was not made; one
/// whose reply is lost was.
#[derive(Clone, Debug)]
pub struct Faults {
    /// The process dies, just before the call is made or just after.
    pub crash: f64,
    /// The call is refused as transient.
    pub throttle: f64,
    /// The call is made, its reply is lost.
    pub lost_reply: f64,
    /// A message is sent twice, or a function called twice.
    pub duplicate: f64,
    /// A message comes later than asked for, and so after others; a timer up to a minute.
    pub late: f64,
    /// The longest time by which a message comes later: some seconds, or longer than its queue's visibility.
    pub latest: Duration,
    /// The call takes time, or its reply does: mostly milliseconds, at times as long as the slowest.
    pub slow: f64,
    /// The longest time that a call takes.
    pub slowest: Duration,
    /// The effects of a write are calls of their own that come after it, as on AWS: each may go wrong by itself, and
    /// the process may die between any two. Without, it is as in the embedded engine: they are part of the write, and a
    /// process gets its run with the attempt taken.
    pub effects_apart: bool,
    /// A service throttles, beside what is said above.
    pub throttling: Option<Throttling>,
    /// The most by which a process's clock is wrong, early or late: each has its own.
    pub skew: Duration,
    /// The faults that happen, by their numbers in the order in which they are drawn; all of them where it is `None`.
    pub only: Option<Arc<BTreeSet<u32>>>,
    /// The account of what happens, where one is kept.
    pub trace: Option<Trace>,
    /// The bug that the product has.
    #[cfg(feature = "planted-bugs")]
    pub bug: Option<crate::Bug>,
}

/// A service of AWS's whose calls a port stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Records.
    DynamoDb,
    /// Messages, and whether a queue has a backlog.
    Sqs,
    /// Timers and schedules.
    Scheduler,
    /// The wait loops' executions.
    StepFunctions,
    /// Invocations: a queue's messages come back when their visibility ends, a wait loop calls again a second later.
    Lambda,
}

/// A service that refuses a share of its calls for a while, again and again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throttling {
    /// The service.
    pub service: Service,
    /// The share of its calls, 0 to 1.
    pub share: f64,
    /// For so long, …
    pub lasts: Duration,
    /// … once in so long a time, from its beginning on.
    pub every: Duration,
}

impl Throttling {
    pub(crate) fn is_on(&self, now: Timestamp) -> bool {
        let since_midnight = now.as_millisecond().rem_euclid(86_400_000).unsigned_abs();
        u128::from(since_midnight) % self.every.as_millis().max(1) < self.lasts.as_millis()
    }
}

impl Default for Faults {
    /// About one call in six goes wrong, on AWS.
    fn default() -> Self {
        Self { crash: 0.03, throttle: 0.03, lost_reply: 0.03, duplicate: 0.05, late: 0.1, ..Self::none() }
    }
}

impl Faults {
    /// Nothing goes wrong; effects come after their write, as on AWS.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            crash: 0.0,
            throttle: 0.0,
            lost_reply: 0.0,
            duplicate: 0.0,
            late: 0.0,
            latest: Duration::from_secs(5),
            slow: 0.0,
            slowest: Duration::from_secs(20 * 60),
            effects_apart: true,
            throttling: None,
            skew: Duration::ZERO,
            only: None,
            trace: None,
            #[cfg(feature = "planted-bugs")]
            bug: None,
        }
    }
}
