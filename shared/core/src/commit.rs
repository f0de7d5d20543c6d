//! The one way through: decide, store on the condition of the version seen, on a lost race decide again.
//!
//! Invariants that are kept here, for every kind of record:
//! - *A lost reply is not a lost race.* On a failed condition the record that was found is first asked whether it
//!   bears the mark of this very decision; the stores recognise a write by its version, [`Machine::bears`] one that
//!   has been written over since.
//! - *Work that is done is not done again because a write was throttled.* A write is tried until its deadline.
//! - *Store, then what follows.* The store lets the effects of a write follow it; those of a decision that changes
//!   nothing are posted here.

mod calls;
mod joins;
mod permits;
mod runs;

use std::time::Duration;

use dacapo_domain::{
    Change, Created, Decision, Header, LogLine, Machine, Payload, Payloads, RecordKey, Released, Saved, StoredRecord,
    Work, read_document,
};
use jiff::Timestamp;

pub use calls::commit_call;
pub use joins::{children_of, ended_children, join_children};
pub use permits::pass_on;
pub(crate) use runs::{KEY_TRIES, create_claiming, too_many_take};
pub use runs::{commit_run, create_run, create_runs};

use crate::{
    metrics,
    port::{PortError, PortErrorKind, PortResult, Ports, Until, post_after},
};

/// The time for which a write is tried by one that has no deadline of its own.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A record as it was seen, to be decided on.
#[derive(Clone, Debug)]
pub enum Seen<M> {
    /// It is stored.
    Stored(M),
    /// It was never stored, and would be with these payloads.
    Fresh(M, Payloads),
    /// One is stored that this build can't read: this one takes its place.
    Unreadable(Header, M),
}

impl<M> From<Stored<M>> for Seen<M> {
    fn from(stored: Stored<M>) -> Self {
        Self::Stored(stored.record)
    }
}

impl<M> Seen<M> {
    /// The record.
    pub const fn record(&self) -> &M {
        match self {
            Self::Stored(record) | Self::Fresh(record, _) | Self::Unreadable(_, record) => record,
        }
    }

    fn into_record(self) -> M {
        match self {
            Self::Stored(record) | Self::Fresh(record, _) | Self::Unreadable(_, record) => record,
        }
    }
}

impl<M: Machine> Seen<M> {
    /// The header of what is stored.
    fn stored_header(&self) -> Option<Header> {
        match self {
            Self::Stored(record) => Some(record.header()),
            Self::Unreadable(header, _) => Some(header.clone()),
            Self::Fresh(..) => None,
        }
    }
}

/// A record and its payloads, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<M> {
    /// The record.
    pub record: M,
    /// The payloads, as far as the store gave them with it.
    pub payloads: Payloads,
}

/// The reply to an input.
#[derive(Clone, Debug)]
pub struct Committed<M> {
    /// The record as it is stored now.
    pub record: M,
    /// The record that was decided on.
    pub former: M,
    /// The payloads, as far as the store gave them with it; none where nothing was written or read.
    pub payloads: Payloads,
    /// The work of this process.
    pub work: Option<Work>,
    /// The permits to be given back.
    pub released: Option<Released>,
    /// Is true where it was stored or deleted.
    pub changed: bool,
}

/// The reply to a creation.
#[derive(Clone, Debug)]
pub enum Creation<M> {
    /// The record is stored.
    New,
    /// One was there before: of the same key, or the holder of its idempotency key.
    Exists(M),
}

