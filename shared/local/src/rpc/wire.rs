//! The ports' types as they travel.
//!
//! A payload may be JSON's `null`, which is not the same as no payload: what is absent is left out.

use std::time::Duration;

use dacapo::port::{Envelope, Page, Payloads, PortError, PortErrorKind, Saved, SavedDelivery, Stored, StoredDelivery};
use dacapo_domain::{Delivery, Json, Message, Run};
use serde::{Deserialize, Deserializer, Serialize};

/// A failed call.
#[derive(Serialize, Deserialize)]
pub struct WireError {
    kind: WireErrorKind,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// What a failed call means.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireErrorKind {
    Transient,
    Unreachable,
    Denied,
    NotDeployed,
    Refused,
}

#[derive(Serialize, Deserialize)]
pub struct WireStored {
    run: Run,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    body: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    input: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    result: Option<Json>,
}

#[derive(Serialize, Deserialize)]
pub struct WirePayloads {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    input: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    result: Option<Json>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WireSaved {
    Done(WireStored),
    Lost(Option<WireStored>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "it lives for the length of a call")]
pub enum WireSavedDelivery {
    Done,
    Lost(Option<Delivery>),
}

#[derive(Serialize, Deserialize)]
pub struct WireStoredDelivery {
    delivery: Delivery,
    body: Json,
}

#[derive(Serialize, Deserialize)]
pub struct WirePage {
    runs: Vec<WireStored>,
    cursor: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub struct WireEnvelope {
    message: Message,
    #[serde(rename = "delayMs", with = "dacapo_domain::ms")]
    delay: Duration,
}

/// A field that is there holds a payload, also where that is `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

impl From<PortError> for WireError {
    fn from(error: PortError) -> Self {
        let kind = match error.kind() {
            PortErrorKind::Transient => WireErrorKind::Transient,
            PortErrorKind::Unreachable => WireErrorKind::Unreachable,
            PortErrorKind::Denied => WireErrorKind::Denied,
            PortErrorKind::NotDeployed => WireErrorKind::NotDeployed,
            PortErrorKind::Refused => WireErrorKind::Refused,
        };
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        Self { kind, message: error.to_string(), cause }
    }
}

impl From<WireError> for PortError {
    fn from(error: WireError) -> Self {
        let kind = match error.kind {
            WireErrorKind::Transient => PortErrorKind::Transient,
            WireErrorKind::Unreachable => PortErrorKind::Unreachable,
            WireErrorKind::Denied => PortErrorKind::Denied,
            WireErrorKind::NotDeployed => PortErrorKind::NotDeployed,
            WireErrorKind::Refused => PortErrorKind::Refused,
        };
        let told = Self::new(kind, error.message);
        match error.cause {
            Some(cause) => told.caused_by(cause),
            None => told,
        }
    }
}

impl From<Stored> for WireStored {
    fn from(Stored { run, body, input, result }: Stored) -> Self {
        Self { run, body, input, result }
    }
}

impl From<WireStored> for Stored {
    fn from(WireStored { run, body, input, result }: WireStored) -> Self {
        Self { run, body, input, result }
    }
}

impl From<Payloads> for WirePayloads {
    fn from(Payloads { input, result }: Payloads) -> Self {
        Self { input, result }
    }
}

impl From<WirePayloads> for Payloads {
    fn from(WirePayloads { input, result }: WirePayloads) -> Self {
        Self { input, result }
    }
}

impl From<Saved> for WireSaved {
    fn from(saved: Saved) -> Self {
        match saved {
            Saved::Done(stored) => Self::Done((*stored).into()),
            Saved::Lost(stored) => Self::Lost(stored.map(|stored| (*stored).into())),
        }
    }
}

impl From<WireSaved> for Saved {
    fn from(saved: WireSaved) -> Self {
        match saved {
            WireSaved::Done(stored) => Self::Done(Box::new(stored.into())),
            WireSaved::Lost(stored) => Self::Lost(stored.map(|stored| Box::new(stored.into()))),
        }
    }
}

impl From<SavedDelivery> for WireSavedDelivery {
    fn from(saved: SavedDelivery) -> Self {
        match saved {
            SavedDelivery::Done => Self::Done,
            SavedDelivery::Lost(delivery) => Self::Lost(delivery),
        }
    }
}

impl From<WireSavedDelivery> for SavedDelivery {
    fn from(saved: WireSavedDelivery) -> Self {
        match saved {
            WireSavedDelivery::Done => Self::Done,
            WireSavedDelivery::Lost(delivery) => Self::Lost(delivery),
        }
    }
}

impl From<StoredDelivery> for WireStoredDelivery {
    fn from(StoredDelivery { delivery, body }: StoredDelivery) -> Self {
        Self { delivery, body }
    }
}

impl From<WireStoredDelivery> for StoredDelivery {
    fn from(WireStoredDelivery { delivery, body }: WireStoredDelivery) -> Self {
        Self { delivery, body }
    }
}

impl From<Page> for WirePage {
    fn from(Page { runs, cursor }: Page) -> Self {
        Self { runs: runs.into_iter().map(Into::into).collect(), cursor }
    }
}

impl From<WirePage> for Page {
    fn from(WirePage { runs, cursor }: WirePage) -> Self {
        Self { runs: runs.into_iter().map(Into::into).collect(), cursor }
    }
}

impl From<Envelope> for WireEnvelope {
    fn from(Envelope { message, delay }: Envelope) -> Self {
        Self { message, delay }
    }
}

impl From<WireEnvelope> for Envelope {
    fn from(WireEnvelope { message, delay }: WireEnvelope) -> Self {
        Self { message, delay }
    }
}
