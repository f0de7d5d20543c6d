//! Now, by AWS's clock.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef},
    },
    error::BoxError,
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use dacapo_core::port::{Clock, PortResult, SystemClock};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};

use crate::{
    error::Operation,
    records::{RECORD, key},
    stack::{Service, Stack},
};

/// A clock that follows the `Date` header of AWS's answers, so that a laptop's clock decides nothing.
///
/// The header has whole seconds, and an answer travels for a while: it was made after its request was sent and
/// before it came. A clock that fits in between is left alone. Before the first answer it is the machine's own.
#[derive(Clone, Debug, Default)]
pub struct AwsClock {
    offset_ms: Arc<AtomicI64>,
    has_heard: Arc<AtomicBool>,
}

/// The same with the service that it asks where none has answered yet: the time of a program's first call is AWS's too.
pub(crate) struct AskingClock {
    pub(crate) follows: AwsClock,
    pub(crate) client: Client,
    pub(crate) stack: Arc<Stack>,
}

/// The part of a second that the header leaves out.
const REST: SignedDuration = SignedDuration::from_secs(1);

impl AwsClock {
    /// Learns from an answer that was made within the second `date`, where its request was `sent` and the answer
    /// `received` by the machine's clock.
    fn learn(&self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        let millis = |duration: SignedDuration| i64::try_from(duration.as_millis()).unwrap_or_default();
        let least = millis(date.duration_since(received));
        let most = millis(date.duration_since(sent) + REST);
        if least <= most {
            let _ = self.offset_ms.fetch_update(Relaxed, Relaxed, |offset| Some(offset.clamp(least, most)));
        }
    }

    fn offset(&self) -> SignedDuration {
        SignedDuration::from_millis(self.offset_ms.load(Relaxed))
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

#[async_trait]
impl Clock for AskingClock {
    async fn synchronize(&self) -> PortResult<()> {
        let has_heard = || self.follows.has_heard.load(Relaxed);
        if has_heard() {
            return Ok(());
        }
        let key = key("clock", RECORD);
        let asked = self.client.get_item().table_name(self.stack.prefix()).set_key(Some(key)).send().await;
        match asked {
            // Any answer says when it was made, a refusal too.
            Err(error) if !has_heard() => {
                Err(self.stack.errors(Service::DynamoDb).port(Operation::new("ask AWS for the time"), error))
            }
            _ => Ok(()),
        }
    }

    fn now(&self) -> Timestamp {
        self.follows.now()
    }

    fn random(&self) -> u64 {
        self.follows.random()
    }
}

/// The time at which a try of a request was sent.
#[derive(Debug)]
struct Sent(Timestamp);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Intercept for AwsClock {
    fn name(&self) -> &'static str {
        "AwsClock"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(Sent(SystemClock.now()));
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").and_then(read);
        if let (Some(date), Some(Sent(sent))) = (date, config.load::<Sent>()) {
            self.learn(date, *sent, SystemClock.now());
        }
        self.has_heard.store(true, Relaxed);
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
    fn clock_that_is_ten_minutes_fast_is_set_back() {
        let clock = AwsClock::default();
        clock.learn(at("2026-11-21T19:00:58Z"), at("2026-11-21T19:10:58Z"), at("2026-11-21T19:10:58.2Z"));
        assert_eq!(clock.offset(), SignedDuration::from_secs(-599), "as little as fits");
        clock.learn(at("2026-11-21T19:00:59Z"), at("2026-11-21T19:10:59Z"), at("2026-11-21T19:11:09Z"));
        assert_eq!(clock.offset(), SignedDuration::from_secs(-599), "a slow answer doesn't move it");
    }

    #[test]
    fn clock_that_is_slow_is_set_forward() {
        let clock = AwsClock::default();
        clock.learn(at("2026-11-21T19:05:00Z"), at("2026-11-21T19:00:00Z"), at("2026-11-21T19:00:01Z"));
        assert_eq!(clock.offset(), SignedDuration::from_secs(299));
    }

    #[test]
    fn clock_that_fits_is_left_alone_however_slow_the_answer() {
        let clock = AwsClock::default();
        clock.learn(at("2026-11-21T19:00:58Z"), at("2026-11-21T19:00:58Z"), at("2026-11-21T19:00:58.3Z"));
        clock.learn(at("2026-11-21T19:01:00Z"), at("2026-11-21T19:01:00Z"), at("2026-11-21T19:01:05Z"));
        clock.learn(at("2026-11-21T19:01:09Z"), at("2026-11-21T19:01:05Z"), at("2026-11-21T19:01:09.5Z"));
        assert_eq!(clock.offset(), SignedDuration::ZERO);
    }

    #[test]
    fn date_header_is_read_as_http_writes_it() {
        assert_eq!(read("Sat, 21 Nov 2026 19:00:58 GMT"), Some(at("2026-11-21T19:00:58Z")));
        assert_eq!(read("yesterday"), None);
    }
}
