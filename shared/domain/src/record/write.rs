use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Header, IndexEntry, Payloads, StoredRecord, Version};
use crate::{Effect, Json};

/// One write of a record, and what follows once it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Write {
    /// Key, version and times of the record as it is to be. The expiry of one that stands beside another is that of its
    /// creation: a save leaves it where it was moved since.
    pub header: Header,
    /// The document.
    pub document: Json,
    /// The payloads that are replaced; others stay. Each is here: [`Payloads::check_read`] says so, and stores refuse
    /// others.
    #[serde(default, skip_serializing_if = "Payloads::is_empty", deserialize_with = "all_read")]
    pub payloads: Payloads,
    /// The places in the indexes: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub index: Vec<IndexEntry>,
    /// The time from which all that stands beside it may be deleted, in Unix seconds, where this write moves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_beside_s: Option<i64>,
    /// The effects: in the same transaction where the store can, else after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
}

/// Payloads that are to be written.
fn all_read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Payloads, D::Error> {
    let payloads = Payloads::deserialize(deserializer)?;
    payloads.check_read().map_err(de::Error::custom)?;
    Ok(payloads)
}

/// A second record that is written with a new one or not at all, as an idempotency key with its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The second record.
    pub write: Write,
    /// The version that it replaces; `None` where there must be none.
    pub seen: Option<Version>,
}

/// A line of a record's log, which is only ever added to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// The line's place, as sortable text: the same line added twice is one.
    pub sort: String,
    /// The content.
    pub document: Json,
}

/// The reply to a create.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Created {
    /// The record is stored, and its claim with it.
    New,
    /// A record of this key was there before.
    Exists(StoredRecord),
    /// The claim's record was there, in another version than the one seen.
    Claimed(StoredRecord),
}

/// The reply to a save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Saved {
    /// The record is stored: its payloads as they are now, as far as they are stored with it.
    Done(Payloads),
    /// Another writer came first: the record as it stands now, or nothing.
    Lost(Option<StoredRecord>),
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use jiff::Timestamp;

    use super::*;
    use crate::{Decision, DecisionContext, ManifestRecord};

    #[test]
    fn payload_that_was_not_read_is_neither_written_nor_received_in_a_write() -> Result<(), serde_json::Error> {
        let cx = DecisionContext { now: Timestamp::UNIX_EPOCH, random: 7 };
        let mut decision = Decision::store(ManifestRecord { version: cx.version(), ..ManifestRecord::fresh() }, vec![]);
        let whole = decision.clone().with("body", Json::default()).write()?;
        assert_eq!(serde_json::from_str::<Write>(&serde_json::to_string(&whole)?)?, whole);

        decision.payloads.set(Cow::Borrowed("body"), None);
        let refused = "write the payload \"body\": it is stored apart and was not read (load its record first)";
        assert_eq!(decision.write().unwrap_err().to_string(), refused);
        let travelling = serde_json::to_string(&Write { payloads: decision.payloads.clone(), ..whole })?;
        let error = serde_json::from_str::<Write>(&travelling).unwrap_err();
        assert!(error.to_string().starts_with(refused), "{error}");
        Ok(())
    }
}
