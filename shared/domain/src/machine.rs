//! The one way that every record goes: decide, store on the condition of the version seen, then what follows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned, ser::Error};

use crate::{Effect, Header, IndexEntry, Json, Measured, Payloads, Released, Version, Write};

/// A kind of record: its form, and its decisions.
///
/// A decision is a pure function of the record, an input, a policy and the [`DecisionContext`]. The shell stores it on
/// the condition that the version is still the one decided from; a writer that loses that race decides again with the
/// record that won.
pub trait Machine: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The kind's name, which never changes: it is part of every key. No slash.
    const KIND: &'static str;
    /// The inputs: the things that happen to a record.
    type Input: Send + Sync;
    /// The word of the code that owns the record.
    type Policy<'a>: Copy + Send + Sync;

    /// Key, version and times.
    fn header(&self) -> Header;

    /// The record's places in the indexes, but for the conductor's, which [`Header::reconcile_at`] gives.
    fn index(&self) -> Vec<IndexEntry> {
        vec![]
    }

    /// The partition of the conductor's index that it is in.
    fn reconciled_among(&self) -> &'static str {
        IndexEntry::OTHERS
    }

    /// Decides what an input makes of the record.
    fn decide(&self, input: &Self::Input, policy: Self::Policy<'_>, cx: &DecisionContext) -> Decision<Self>;

    /// The counts of the change from this record to the next one, where its kind counts for anything.
    fn measured(&self, _input: &Self::Input, _next: &Self) -> Option<Measured> {
        None
    }

    /// Is true where the record that was found bears the mark of a decision that was stored before its reply was lost,
    /// although it has been written since.
    fn bears(&self, _decided: &Self) -> bool {
        false
    }
}

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

/// A record as it should be, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<M> {
    /// The record after the input.
    pub record: M,
    /// The change of the store.
    pub change: Change,
    /// Payloads that are stored in the same write.
    pub payloads: Payloads,
    /// The time from which all that stands beside it may be deleted, in Unix seconds, where it moves.
    pub expiry_beside_s: Option<i64>,
    /// The work that this process does then.
    pub work: Option<Work>,
    /// The permits that this process gives back then.
    pub released: Option<Released>,
    /// The effects that leave the process once the record is stored, in this order.
    pub effects: Vec<Effect>,
}

/// A record's fate in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stays as it is.
    Keep,
    /// It is stored.
    Store,
    /// It is deleted.
    Delete,
}

/// Work of the process that decided, once the decision is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Work {
    /// Call the handler.
    CallHandler,
    /// Publish the lifecycle events that an ended run owes, and run the hooks of its end.
    RunEndHooks,
    /// Look whether the signal that a run waits for has come before, and signal it then.
    LookForSignal,
    /// Publish the lifecycle events that an ended run owes: no hooks follow, and any process can.
    PublishLifecycle,
    /// Send an event to those who subscribe to it.
    Publish,
    /// Start the run of a schedule's fire.
    StartRun,
    /// Put a schedule into the scheduler, then say so.
    PutSchedule,
    /// Take a schedule out of the scheduler, then say so.
    DeleteSchedule,
}

impl<M: Machine> Decision<M> {
    /// Leaves the record as it is.
    pub fn keep(record: &M, effects: Vec<Effect>) -> Self {
        Self {
            record: record.clone(),
            change: Change::Keep,
            payloads: Payloads::none(),
            expiry_beside_s: None,
            work: None,
            released: None,
            effects,
        }
    }

    /// Stores the record.
    pub fn store(record: M, effects: Vec<Effect>) -> Self {
        let (change, payloads) = (Change::Store, Payloads::none());
        Self { record, change, payloads, expiry_beside_s: None, work: None, released: None, effects }
    }

    /// Deletes the record.
    pub fn delete(record: &M, effects: Vec<Effect>) -> Self {
        Self { change: Change::Delete, ..Self::keep(record, effects) }
    }

    /// The decision with a payload in its write.
    #[must_use]
    pub fn with(mut self, slot: &'static str, value: Json) -> Self {
        self.payloads = self.payloads.with(slot, value);
        self
    }

    /// The decision with work for this process.
    #[must_use]
    pub fn then(self, work: Work) -> Self {
        Self { work: Some(work), ..self }
    }

    /// The write that stores the decision.
    ///
    /// # Errors
    /// If the record can't be serialized, or one of the payloads was not read.
    pub fn write(&self) -> Result<Write, serde_json::Error> {
        self.payloads.check_read().map_err(serde_json::Error::custom)?;
        let header = self.record.header();
        let mut index = self.record.index();
        let among = self.record.reconciled_among();
        index.extend(header.reconcile_at.map(|at| IndexEntry::reconcile(at, among)));
        let document = Json::of(&self.record)?;
        let (payloads, expiry_beside_s) = (self.payloads.clone(), self.expiry_beside_s);
        Ok(Write { header, document, payloads, index, expiry_beside_s, effects: self.effects.clone() })
    }
}
