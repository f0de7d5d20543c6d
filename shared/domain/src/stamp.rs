//! Times within records: as Unix milliseconds, which take half the bytes of their text, or as text where milliseconds
//! don't say all of it. Read in either form.
//!
//! For a field: `#[serde(with = "crate::stamp")]`, or `#[serde(with = "crate::stamp::option")]`.

use std::fmt;

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// A time in this form.
struct Stamp(Timestamp);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(at) = self;
        let ms = at.as_millisecond();
        let is_whole = Timestamp::from_millisecond(ms).is_ok_and(|whole| whole == *at);
        if is_whole { serializer.serialize_i64(ms) } else { at.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either).map(Self)
    }
}

struct Either;

impl Visitor<'_> for Either {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time, as Unix milliseconds or as text")
    }

    fn visit_i64<E: Error>(self, ms: i64) -> Result<Timestamp, E> {
        Timestamp::from_millisecond(ms).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, ms: u64) -> Result<Timestamp, E> {
        i64::try_from(ms).map_err(E::custom).and_then(|ms| self.visit_i64(ms))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse().map_err(E::custom)
    }
}

pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    Stamp(*at).serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Stamp::deserialize(deserializer).map(|Stamp(at)| at)
}

/// The same for a time that may be absent.
pub mod option {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Stamp, Timestamp};

    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        at.map(Stamp).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::deserialize(deserializer)?.map(|Stamp(at)| at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Event {
        #[serde(with = "crate::stamp")]
        at: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::stamp::option")]
        ended: Option<Timestamp>,
    }

    fn event(at: &str, ended: Option<&str>) -> Event {
        Event { at: at.parse().unwrap(), ended: ended.map(|at| at.parse().unwrap()) }
    }

    #[test]
    fn whole_milliseconds_are_a_number_and_anything_finer_is_text() {
        for (event, json) in [
            (event("1970-01-01T00:00:00.007Z", None), r#"{"at":7}"#),
            (event("2026-01-01T06:00:00Z", Some("1969-12-31T23:59:59Z")), r#"{"at":1767247200000,"ended":-1000}"#),
            (event("2026-01-01T06:00:00.0000001Z", None), r#"{"at":"2026-01-01T06:00:00.0000001Z"}"#),
            (event("1969-12-31T23:59:59.9999999Z", None), r#"{"at":"1969-12-31T23:59:59.9999999Z"}"#),
        ] {
            assert_eq!(serde_json::to_string(&event).unwrap(), json);
            assert_eq!(serde_json::from_str::<Event>(json).unwrap(), event);
        }
    }

    #[test]
    fn text_of_whole_milliseconds_is_read_too_and_what_is_no_time_is_refused() {
        let read = serde_json::from_str::<Event>;
        let text = r#"{"at":"2026-01-01T06:00:00Z","ended":null}"#;
        assert_eq!(read(text).unwrap(), event("2026-01-01T06:00:00Z", None));
        for odd in [r#"{"at":"soon"}"#, r#"{"at":9300000000000000}"#, r#"{"at":18446744073709551615}"#, r#"{"at":1.5}"#]
        {
            assert!(read(odd).is_err(), "{odd}");
        }
    }
}
