//! Now, by AWS's clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use aws_sdk_dynamodb::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeDeserializationInterceptorContextRef},
    error::BoxError,
};
use dacapo::port::{Clock, SystemClock};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};

/// A clock that follows the `Date` header of AWS's answers, so that a laptop's clock decides nothing.
///
/// The header has whole seconds and travels for a while, so a clock that is less than two seconds off is left alone,
/// and of all answers the one that travelled least is believed. Before the first it is the machine's own.
#[derive(Clone, Debug)]
pub struct AwsClock {
    /// How far the machine is behind, at least: an answer that took long seems to say that it is ahead.
    behind_ms: Arc<AtomicI64>,
}

/// Nothing is known yet.
const UNKNOWN: i64 = i64::MIN;

/// What the header doesn't tell: the part of a second that it leaves out, and how long the answer took.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

impl AwsClock {
    /// Learns from an answer that was made at `date` and came at `received`, by the machine's clock.
    fn learn(&self, date: Timestamp, received: Timestamp) {
        let behind_ms = i64::try_from(date.duration_since(received).as_millis()).unwrap_or_default();
        self.behind_ms.fetch_max(behind_ms, Relaxed);
    }

    fn offset(&self) -> SignedDuration {
        match self.behind_ms.load(Relaxed) {
            UNKNOWN => SignedDuration::ZERO,
            ms => Some(SignedDuration::from_millis(ms)).filter(|offset| offset.abs() > TOLERANCE).unwrap_or_default(),
        }
    }
}

impl Default for AwsClock {
    fn default() -> Self {
        Self { behind_ms: Arc::new(AtomicI64::new(UNKNOWN)) }
    }
}

impl Clock for AwsClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        now.checked_add(self.offset()).unwrap_or(now)
    }

    fn random(&self) -> u64 {
        SystemClock.random()
    }
}

impl Intercept for AwsClock {
    fn name(&self) -> &'static str {
        "AwsClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date").and_then(read) {
            self.learn(date, SystemClock.now());
        }
        Ok(())
    }
}

/// Reads a header such as `Sat, 21 Nov 2026 19:00:58 GMT`.
fn read(date: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_that_is_ten_minutes_fast_is_set_back() {
        let clock = AwsClock::default();
        clock.learn(at("2026-11-21T19:00:58Z"), at("2026-11-21T19:10:58Z"));
        let behind = SystemClock.now().duration_since(clock.now());
        assert_eq!(behind.as_secs(), 600);
    }

    #[test]
    fn a_clock_that_is_right_to_the_second_is_left_alone() {
        let clock = AwsClock::default();
        clock.learn(at("2026-11-21T19:00:58Z"), at("2026-11-21T19:00:59.9Z"));
        assert_eq!(clock.offset(), SignedDuration::ZERO);
    }

    #[test]
    fn a_slow_answer_sets_no_clock_back_that_a_fast_one_has_found_right() {
        let clock = AwsClock::default();
        clock.learn(at("2026-11-21T19:00:58Z"), at("2026-11-21T19:00:58.3Z"));
        clock.learn(at("2026-11-21T19:01:00Z"), at("2026-11-21T19:01:05Z"));
        assert_eq!(clock.offset(), SignedDuration::ZERO);
    }

    #[test]
    fn the_header_is_read_as_http_writes_it() {
        assert_eq!(read("Sat, 21 Nov 2026 19:00:58 GMT"), Some(at("2026-11-21T19:00:58Z")));
        assert_eq!(read("yesterday"), None);
    }
}
