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
/// The header has whole seconds and travels for a while, so a clock that is less than two seconds off is left alone.
/// Before the first answer it is the machine's own.
#[derive(Clone, Debug, Default)]
pub struct AwsClock {
    offset_ms: Arc<AtomicI64>,
}

/// What the header doesn't tell: the part of a second that it leaves out, and how long the answer took.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

impl AwsClock {
    /// Learns from an answer that was made at `date` and came at `received`, by the machine's clock.
    fn learn(&self, date: Timestamp, received: Timestamp) {
        let ahead = received.duration_since(date);
        let offset_ms = if (-TOLERANCE..=TOLERANCE).contains(&ahead) { 0 } else { -ahead.as_millis() };
        self.offset_ms.store(i64::try_from(offset_ms).unwrap_or_default(), Relaxed);
    }
}

impl Clock for AwsClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        now.checked_add(SignedDuration::from_millis(self.offset_ms.load(Relaxed))).unwrap_or(now)
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
        assert_eq!(clock.offset_ms.load(Relaxed), 0);
    }

    #[test]
    fn the_header_is_read_as_http_writes_it() {
        assert_eq!(read("Sat, 21 Nov 2026 19:00:58 GMT"), Some(at("2026-11-21T19:00:58Z")));
        assert_eq!(read("yesterday"), None);
    }
}
