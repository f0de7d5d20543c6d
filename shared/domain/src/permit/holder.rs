//! An attempt as the holder of permits.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::PoolId;
use crate::Id;

/// An attempt of a run: no later one has all of it. As text `{run}-{iteration}-{attempt}-{revision}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Holder {
    /// The run.
    pub run: Id,
    /// The iteration.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
    /// The revision of body and due time.
    pub revision: u32,
}

/// Permits of an attempt that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The attempt.
    pub holder: Holder,
    /// The pools, in the order in which they were taken.
    pub pools: Vec<PoolId>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, iteration, attempt, revision } = self;
        write!(f, "{run}-{iteration}-{attempt}-{revision}")
    }
}

impl From<Holder> for String {
    fn from(holder: Holder) -> Self {
        holder.to_string()
    }
}

/// The text names no attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no attempt of a run")]
pub struct HolderError(String);

impl TryFrom<String> for Holder {
    type Error = HolderError;

    fn try_from(text: String) -> Result<Self, HolderError> {
        let read = |parts: &[&str]| {
            let [run, iteration, attempt, revision] = parts else { return None };
            let numbers = (iteration.parse().ok()?, attempt.parse().ok()?, revision.parse().ok()?);
            let (iteration, attempt, revision) = numbers;
            Some(Self { run: run.parse().ok()?, iteration, attempt, revision })
        };
        read(&text.split('-').collect::<Vec<_>>()).ok_or(HolderError(text))
    }
}
