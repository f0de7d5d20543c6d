//! Retry policies: whether and when something that failed is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{days, limits::EVENT_AGE, minutes, seconds};

/// A retry policy: how many attempts, and how long between them.
///
/// The wait after attempt n is `min(max, jitter × min × factor^(n−1))`, rounded up to whole seconds, because SQS and
/// Step Functions wait no fraction of one; jitter is a random number from 1 to 2.
///
/// ```
/// use dacapo_domain::{Retry, minutes, seconds};
///
/// let patient = Retry::attempts(5).min(seconds(10)).max(minutes(5)).factor(3.0).jitter(false);
/// let waits = [1, 2, 3, 4].map(|attempt| patient.delay(attempt, 0.0).as_secs());
/// assert_eq!(waits, [10, 30, 90, 270]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Retry {
    attempts: u32,
    #[serde(rename = "minMs", with = "crate::ms")]
    min: Duration,
    #[serde(rename = "maxMs", with = "crate::ms")]
    max: Duration,
    factor: f64,
    jitter: bool,
    #[serde(rename = "ageMs", with = "crate::ms::or_none", skip_serializing_if = "Option::is_none")]
    age: Option<Duration>,
}

/// A retry policy that can't be followed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryError {
    /// A policy that allows not even the first attempt.
    #[error("retry with 0 attempts: the first try counts as one (write `Retry::never()` for one try and no more)")]
    NoAttempt,
    /// The growth is no number of at least 1.
    #[error("retry with a factor of {0}: it is a number of at least 1 (1 for a wait that doesn't grow)")]
    Factor(f64),
    /// The shortest wait is longer than the longest.
    #[error("retry with a shortest wait of {min:?} and a longest of {max:?} (raise `.max(…)` or lower `.min(…)`)")]
    MinAboveMax {
        /// The shortest wait.
        min: Duration,
        /// The longest wait.
        max: Duration,
    },
    /// The longest wait is longer than can be waited.
    #[error("retry with a longest wait of {0:?}: at most {LONGEST_WAIT:?} are allowed, a year")]
    MaxTooLong(Duration),
    /// There is no wait between attempts.
    #[error(
        "retry with a shortest wait of 0: it would be tried again at once, over and over (allowed: more than 0, rounded up to whole seconds; write `seconds(1)`)"
    )]
    NoWait,
    /// Nothing is ever young enough to be tried again.
    #[error("retry up to an age of 0: any attempt is older (write `Retry::never()` for one try and no more)")]
    NoAge,
}

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = days(365);

impl Default for Retry {
    /// The policy of tasks that name none: 3 attempts, from 1 s, doubled each time, at most 60 s, with jitter.
    fn default() -> Self {
        Self::attempts(3)
    }
}

impl Retry {
    /// A policy of so many attempts in all, the first included; the rest as by default.
    ///
    /// ```
    /// use dacapo_domain::{Retry, seconds};
    /// assert_eq!(Retry::attempts(3), Retry::default());
    /// assert_eq!(Retry::attempts(5).delay(1, 0.5), seconds(2)); // 1.5 s, rounded up
    /// ```
    #[must_use]
    pub const fn attempts(attempts: u32) -> Self {
        Self { attempts, min: seconds(1), max: seconds(60), factor: 2.0, jitter: true, age: None }
    }

    /// One attempt and no more.
    ///
    /// ```
    /// # use dacapo_domain::Retry;
    /// assert_eq!(Retry::never().max_attempts(), 1);
    /// ```
    #[must_use]
    pub const fn never() -> Self {
        Self::attempts(1)
    }

    /// At a steady interval, as often as it takes, for up to 14 days; [`at_most`](Self::at_most) and
    /// [`age`](Self::age) limit it.
    ///
    /// ```
    /// use dacapo_domain::{Retry, days, minutes};
    ///
    /// let hourly = Retry::every(minutes(60)).at_most(24);
    /// assert_eq!(hourly.delay(20, 0.9), minutes(60));
    /// assert_eq!(hourly.max_age(), Some(days(14)));
    /// ```
    #[must_use]
    pub const fn every(interval: Duration) -> Self {
        Self { attempts: u32::MAX, min: interval, max: interval, factor: 1.0, jitter: false, age: Some(EVENT_AGE) }
    }

