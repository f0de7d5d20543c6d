//! An idempotency key: which run holds it, written with the run or not at all.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Claim, Decision, DecisionContext, FinalState, Header, Id, Machine, Phase, RecordKey, RunRecord, Version, later,
    limits,
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
}

impl IdempotencyKey {
    /// The key of the record. The length keeps task "a/b" with key "c" apart from task "a" with key "b/c".
    #[must_use]
    pub fn key_of(task: &str, key: &str) -> RecordKey {
        RecordKey::new(Self::KIND, format!("{}/{task}/{key}", task.len()))
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
}

impl Machine for IdempotencyKey {
    const KIND: &'static str = "key";
    type Input = IdempotencyKeyInput;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        Header {
            key: Self::key_of(&self.task, &self.key),
            version: self.version,
            reconcile_at: self.expires_at_s.is_none().then(|| later(self.until, limits::QUEUE_GRACE)),
            expires_at_s: self.expires_at_s,
        }
    }

    fn decide(&self, input: &IdempotencyKeyInput, (): (), cx: &DecisionContext) -> Decision<Self> {
        let IdempotencyKeyInput::RunEnded { run, expires_at_s } = *input;
        if run != self.run || self.expires_at_s == Some(expires_at_s) {
            return Decision::keep(self, vec![]); // Another run holds it by now.
        }
        let (version, expires_at_s) = (cx.version(), Some(expires_at_s));
        Decision::store(Self { version, expires_at_s, ..self.clone() }, vec![])
    }
}
