//! Durations as they are stored and sent: whole milliseconds, rounded up, so that the shortest doesn't become none.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// For `#[serde(rename = "…Ms", with = "ms")]`.
#[expect(clippy::missing_errors_doc, reason = "serde calls it")]
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(up(*duration))
}

/// For `#[serde(rename = "…Ms", with = "ms")]`.
#[expect(clippy::missing_errors_doc, reason = "serde calls it")]
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn up(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// The same where there may be none.
pub(crate) mod or_none {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        duration.map(super::up).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
    }
}
