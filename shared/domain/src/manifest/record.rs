//! The record of the manifest: its own text is a payload.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Manifest;
use crate::{Decision, DecisionContext, Header, Json, Machine, RecordKey, Version, slot};

/// The record of the manifest of what is deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestRecord {
    /// The name of the last write.
    pub version: Version,
    /// The time at which it was made, in Unix milliseconds.
    pub made_ms: i64,
    /// Tasks that were deployed before and are no more: the history still has runs of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_tasks: Vec<FormerTask>,
}

/// A task that is deployed no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerTask {
    /// The name.
    pub name: String,
    /// Until when the history has runs of it: its `history` after it was removed.
    pub until: Timestamp,
}

/// An input of the manifest.
#[derive(Clone, Debug, PartialEq)]
pub enum ManifestInput {
    /// A deploy brings one.
    Deployed {
        /// The manifest.
        manifest: Manifest,
        /// The manifest as JSON.
        text: Json,
        /// The one that it replaces, if there is one.
        former: Option<Manifest>,
    },
}

impl ManifestRecord {
    /// The record of a manifest that was never stored.
    #[must_use]
    pub fn fresh() -> Self {
        Self { version: Version(0), made_ms: i64::MIN, former_tasks: vec![] }
    }

    /// The key of the one record.
    #[must_use]
    pub fn key() -> RecordKey {
        RecordKey::new(Self::KIND, "deployed")
    }

    /// The tasks that are gone once the manifest is this one.
    fn former_tasks(&self, manifest: &Manifest, former: Option<&Manifest>, now: Timestamp) -> Vec<FormerTask> {
        let removed = former.into_iter().flat_map(Manifest::tasks).map(|(_, task)| {
            let until = now.saturating_add(task.policy.history).unwrap_or(Timestamp::MAX);
            FormerTask { name: task.name.clone(), until }
        });
        let known = self.former_tasks.iter().filter(|task| task.until > now).cloned();
        let mut gone: Vec<FormerTask> = vec![];
        for task in known.chain(removed).filter(|task| manifest.task(&task.name).is_none()) {
            if !gone.iter().any(|other| other.name == task.name) {
                gone.push(task);
            }
        }
        gone
    }
}

impl Machine for ManifestRecord {
    const KIND: &'static str = "manifest";
    type Input = ManifestInput;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        Header { key: Self::key(), version: self.version, reconcile_at: None, expires_at_s: None }
    }

    /// A newer one stays: a deploy that comes late must not bring yesterday's functions back.
    fn decide(&self, input: &ManifestInput, (): (), cx: &DecisionContext) -> Decision<Self> {
        let ManifestInput::Deployed { manifest, text, former } = input;
        if manifest.made_ms < self.made_ms {
            return Decision::keep(self, vec![]);
        }
        let former_tasks = self.former_tasks(manifest, former.as_ref(), cx.now);
        let next = Self { version: cx.version(), made_ms: manifest.made_ms, former_tasks };
        Decision::store(next, vec![]).with(slot::BODY, text.clone())
    }
}