    /// The policy of event handlers that name none: every six minutes, for up to 14 days.
    ///
    /// ```
    /// use dacapo_domain::{Retry, minutes};
    /// assert_eq!(Retry::of_events(), Retry::every(minutes(6)));
    /// ```
    #[must_use]
    pub const fn of_events() -> Self {
        Self::every(minutes(6))
    }

    /// At most so many attempts in all, the first included.
    #[must_use]
    pub const fn at_most(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The wait after the first attempt, before jitter.
    #[must_use]
    pub const fn min(self, min: Duration) -> Self {
        Self { min, ..self }
    }

    /// The longest wait.
    #[must_use]
    pub const fn max(self, max: Duration) -> Self {
        Self { max, ..self }
    }

    /// The factor by which each wait is longer than the one before, at least 1.
    #[must_use]
    pub const fn factor(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// Stretches waits by a random 1 to 2, or doesn't: what failed together shall not come again together.
    #[must_use]
    pub const fn jitter(self, jitter: bool) -> Self {
        Self { jitter, ..self }
    }

    /// The age past which nothing is tried again, counted from when it was first due.
    #[must_use]
    pub const fn age(self, age: Duration) -> Self {
        Self { age: Some(age), ..self }
    }

    /// Attempts in all, the first included.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.attempts
    }

    /// The age past which nothing is tried again, if there is one.
    #[must_use]
    pub const fn max_age(&self) -> Option<Duration> {
        self.age
    }

    /// The wait after this attempt, counted from 1, in whole seconds. `jitter_roll` is a random number from 0 to 1.
    ///
    /// Never panics, whatever the policy: one that [`check`](Self::check) refuses gives some wait of at most a year.
    ///
    /// ```
    /// use dacapo_domain::{Retry, seconds};
    ///
    /// let retry = Retry::attempts(10);
    /// assert_eq!(retry.delay(3, 0.0), seconds(4));
    /// assert_eq!(retry.delay(3, 0.99), seconds(8));
    /// assert_eq!(retry.delay(9, 0.0), seconds(60));
    /// ```
    #[must_use]
    pub fn delay(&self, attempt: u32, jitter_roll: f64) -> Duration {
        if self.min.is_zero() {
            return Duration::ZERO; // Nothing grows out of nothing, and 0 × infinity is no number.
        }
        let jitter = if self.jitter { 1.0 + jitter_roll.clamp(0.0, 1.0) } else { 1.0 };
        let exponent = f64::from(attempt.saturating_sub(1));
        // In milliseconds, since those are whole numbers: 0.1 s × 3 is more than 0.3 s, and would be rounded up.
        let wait_ms = jitter * as_ms(self.min) * self.factor.powf(exponent);
        let wait_ms = wait_ms.min(as_ms(self.max)).min(as_ms(LONGEST_WAIT));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a year; `as` makes NaN 0")]
        Duration::from_secs((wait_ms / 1_000.0).ceil() as u64)
    }

    /// Checks that the policy can be followed.
    ///
    /// # Errors
    /// Says what is wrong: 0 attempts, a factor below 1 or none, a shortest wait above the longest, a longest wait of
    /// more than a year, an age of 0, and a wait of 0 between attempts.
    ///
    /// ```
    /// # use dacapo_domain::Retry;
    /// let error = Retry::attempts(0).check().unwrap_err();
    /// assert!(error.to_string().contains("write `Retry::never()`"));
    /// ```
    pub fn check(&self) -> Result<(), RetryError> {
        if self.attempts == 0 {
            return Err(RetryError::NoAttempt);
        }
        if !self.factor.is_finite() || self.factor < 1.0 {
            return Err(RetryError::Factor(self.factor));
        }
        if self.min > self.max {
            return Err(RetryError::MinAboveMax { min: self.min, max: self.max });
        }
        if self.max > LONGEST_WAIT {
            return Err(RetryError::MaxTooLong(self.max));
        }
        if self.age.is_some_and(|age| age.is_zero()) {
            return Err(RetryError::NoAge);
        }
        if self.min.is_zero() && self.attempts > 1 {
            return Err(RetryError::NoWait);
        }
        Ok(())
    }
}

fn as_ms(duration: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a wait of 285 years is off by a microsecond")]
    let nanos = duration.as_nanos() as f64;
    nanos / 1e6
}
