//! The time and chance that a decision gets from outside, and the name of its write.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A decision's view of the outside: the time, and a random number that names the write it leads to.
#[derive(Clone, Copy, Debug)]
pub struct DecisionContext {
    /// Now, in whole milliseconds.
    pub now: Timestamp,
    /// 64 random bits: the record's next [`Version`], and the dice for jitter.
    pub random: u64,
}

impl DecisionContext {
    /// The random number as a fraction from 0 (included) to 1 (not).
    #[must_use]
    pub fn unit_interval(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
        let fraction = (self.random >> 11) as f64 / (1_u64 << 53) as f64;
        fraction
    }

    /// The version that a record gets by a write decided here.
    #[must_use]
    pub fn version(&self) -> Version {
        Version(self.random)
    }
}

/// The name of one write of a record. Every write demands the version it has seen and leaves a new random one,
/// so a writer whose reply was lost finds its own version on the record and knows that it has won.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub u64);

/// 16 hexadecimal digits.
impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}
