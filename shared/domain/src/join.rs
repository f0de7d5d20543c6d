//! A join: a run waits for the end of others, its children.
//!
//! The parent is stored as waiting first. Then each child gets a [`Waiter`] into a set that stands with its record,
//! and the reply says whether it had ended before; the write that ends it later is given that set. So none is missed.
//! A child that has ended adds its place to a [`Gathering`] of up to 125; the last of one adds that to the root, and the last of
//! the root wakes the parent. Sets only grow: what is added twice counts once, and what is told twice wakes once.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Decision, DecisionContext, Header, Id, Machine, RecordKey, Version, later, limits};

/// A run's wait for others before one of its iterations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join {
    /// The run that waits.
    pub parent: Id,
    /// The iteration that comes next.
    pub iteration: u32,
    /// The number of children.
    pub size: u32,
}

/// A place in a join, as the child's record has it: `{parent}/{iteration}/{size}/{place}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// The join.
    pub join: Join,
    /// The child's place among its children, from 0.
    pub place: u32,
}

/// A set of what has ended: of up to 125 children, or the root, of such sets that are full. One of a single member is
/// full once that has ended, and needs no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathering {
    /// The key of the record that it stands with.
    pub key: RecordKey,
    /// The members, once it is full.
    pub size: u32,
}

/// The record that a [`Gathering`] stands with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinRecord {
    /// The id: parent, iteration, and the number of the set.
    pub id: String,
    /// The name of its only write.
    pub version: Version,
    /// The time from which it may be deleted, in Unix seconds: a wait that is longer gets it anew.
    pub expires_at_s: i64,
}

impl Join {
    /// Children of one set, at most: the item that holds their places stays below 1 KB, what a write of `DynamoDB` is
    /// paid by.
    const SHARE: u32 = 125;

    /// The set that a child's place goes into, and the set's own place in the root.
    #[must_use]
    pub fn share_of(&self, place: u32) -> (u32, Gathering) {
        let number = place / Self::SHARE;
        let rest = self.size.saturating_sub(number * Self::SHARE);
        (number, self.gathering(&number.to_string(), rest.min(Self::SHARE)))
    }

    /// Is true of a set of a single child, by the set's place in the root.
    #[must_use]
    pub fn is_of_one(&self, number: u32) -> bool {
        self.size.checked_sub(number.saturating_mul(Self::SHARE)) == Some(1)
    }

    /// The set of the sets that are full.
    #[must_use]
    pub fn root(&self) -> Gathering {
        self.gathering("root", self.size.div_ceil(Self::SHARE))
    }

    /// The sets that have a record: those of more than one member.
    pub fn sets(&self) -> impl Iterator<Item = Gathering> {
        let shares = (0..self.root().size).map(|number| self.share_of(number * Self::SHARE).1);
        shares.chain([self.root()]).filter(|set| set.size > 1)
    }

    /// The records to be made before any child is told: one for each set of more than one member.
    pub fn records(&self, cx: &DecisionContext) -> impl Iterator<Item = Decision<JoinRecord>> {
        let expires_at_s = later(cx.now, limits::HISTORY).as_second();
        let version = cx.version();
        self.sets().map(move |set| Decision::store(JoinRecord { id: set.key.id, version, expires_at_s }, vec![]))
    }

    fn gathering(&self, name: &str, size: u32) -> Gathering {
        let id = format!("{}/{}/{name}", self.parent, self.iteration);
        Gathering { key: RecordKey::new(JoinRecord::KIND, id), size }
    }
}

impl Machine for JoinRecord {
    const KIND: &'static str = "join";
    type Input = Infallible;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        let key = RecordKey::new(Self::KIND, &*self.id);
        Header { key, version: self.version, reconcile_at: None, expires_at_s: Some(self.expires_at_s) }
    }

    fn decide(&self, input: &Infallible, (): (), _: &DecisionContext) -> Decision<Self> {
        match *input {}
    }
}

impl fmt::Display for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { join: Join { parent, iteration, size }, place } = self;
        write!(f, "{parent}/{iteration}/{size}/{place}")
    }
}

/// The text is no waiter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no run that waits")]
pub struct WaiterError(String);

impl FromStr for Waiter {
    type Err = WaiterError;

    fn from_str(text: &str) -> Result<Self, WaiterError> {
        let read = |parts: &[&str]| {
            let [parent, iteration, size, place] = parts else { return None };
            let join =
                Join { parent: parent.parse().ok()?, iteration: iteration.parse().ok()?, size: size.parse().ok()? };
            Some(Self { join, place: place.parse().ok()? })
        };
        read(&text.split('/').collect::<Vec<_>>()).ok_or_else(|| WaiterError(text.to_owned()))
    }
}
