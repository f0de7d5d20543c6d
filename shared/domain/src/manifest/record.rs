//! The record of the manifest: its own text is a payload.

use serde::{Deserialize, Serialize};

use crate::{Decision, DecisionContext, Header, Machine, RecordKey, Version};

/// The record of the manifest of what is deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestRecord {
    /// The name of the last write.
    pub version: Version,
    /// The time at which it was made, in Unix milliseconds.
    pub made_ms: i64,
}

/// An input of the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestInput {
    /// A deploy brings one that was made then, in Unix milliseconds; its text is a payload of the same write.
    Deployed {
        /// The time at which it was made.
        made_ms: i64,
    },
}

impl ManifestRecord {
    /// The record of a manifest that was never stored.
    #[must_use]
    pub fn fresh() -> Self {
        Self { version: Version(0), made_ms: i64::MIN }
    }

    /// The key of the one record.
    #[must_use]
    pub fn key() -> RecordKey {
        RecordKey::new(Self::KIND, "deployed")
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
        let ManifestInput::Deployed { made_ms } = *input;
        if made_ms < self.made_ms {
            return Decision::keep(self, vec![]);
        }
        Decision::store(Self { version: cx.version(), made_ms }, vec![])
    }
}
