//! The queues that are paused: one record of the app, since a queue without limits has no other that its runs read.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Decision, DecisionContext, Header, Machine, RecordKey, Version};

/// The record of all queues that are paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PausedQueues {
    /// The name of the last write.
    pub version: Version,
    /// Their pools' scopes.
    pub scopes: BTreeSet<String>,
}

/// An input of the paused queues: a scope, and whether it is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuePaused(pub String, pub bool);

impl PausedQueues {
    /// No queue is paused.
    #[must_use]
    pub const fn fresh() -> Self {
        Self { version: Version(0), scopes: BTreeSet::new() }
    }

    /// The key of the one record.
    #[must_use]
    pub fn key() -> RecordKey {
        RecordKey::new(Self::KIND, "queues")
    }
}

impl Machine for PausedQueues {
    const KIND: &'static str = "paused";
    type Input = QueuePaused;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        Header { key: Self::key(), version: self.version, reconcile_at: None, expires_at_s: None }
    }

    fn decide(&self, QueuePaused(scope, paused): &QueuePaused, (): (), cx: &DecisionContext) -> Decision<Self> {
        if self.scopes.contains(scope) == *paused {
            return Decision::keep(self, vec![]);
        }
        let mut next = Self { version: cx.version(), ..self.clone() };
        if *paused {
            next.scopes.insert(scope.clone())
        } else {
            next.scopes.remove(scope)
        };
        Decision::store(next, vec![])
    }
}
