//! A step of a run: the value of a piece of work, stored once, beside the run's record. The first writer wins.

use std::{convert::Infallible, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Decision, DecisionContext, Header, Id, Json, Machine, RecordKey, RunRecord, Version, slot};

/// The record of a step, its value apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepRecord {
    /// The step's name, unique within the run.
    pub name: String,
    /// The run.
    pub run: Id,
    /// The name of its one write.
    pub version: Version,
    /// The iteration that it was made in.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
    /// The time at which its work was done.
    pub at: Timestamp,
    /// The time that its work took.
    #[serde(rename = "tookMs", with = "crate::ms")]
    pub took: Duration,
    /// The bytes of its value.
    pub bytes: usize,
    /// The time from which the record may be deleted, in Unix seconds.
    pub expires_at_s: i64,
}

/// The parts of a new step.
#[derive(Clone, Debug)]
pub struct NewStep<'a> {
    /// The name.
    pub name: &'a str,
    /// The run, in the attempt that made it.
    pub run: &'a RunRecord,
    /// The time that its work took.
    pub took: Duration,
    /// The time from which the record may be deleted, in Unix seconds.
    pub expires_at_s: i64,
}

/// A step as people and programs are told of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// The step's name.
    pub name: String,
    /// The iteration that it was made in.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
    /// The time at which its work was done.
    pub at: Timestamp,
    /// The time that its work took, in milliseconds.
    pub took_ms: u64,
    /// The bytes of its value.
    pub bytes: usize,
}

impl From<StepRecord> for StepView {
    fn from(step: StepRecord) -> Self {
        let StepRecord { name, iteration, attempt, at, took, bytes, .. } = step;
        Self { name, iteration, attempt, at, took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX), bytes }
    }
}

impl StepRecord {
    /// A new step with its value.
    #[must_use]
    pub fn create(new: &NewStep<'_>, value: Json, cx: &DecisionContext) -> Decision<Self> {
        let record = Self {
            name: new.name.to_owned(),
            run: new.run.id,
            version: cx.version(),
            iteration: new.run.iteration,
            attempt: new.run.attempt,
            at: cx.now,
            took: new.took,
            bytes: value.bytes(),
            expires_at_s: new.expires_at_s,
        };
        Decision::store(record, vec![]).with(slot::VALUE, value)
    }

    /// The key of a run's step.
    #[must_use]
    pub fn key_of(run: Id, name: &str) -> RecordKey {
        RecordKey::named(Self::KIND, name, &RunRecord::key_of(run))
    }
}

impl Machine for StepRecord {
    const KIND: &'static str = "step";
    type Input = Infallible;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        let (key, expires_at_s) = (Self::key_of(self.run, &self.name), Some(self.expires_at_s));
        Header { key, version: self.version, reconcile_at: None, expires_at_s }
    }

    fn decide(&self, input: &Infallible, (): (), _: &DecisionContext) -> Decision<Self> {
        match *input {}
    }
}
