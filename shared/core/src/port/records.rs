use async_trait::async_trait;
use dacapo_domain::{
    Claim, Created, Effect, Header, LogLine, OwnedQuery, Page, Query, RecordKey, Saved, StoredRecord, Version, Write,
};
use futures::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::PortResult;

/// Records that are created at once, of many.
const AT_ONCE: usize = 32;

/// The state of a record that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Until {
    /// It has ended, as its expiry tells.
    Ended,
    /// It was written after the write of this version.
    WrittenAfter(Version),
}

impl Until {
    /// Is true where a record with this header needs no waiting for.
    #[must_use]
    pub fn is_met_by(self, header: &Header) -> bool {
        match self {
            Self::Ended => header.expires_at_s.is_some(),
            Self::WrittenAfter(seen) => header.version != seen,
        }
    }
}

/// The records: runs, deliveries, schedules, the manifest, and whatever kind comes next.
///
/// Every change of a record demands the version that was seen, so that two writers never overwrite each other; a
/// writer that loses gets the record that won from the same call. What follows from a write, its effects, happens in
/// the same transaction where the store can, else after it; an effect that fails then is logged, and left to the
/// conductor. Records that have expired are never given.
///
/// Nothing but [`commit`](crate::commit) calls the verbs that write.
#[async_trait]
pub trait Records: Send + Sync {
    /// Stores a new record, and its claim with it or not at all.
    ///
    /// A record of the same key wins and is given, and so does the claim's, unless it has the version that the claim
    /// has seen; where both are there, the record is given. A claim whose record has gone, seen or not, is stored.
    /// Tried again, a create that had won says so: a record of the write's own version is its own.
    ///
    /// # Errors
    /// On `Transient` it may have been stored.
    async fn create(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created>;

    /// Stores new records, each by itself and as [`create`](Self::create) does, and gives the reply to each in their
    /// order; what follows from them may come once all are stored.
    async fn create_all(&self, writes: &[(Write, Option<Claim>)]) -> Vec<PortResult<Created>> {
        let mut replies = Vec::with_capacity(writes.len());
        for some in writes.chunks(AT_ONCE) {
            replies.extend(join_all(some.iter().map(|(write, claim)| self.create(write, claim.as_ref()))).await);
        }
        replies
    }

    /// A record with all its payloads, strongly consistent.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn load(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>>;

    /// Those of some records that are there, in any order, each with the payloads that are stored with it; strongly
    /// consistent.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn peek(&self, keys: &[RecordKey]) -> PortResult<Vec<StoredRecord>>;

    /// Adds members to a set that stands among a record's payloads, and gives the record as it is then; `None` where it
    /// is gone. Such a set only ever grows, by this verb alone. That is no new version: one who replaces the record at the
    /// same time doesn't lose by it, keeps the set, and is given it with the other payloads.
    ///
    /// # Errors
    /// On `Transient` they may have been added; a member added twice is one.
    async fn gather(&self, key: &RecordKey, set: &str, members: &[String]) -> PortResult<Option<StoredRecord>>;

    /// A record with all its payloads once it has ended, or was written again, where the store hears of writes: it waits then,
    /// for a while. Else the record as it is.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn load_until(&self, key: &RecordKey, until: Until) -> PortResult<Option<StoredRecord>> {
        let _ = until;
        self.load(key).await
    }

    /// Replaces a record, on the condition that its version is still the one seen. Once it expires, what stands beside
    /// it expires with it: payloads that are stored apart, and its log; a record has an expiry of its own there, which
    /// moves where the write says so. Where that takes many calls, the record stays in
    /// the reconcile index meanwhile, for [`expire_overflow`](Self::expire_overflow).
    ///
    /// # Errors
    /// On `Transient` the write may have happened: tried again it finds its own version, and is [`Saved::Done`].
    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved>;

    /// Deletes a record with all that stands beside it, on the condition that its version is still the one seen; says
    /// whether it was, or there was none. The effects follow in both cases: the reply to a first try may have been lost
    /// before them.
    ///
    /// # Errors
    /// On `Transient` it may have been deleted.
    async fn delete(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool>;

    /// Raises the time at which the conductor reconciles a record, whatever the record is, on the condition that it is
    /// still the one seen; says whether it was. That is no new version.
    ///
    /// # Errors
    /// On `Transient` it may have been raised.
    async fn postpone(&self, key: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<bool>;

    /// Lets what stands beside a record that expires expire with it, a bounded step at a time: the conductor asks for it
    /// while the store keeps the record in the reconcile index for that alone, and `seen` is the header that it found
    /// there. Asked again it goes on; the last step takes the record out of the index.
    ///
    /// A store that lets both expire in one transaction never keeps a record there, and has nothing to do.
    ///
    /// # Errors
    /// On `Transient` some of it may have been given its expiry.
    async fn expire_overflow(&self, seen: &Header) -> PortResult<()> {
        let _ = seen;
        Ok(())
    }

    /// The records of an index. One that can't be read is told apart from the others, and is no error.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn query(&self, query: &Query) -> PortResult<Page>;

    /// The records of a kind that stand beside another, in the order of their ids, each with the payloads that are stored
    /// with it.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn owned(&self, query: &OwnedQuery) -> PortResult<Vec<StoredRecord>>;

    /// Adds lines to a record's log.
    ///
    /// # Errors
    /// On `Transient` they may have been added; the same line added twice is one.
    async fn append(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()>;

    /// The lines of a record's log in order, at most `limit` after the one of this sort text.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn read_log(&self, key: &RecordKey, after: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>>;

    /// The lines of a record's log from its end, the last one first, at most `limit` before the one of this sort text.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn read_log_back(&self, key: &RecordKey, before: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>>;
}