/// Decides what an input makes of a record and stores it; a writer that loses the race decides again with what won.
/// `None` means that the record is gone.
///
/// # Errors
/// An error of the store once `until` has passed; on `Transient` the decision may have been stored.
pub async fn commit<M: Machine>(
    ports: &Ports,
    seen: impl Into<Seen<M>>,
    input: &M::Input,
    policy: M::Policy<'_>,
    until: Timestamp,
) -> PortResult<Option<Committed<M>>> {
    let mut seen = seen.into();
    let mut read = Payloads::none();
    loop {
        let decision = seen.record().decide(input, policy, &ports.clock.decision_context());
        let (work, released) = (decision.work, decision.released.clone());
        let reply = match decision.change {
            Change::Keep => {
                post_after(&*ports.outbox, &decision.effects).await;
                let (record, former) = (decision.record, seen.into_record());
                return Ok(Some(Committed { record, former, payloads: read, work, released, changed: false }));
            }
            Change::Delete => delete(ports, &seen, &decision, until).await?,
            Change::Store => store(ports, &seen, &decision, until).await?,
        };
        let found = match reply {
            Reply::Done(payloads) => {
                metrics::record_change(seen.record(), input, &decision.record);
                let (record, former) = (decision.record, seen.into_record());
                return Ok(Some(Committed { record, former, payloads, work, released, changed: true }));
            }
            Reply::Gone => return Ok(None),
            Reply::Found(found) => found,
        };
        let Stored { record, payloads } = read_record::<M>(found)?;
        if decision.change == Change::Store && record.bears(&decision.record) {
            let former = seen.into_record();
            return Ok(Some(Committed { record, former, payloads, work, released, changed: true }));
        }
        (seen, read) = (Seen::Stored(record), payloads);
    }
}

/// The reply to one try.
enum Reply {
    Done(Payloads),
    Found(StoredRecord),
    Gone,
}

async fn store<M: Machine>(
    ports: &Ports,
    seen: &Seen<M>,
    decision: &Decision<M>,
    until: Timestamp,
) -> PortResult<Reply> {
    let mut write = decision.write().map_err(unwritable::<M>)?;
    if let Some(header) = seen.stored_header() {
        let save = || ports.records.save(&header, &write);
        return Ok(match retry_until(ports, until, save).await? {
            Saved::Done(payloads) => Reply::Done(payloads),
            Saved::Lost(Some(found)) => Reply::Found(found),
            Saved::Lost(None) => Reply::Gone,
        });
    }
    if let Seen::Fresh(_, payloads) = seen {
        for (slot, value) in payloads.iter() {
            if write.payloads.get(slot) == Payload::Absent {
                write.payloads.set(slot.clone(), value.cloned());
            }
        }
    }
    Ok(match retry_until(ports, until, || ports.records.create(&write, None)).await? {
        Created::New => Reply::Done(write.payloads),
        Created::Exists(found) | Created::Claimed(found) => Reply::Found(found),
    })
}

async fn delete<M: Machine>(
    ports: &Ports,
    seen: &Seen<M>,
    decision: &Decision<M>,
    until: Timestamp,
) -> PortResult<Reply> {
    let Some(header) = seen.stored_header() else {
        post_after(&*ports.outbox, &decision.effects).await; // There is nothing that they could follow.
        return Ok(Reply::Done(Payloads::none()));
    };
    if retry_until(ports, until, || ports.records.delete(&header, &decision.effects)).await? {
        return Ok(Reply::Done(Payloads::none()));
    }
    Ok(retry_until(ports, until, || ports.records.load(&header.key)).await?.map_or(Reply::Gone, Reply::Found))
}

/// Stores a new record; one that is there already is given.
///
/// # Errors
/// An error of the store once `until` has passed; on `Transient` it may have been stored.
pub async fn create<M: Machine>(ports: &Ports, decision: &Decision<M>, until: Timestamp) -> PortResult<Creation<M>> {
    let write = decision.write().map_err(unwritable::<M>)?;
    Ok(match retry_until(ports, until, || ports.records.create(&write, None)).await? {
        Created::New => Creation::New,
        Created::Exists(found) | Created::Claimed(found) => Creation::Exists(read_record(found)?.record),
    })
}

/// A record with all its payloads.
///
/// # Errors
/// An error of the store; `Refused` for a record that this build can't read.
pub async fn load<M: Machine>(ports: &Ports, key: &RecordKey) -> PortResult<Option<Stored<M>>> {
    ports.records.load(key).await?.map(read_record).transpose()
}

