use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};

use crate::Json;

/// The names of payloads.
pub mod slot {
    /// The body of a run, of an event, of a schedule's runs; the text of the manifest.
    pub const BODY: &str = "body";
    /// The input of a run's iteration.
    pub const INPUT: &str = "input";
    /// A run's result.
    pub const RESULT: &str = "result";
    /// The list of the runs that a run has waited for last.
    pub const CHILDREN: &str = "children";
    /// The set of those who wait for a run's end.
    pub const WAITERS: &str = "waiters";
    /// The set of what has come of all that a join waits for.
    pub const MEMBERS: &str = "members";
    /// A run's output, as its handler updates it.
    pub const OUTPUT: &str = "output";
    /// A run's metadata, as its handler updates them.
    pub const METADATA: &str = "metadata";
    /// The value of a step, or the one that a token was completed with.
    pub const VALUE: &str = "value";
}

/// The payloads of a record: JSON values that are replaced one by one, and may be too large to be stored with it.
#[derive(Clone, Debug, Default, PartialEq)]
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

/// A payload was to be written that has no value, because it is stored apart and was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the payload {0:?}: it is stored apart and was not read (load its record first)")]
pub struct PayloadNotRead(String);

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

    /// The members of the set of this name; none where there is no such set, or it was not read.
    #[must_use]
    pub fn members(&self, slot: &str) -> BTreeSet<String> {
        match self.get(slot) {
            Payload::Here(value) => value.parse().unwrap_or_default(),
            Payload::Absent | Payload::Apart => BTreeSet::new(),
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

    /// Checks that each is here, as a write must have it: one that was not read can't be written.
    ///
    /// # Errors
    /// The name of one that is stored apart and was not read.
    pub fn check_read(&self) -> Result<(), PayloadNotRead> {
        let missing = self.iter().find(|(_, value)| value.is_none());
        missing.map_or(Ok(()), |(name, _)| Err(PayloadNotRead(name.to_string())))
    }

    /// All payloads with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Cow<'static, str>, Option<&Json>)> {
        self.0.iter().map(|(name, value)| (name, value.as_ref()))
    }
}

/// A payload as it travels: its name and its value, or its name alone where the value stays apart. So a value of
/// `null` is one.
struct Travelling<'a>(Cow<'a, str>, Option<Cow<'a, Json>>);

impl Serialize for Travelling<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.1 {
            Some(value) => (&self.0, value).serialize(serializer),
            None => (&self.0,).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Travelling<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Travelling<'static>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a payload's name, and its value if it has one")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let name: String = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                Ok(Travelling(Cow::Owned(name), seq.next_element()?.map(Cow::Owned)))
            }
        }
        deserializer.deserialize_seq(Pair)
    }
}

impl Serialize for Payloads {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(self.iter().map(|(name, value)| Travelling(Cow::Borrowed(name), value.map(Cow::Borrowed))))
    }
}

impl<'de> Deserialize<'de> for Payloads {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Vec::<Travelling<'static>>::deserialize(deserializer)?;
        Ok(Self(all.into_iter().map(|Travelling(name, value)| (name, value.map(Cow::into_owned))).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_of_null_travels_as_a_payload_and_one_apart_as_its_name() -> Result<(), serde_json::Error> {
        let mut payloads = Payloads::none().with(slot::RESULT, Json::from_text("null")?);
        payloads.set(Cow::Borrowed(slot::BODY), None);
        let text = serde_json::to_string(&payloads)?;
        assert_eq!(text, r#"[["result",null],["body"]]"#);
        assert_eq!(serde_json::from_str::<Payloads>(&text)?, payloads);
        Ok(())
    }
}
