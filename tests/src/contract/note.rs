//! A kind of record that exists in this suite alone: no adapter has a line for it, and no other kind knows it.

use dacapo_domain::{
    Claim, Decision, DecisionContext, Effect, Header, Index, IndexEntry, Json, Machine, RecordKey, StoredRecord,
    Version, Write, slot,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Bench;

/// The record of a note, which anyone may add lines to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Note {
    /// The id.
    pub(super) id: String,
    /// The key of the note that it stands beside, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    /// The name of the last write.
    pub(super) version: Version,
    /// The texts that were added, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) lines: Vec<Line>,
    /// The places in the indexes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) places: Vec<IndexEntry>,
    /// The time at which the conductor reconciles it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reconcile_at: Option<Timestamp>,
    /// The time from which it may be deleted, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at_s: Option<i64>,
}

/// A line of a note, with the version of the write that added it: its mark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    text: String,
    mark: Version,
}

/// An input of a note.
pub(super) enum NoteInput {
    /// A line is added, and the effects follow.
    Add(&'static str, Vec<Effect>),
    /// The body is replaced.
    Attach(Json),
    /// It is to be reconciled then.
    Remind(Option<Timestamp>),
    /// It expires then, in Unix seconds.
    Expire(i64),
    /// It stays as it is, and the effects follow.
    Mention(Vec<Effect>),
    /// It is deleted, and the effects follow.
    Tear(Vec<Effect>),
}

impl Note {
    /// A note of a unique id, not stored.
    pub(super) fn new(bench: &impl Bench) -> Self {
        Self::of(bench, bench.unique("note"))
    }

    /// A note of this id, not stored.
    pub(super) fn of(bench: &impl Bench, id: String) -> Self {
        let version = new_version(bench);
        Self { id, owner: None, version, lines: vec![], places: vec![], reconcile_at: None, expires_at_s: None }
    }

    /// The note with another line, as the next write would have it.
    pub(super) fn next(&self, bench: &impl Bench, text: &str) -> Self {
        self.with_line(text, new_version(bench))
    }

    /// The note beside another.
    pub(super) fn beside(self, owner: &Self) -> Self {
        Self { owner: Some(owner.key().to_string()), ..self }
    }

    /// The note with a place in an index.
    pub(super) fn at(mut self, index: Index, partition: &str, sort: &str) -> Self {
        self.places.push(IndexEntry { index, partition: partition.to_owned(), sort: sort.to_owned() });
        self
    }

    /// The key of the note.
    pub(super) fn key(&self) -> RecordKey {
        RecordKey { owner: self.owner.clone(), ..RecordKey::new(Self::KIND, &*self.id) }
    }

    /// The write that stores it as it is.
    pub(super) fn write(&self) -> Write {
        Decision::store(self.clone(), vec![]).write().expect("a note can be serialized")
    }

    /// The same with a body.
    pub(super) fn write_with(&self, body: Json) -> Write {
        Decision::store(self.clone(), vec![]).with(slot::BODY, body).write().expect("a note can be serialized")
    }

    /// The same with effects.
    pub(super) fn write_and(&self, effects: Vec<Effect>) -> Write {
        Write { effects, ..self.write() }
    }

    /// The claim that stores it with another record, in place of the note that was seen.
    pub(super) fn claim(&self, seen: Option<&Self>) -> Claim {
        Claim { write: self.write(), seen: seen.map(|seen| seen.version) }
    }

    /// The note as a store gives it, without payloads.
    pub(super) fn found(&self) -> StoredRecord {
        found(&self.write())
    }

    /// The texts of its lines.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.lines.iter().map(|line| &*line.text).collect()
    }

    fn with_line(&self, text: &str, mark: Version) -> Self {
        let mut next = Self { version: mark, ..self.clone() };
        next.lines.push(Line { text: text.to_owned(), mark });
        next
    }
}

/// The record that a store gives of what was written so, where all of its payloads are small.
pub(super) fn found(write: &Write) -> StoredRecord {
    let Write { header, document, payloads, .. } = write.clone();
    StoredRecord { header, document, payloads }
}

/// A version that no write has left.
pub(super) fn new_version(bench: &impl Bench) -> Version {
    bench.ports().clock.decision_context().version()
}

impl Machine for Note {
    const KIND: &'static str = "note";
    type Input = NoteInput;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        let (reconcile_at, expires_at_s) = (self.reconcile_at, self.expires_at_s);
        Header { key: self.key(), version: self.version, reconcile_at, expires_at_s }
    }

    fn index(&self) -> Vec<IndexEntry> {
        self.places.clone()
    }

    fn decide(&self, input: &NoteInput, (): (), cx: &DecisionContext) -> Decision<Self> {
        let next = Self { version: cx.version(), ..self.clone() };
        match input {
            NoteInput::Add(text, effects) => Decision::store(self.with_line(text, cx.version()), effects.clone()),
            NoteInput::Attach(body) => Decision::store(next, vec![]).with(slot::BODY, body.clone()),
            NoteInput::Remind(reconcile_at) => Decision::store(Self { reconcile_at: *reconcile_at, ..next }, vec![]),
            NoteInput::Expire(at_s) => Decision::store(Self { expires_at_s: Some(*at_s), ..next }, vec![]),
            NoteInput::Mention(effects) => Decision::keep(self, effects.clone()),
            NoteInput::Tear(effects) => Decision::delete(self, effects.clone()),
        }
    }

    /// The line that was added bears its mark.
    fn bears(&self, decided: &Self) -> bool {
        let mark = decided.lines.last().filter(|line| line.mark == decided.version);
        mark.is_some_and(|mark| self.lines.contains(mark))
    }
}
