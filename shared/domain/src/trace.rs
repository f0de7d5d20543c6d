//! The trace that a run or an event belongs to: W3C's `traceparent`, to and from the header of X-Ray.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The place in a trace from which a run or an event was started: what W3C's header `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    trace: u128,
    span: u64,
    flags: u8,
}

/// A text is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no traceparent (expected: 00-<32 hex digits>-<16>-<2>, lower case, neither id all zeros)")]
pub struct TraceParentError;

impl TraceParent {
    /// The bit that says that the trace is recorded.
    const SAMPLED: u8 = 1;

    /// Reads the header of X-Ray, as `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`: `None`
    /// for one without a parent, or one that is none.
    #[must_use]
    pub fn from_xray(header: &str) -> Option<Self> {
        let part = |name: &str| header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let (version, rest) = part("Root")?.split_once('-')?;
        let (time, random) = rest.split_once('-')?;
        let flags = if part("Sampled") == Some("1") { "01" } else { "00" };
        let is_root = version == "1" && time.len() == 8;
        is_root.then(|| format!("00-{time}{random}-{}-{flags}", part("Parent").unwrap_or_default()).parse().ok())?
    }

    /// The same as X-Ray's header.
    #[must_use]
    pub fn to_xray(self) -> String {
        let trace = self.trace_id();
        let (time, random) = trace.split_at(8);
        format!("Root=1-{time}-{random};Parent={:016x};Sampled={}", self.span, u8::from(self.is_sampled()))
    }

    /// The trace's id: 32 hex digits.
    #[must_use]
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The trace's id, as a number.
    #[must_use]
    pub const fn trace(self) -> u128 {
        self.trace
    }

    /// The id of the span within it, as a number.
    #[must_use]
    pub const fn span(self) -> u64 {
        self.span
    }

    /// Is true where the trace is recorded.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.flags & Self::SAMPLED != 0
    }

    /// Reads one of a stored record: a malformed one counts as none, and fails nothing.
    pub(crate) fn read<'de, D: Deserializer<'de>>(stored: D) -> Result<Option<Self>, D::Error> {
        let stored = serde_json::Value::deserialize(stored)?;
        Ok(stored.as_str().and_then(|text| text.parse().ok()))
    }
}

impl FromStr for TraceParent {
    type Err = TraceParentError;

    fn from_str(text: &str) -> Result<Self, TraceParentError> {
        let is_hex = |digits: &str| digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        // A later version may say more behind these four.
        let is_sized = text.len() == 55 || (text.len() > 55 && !text.starts_with("00") && text.as_bytes()[55] == b'-');
        let mut parts = text.split('-');
        let mut part =
            |digits: usize| parts.next().filter(|part| part.len() == digits && is_hex(part)).ok_or(TraceParentError);
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let read = Self {
            trace: u128::from_str_radix(trace, 16).map_err(|_| TraceParentError)?,
            span: u64::from_str_radix(span, 16).map_err(|_| TraceParentError)?,
            flags: u8::from_str_radix(flags, 16).map_err(|_| TraceParentError)?,
        };
        let is_one = is_sized && version != "ff" && read.trace != 0 && read.span != 0;
        is_one.then_some(read).ok_or(TraceParentError)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

impl Serialize for TraceParent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceParent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const W3C: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
    const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

    #[test]
    fn header_of_xray_and_traceparent_say_the_same_and_come_back_as_they_were() {
        let trace = TraceParent::from_xray(XRAY).unwrap();
        assert_eq!((trace.to_string(), trace.to_xray()), (W3C.to_owned(), XRAY.to_owned()));
        assert_eq!(TraceParent::from_xray(&format!("{XRAY};Lineage=a:0")), Some(trace));
        assert_eq!(W3C.parse(), Ok(trace));
        assert!(trace.is_sampled());
        let unsampled: TraceParent = W3C.replace("-01", "-00").parse().unwrap();
        assert!(unsampled.to_xray().ends_with(";Sampled=0"));
    }

    #[test]
    fn text_that_is_no_traceparent_is_refused_whatever_is_wrong_with_it() {
        let later = format!("{}-more", W3C.replacen("00", "01", 1));
        assert!(later.parse::<TraceParent>().is_ok(), "a later version may say more");
        for wrong in [
            "",
            "00",
            &W3C.to_uppercase(),
            &format!("{W3C}-more"),
            &format!("{W3C} "),
            &W3C.replacen("00", "ff", 1),
            &W3C.replace("5759e988bd862e3fe1be46a994272793", &"0".repeat(32)),
            &W3C.replace("53995c3f42cd8ad8", &"0".repeat(16)),
            &W3C.replace("53995c3f42cd8ad8", "53995c3f42cd8adé"),
            &W3C.replace('-', "_"),
            &W3C.repeat(100_000),
        ] {
            assert_eq!(wrong.parse::<TraceParent>(), Err(TraceParentError), "{wrong:.80}");
        }
        for wrong in [
            "",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "Root=1-5-é;Parent=1",
            "Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
        ] {
            assert_eq!(TraceParent::from_xray(wrong), None, "{wrong}");
        }
    }
}
