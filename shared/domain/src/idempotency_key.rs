//! An idempotency key, or that of a debounce: which run holds it, written with the run or not at all.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Claim, Debounce, Decision, DecisionContext, Edge, FinalState, Header, Id, Machine, Phase, RecordKey, RunRecord,
    Version, later, limits,
};

/// The record of an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdempotencyKey {
    /// The task.
    pub task: String,
    /// The key.
    pub key: String,
    /// The run that holds it.
    pub run: Id,
    /// The time until which it is held at least.
    pub until: Timestamp,
    /// The debounce, where it is the key of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debounce: Option<Debounce>,
    /// The name of the last write.
    pub version: Version,
    /// The time from which the record may be deleted, in Unix seconds; `None` while its run has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_s: Option<i64>,
}

/// An input of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdempotencyKeyInput {
    /// A run that holds it has ended, and its record expires then.
    RunEnded {
        /// The run.
        run: Id,
        /// The time at which its record expires, in Unix seconds.
        expires_at_s: i64,
    },
    /// A later call of a debounce asks for quiet until then.
    Called(Timestamp),
}

impl IdempotencyKey {
    /// The key of the record. The length keeps task "a/b" with key "c" apart from task "a" with key "b/c"; the word before
    /// it, those of debounces from the others.
    #[must_use]
    pub fn key_of(task: &str, key: &str, edge: Option<Edge>) -> RecordKey {
        let edge = edge.map(|edge| format!("{edge}/")).unwrap_or_default();
        RecordKey::new(Self::KIND, format!("{edge}{}/{task}/{key}", task.len()))
    }

    /// The key of the record that a run with a key claims.
    #[must_use]
    pub fn claimed_by(run: &RunRecord) -> Option<RecordKey> {
        let key = run.key.as_ref()?;
        Some(Self::key_of(&run.name, &key.text, key.debounce.map(|debounce| debounce.edge)))
    }

    /// The claim of a new run on its key, in place of the record that was seen.
    ///
    /// # Errors
    /// If the record can't be serialized. `None` for a run without a key.
    pub fn claim(
        run: &RunRecord,
        seen: Option<&Self>,
        cx: &DecisionContext,
    ) -> Option<Result<Claim, serde_json::Error>> {
        let key = run.key.as_ref()?;
        let record = Self {
            task: run.name.clone(),
            key: key.text.clone(),
            run: run.id,
            until: key.until,
            debounce: key.debounce,
            version: cx.version(),
            expires_at_s: None,
        };
        let write = Decision::store(record, vec![]).write();
        Some(write.map(|write| Claim { write, seen: seen.map(|seen| seen.version) }))
    }

    /// Is true where another run may take the key over. A failed or expired run's key is free, a completed or aborted
    /// one's once its time is up, an unfinished one's never; without its run's record a key can't be judged, and is
    /// free.
    #[must_use]
    pub fn is_free(&self, holder: Option<&RunRecord>, now: Timestamp) -> bool {
        match holder.map(|holder| &holder.phase) {
            None => true,
            Some(Phase::Ended(end)) => match end.state {
                FinalState::Failed | FinalState::Expired => true,
                FinalState::Completed | FinalState::Aborted => self.until <= now,
            },
            Some(_) => false,
        }
    }

    /// Is true while a call under the key of a leading debounce is absorbed, whatever its run has come to.
    #[must_use]
    pub fn absorbs(&self, now: Timestamp) -> bool {
        now < self.until
    }

    fn ended(&self, run: Id, expires_at_s: i64, cx: &DecisionContext) -> Decision<Self> {
        // A debounce may have been asked for quiet beyond what its run knows.
        let expires_at_s = Some(self.debounce.map_or(expires_at_s, |_| expires_at_s.max(self.until.as_second() + 1)));
        if run != self.run || self.expires_at_s == expires_at_s {
            return Decision::keep(self, vec![]); // Another run holds it by now.
        }
        Decision::store(Self { version: cx.version(), expires_at_s, ..self.clone() }, vec![])
    }

    fn called(&self, quiet_until: Timestamp, cx: &DecisionContext) -> Decision<Self> {
        let until = self.debounce.map_or(self.until, |debounce| debounce.bounded(quiet_until));
        if !self.absorbs(cx.now) || until <= self.until {
            return Decision::keep(self, vec![]);
        }
        let expires_at_s = self.expires_at_s.map(|expires_at_s| expires_at_s.max(until.as_second() + 1));
        Decision::store(Self { until, version: cx.version(), expires_at_s, ..self.clone() }, vec![])
    }
}

impl Machine for IdempotencyKey {
    const KIND: &'static str = "key";
    type Input = IdempotencyKeyInput;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        Header {
            key: Self::key_of(&self.task, &self.key, self.debounce.map(|debounce| debounce.edge)),
            version: self.version,
            reconcile_at: self.expires_at_s.is_none().then(|| later(self.until, limits::QUEUE_GRACE)),
            expires_at_s: self.expires_at_s,
        }
    }

    fn decide(&self, input: &IdempotencyKeyInput, (): (), cx: &DecisionContext) -> Decision<Self> {
        match *input {
            IdempotencyKeyInput::RunEnded { run, expires_at_s } => self.ended(run, expires_at_s, cx),
            IdempotencyKeyInput::Called(quiet_until) => self.called(quiet_until, cx),
        }
    }
}
