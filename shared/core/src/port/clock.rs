use dacapo_domain::{DecisionContext, Id};
use jiff::{Timestamp, TimestampRound, Unit};

/// Time and randomness: the only place where either comes from.
pub trait Clock: Send + Sync {
    /// Now, in whole milliseconds.
    fn now(&self) -> Timestamp;

    /// 64 random bits.
    fn random(&self) -> u64;

    /// The context of a decision that is made now.
    fn decision_context(&self) -> DecisionContext {
        DecisionContext { now: self.now(), random: self.random() }
    }

    /// A new id.
    fn new_id(&self) -> Id {
        let random = (u128::from(self.random()) << 64) | u128::from(self.random());
        Id::new(self.now(), random)
    }
}

/// The machine's clock. In Lambda that is AWS's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let whole = TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Floor);
        Timestamp::now().round(whole).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn random(&self) -> u64 {
        fastrand::u64(..)
    }
}
