use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Json;

/// The names of payloads.
pub mod slot {
    /// The body of a run, of an event, of a schedule's runs; the text of the manifest.
    pub const BODY: &str = "body";
    /// The input of a run's iteration.
    pub const INPUT: &str = "input";
    /// A run's result.
    pub const RESULT: &str = "result";
}

/// The payloads of a record: JSON values that are replaced one by one, and may be too large to be stored with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payloads(Vec<(Cow<'static, str>, Option<Json>)>);

/// One payload as a store gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Payload<'a> {
    /// There is none.
    Absent,
    /// It is stored apart from its record and was not read: loading the record reads it.
    Apart,
    /// The value.
    Here(&'a Json),
}

impl Payloads {
    /// No payloads.
    #[must_use]
    pub const fn none() -> Self {
        Self(vec![])
    }

    /// The payloads with this one.
    #[must_use]
    pub fn with(mut self, slot: &'static str, value: Json) -> Self {
        self.set(Cow::Borrowed(slot), Some(value));
        self
    }

    /// Sets a payload; without a value, it is one that is stored apart.
    pub fn set(&mut self, slot: Cow<'static, str>, value: Option<Json>) {
        match self.0.iter_mut().find(|(name, _)| *name == slot) {
            Some(found) => found.1 = value,
            None => self.0.push((slot, value)),
        }
    }

    /// The payload of this name.
    #[must_use]
    pub fn get(&self, slot: &str) -> Payload<'_> {
        match self.0.iter().find(|(name, _)| name == slot) {
            None => Payload::Absent,
            Some((_, None)) => Payload::Apart,
            Some((_, Some(value))) => Payload::Here(value),
        }
    }

    /// Takes the value of this name, where it is here.
    #[must_use]
    pub fn take(&mut self, slot: &str) -> Option<Json> {
        self.0.iter_mut().find(|(name, _)| name == slot).and_then(|(_, value)| value.take())
    }

    /// Is true where there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is true where one is stored apart and was not read.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.0.iter().any(|(_, value)| value.is_none())
    }

    /// All payloads with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Cow<'static, str>, Option<&Json>)> {
        self.0.iter().map(|(name, value)| (name, value.as_ref()))
    }
}