/// A record with all its payloads once it has ended, or was written again; as it is, where the store can't wait for that, or
/// no longer.
///
/// # Errors
/// As [`load`].
pub async fn load_until<M: Machine>(ports: &Ports, key: &RecordKey, until: Until) -> PortResult<Option<Stored<M>>> {
    ports.records.load_until(key, until).await?.map(read_record).transpose()
}

/// A record with all its payloads, or a fresh one where none is stored. The fresh one takes the place of one that this
/// build can't read, with a warning that names it.
///
/// # Errors
/// An error of the store.
pub async fn load_or_replace<M: Machine>(ports: &Ports, fresh: M) -> PortResult<(Seen<M>, Payloads)> {
    let Some(stored) = ports.records.load(&fresh.header().key).await? else {
        return Ok((Seen::Fresh(fresh, Payloads::none()), Payloads::none()));
    };
    let header = stored.header.clone();
    Ok(match read_record(stored) {
        Ok(Stored { record, payloads }) => (Seen::Stored(record), payloads),
        Err(error) => {
            tracing::warn!(%error, "a record that can't be read counts as none");
            (Seen::Unreadable(header, fresh), Payloads::none())
        }
    })
}

/// Adds lines to a record's log; those that are there already stay as they are.
///
/// # Errors
/// An error of the store once `until` has passed.
pub async fn append(ports: &Ports, key: &RecordKey, lines: &[LogLine], until: Timestamp) -> PortResult<()> {
    retry_until(ports, until, || ports.records.append(key, lines)).await
}

/// Adds members to a set among a record's payloads, and gives the record as it is then; `None` where it is gone.
///
/// # Errors
/// An error of the store once `until` has passed; `Refused` for a record that this build can't read.
pub async fn gather<M: Machine>(
    ports: &Ports,
    key: &RecordKey,
    set: &str,
    members: &[String],
    until: Timestamp,
) -> PortResult<Option<Stored<M>>> {
    let stored = retry_until(ports, until, || ports.records.gather(key, set, members)).await?;
    stored.map(read_record).transpose()
}

/// Raises the time at which the conductor reconciles a record, where it is still the one seen.
///
/// # Errors
/// An error of the store.
pub async fn postpone(ports: &Ports, key: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<()> {
    ports.records.postpone(key, seen, until).await?;
    Ok(())
}

/// Lets what stands beside a record that has ended expire with it, as far as one step goes.
///
/// # Errors
/// An error of the store.
pub async fn expire_overflow(ports: &Ports, seen: &Header) -> PortResult<()> {
    ports.records.expire_overflow(seen).await
}

/// Reads a record's document.
///
/// # Errors
/// `Refused` for one that this build can't read.
pub fn read_record<M: Machine>(stored: StoredRecord) -> PortResult<Stored<M>> {
    let StoredRecord { header, document, payloads } = stored;
    match read_document(&document) {
        Ok(record) => Ok(Stored { record, payloads }),
        Err(error) => {
            let message = format!("failed to read {} (was it written by another version?): {error}", header.key);
            Err(PortError::new(PortErrorKind::Refused, message).caused_by(error))
        }
    }
}

/// Tries until the deadline what was throttled, or not answered.
///
/// # Errors
/// The error of the last try.
pub async fn retry_until<T, F: Future<Output = PortResult<T>>>(
    ports: &Ports,
    deadline: Timestamp,
    mut attempt: impl FnMut() -> F,
) -> PortResult<T> {
    let mut pause = Duration::from_millis(100);
    loop {
        match attempt().await {
            Err(error) if is_worth_a_retry(&error) && ports.clock.now() + pause < deadline => {
                tracing::warn!(%error, "trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            reply => return reply,
        }
    }
}

pub(crate) fn is_worth_a_retry(error: &PortError) -> bool {
    matches!(error.kind(), PortErrorKind::Transient | PortErrorKind::Unreachable)
}

fn unwritable<M: Machine>(error: serde_json::Error) -> PortError {
    PortError::new(PortErrorKind::Refused, format!("failed to write a record of kind {:?}", M::KIND)).caused_by(error)
}
