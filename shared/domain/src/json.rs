//! JSON text that is carried, not read.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{de::StrRead, value::RawValue};

use crate::limits::JSON_LEVELS;

/// A JSON value as its text: bodies, inputs and results pass through unchanged, to the last digit.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

/// JSON that is well formed, and that readers of JSON refuse all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableJson {
    /// It has too many levels.
    #[error("it is nested {levels} levels deep (allowed: {JSON_LEVELS})")]
    TooDeep {
        /// The levels.
        levels: usize,
    },
    /// A text with half of a surrogate pair, or a number that is too large.
    #[error("{0} (readers of JSON refuse it: write surrogates in pairs, and a number beyond 1.7e308 as a text)")]
    NoValue(#[from] serde_json::Error),
}

impl Json {
    /// The JSON of a value.
    ///
    /// # Errors
    /// If the value can't be serialized, as a map with keys that are no strings.
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// Takes JSON text.
    ///
    /// # Errors
    /// If the text is not one JSON value.
    pub fn from_text(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.into()).map(Self)
    }

    /// Checks that every reader of JSON takes it, as a body must have it.
    ///
    /// ```
    /// use dacapo_domain::Json;
    /// let problem = |text: &str| Json::from_text(text).map(|json| json.check().map_err(|error| error.to_string()));
    /// assert_eq!(problem("[1e300]")?, Ok(()));
    /// assert_eq!(problem(&("[".repeat(129) + &"]".repeat(129)))?, Err("it is nested 129 levels deep (allowed: 128)".into()));
    /// assert!(problem("1e400")?.is_err_and(|error| error.starts_with("number out of range at line 1 column")));
    /// assert!(problem(r#""\ud83d""#)?.is_err_and(|error| error.starts_with("unexpected end of hex escape")));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// The part that a reader would refuse, and where.
    pub fn check(&self) -> Result<(), UnreadableJson> {
        let levels = self.levels();
        if levels > JSON_LEVELS {
            return Err(UnreadableJson::TooDeep { levels });
        }
        Ok(AnyValue.deserialize(&mut self.reader_of(levels))?)
    }

    /// Reads the value as a type.
    ///
    /// # Errors
    /// If the value doesn't fit the type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&mut self.reader())
    }

    /// A reader of the value, for as many levels as a body may have. It refuses deeper ones.
    #[must_use]
    pub fn reader(&self) -> serde_json::Deserializer<StrRead<'_>> {
        self.reader_of(self.levels())
    }

    fn reader_of(&self, levels: usize) -> serde_json::Deserializer<StrRead<'_>> {
        let mut reader = serde_json::Deserializer::from_str(self.text());
        // Its own limit is one level less.
        if levels <= JSON_LEVELS {
            reader.disable_recursion_limit();
        }
        reader
    }

    /// The depth of its lists and objects.
    fn levels(&self) -> usize {
        let (mut level, mut deepest) = (0_usize, 0);
        let (mut in_text, mut escaped) = (false, false);
        for byte in self.text().bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = !in_text,
                b'[' | b'{' if !in_text => {
                    level += 1;
                    deepest = deepest.max(level);
                }
                b']' | b'}' if !in_text => level = level.saturating_sub(1),
                _ => {}
            }
        }
        deepest
    }

    /// The JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The length in bytes of UTF-8.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text().len()
    }
}

impl Default for Json {
    /// `{}`: what is sent where no body is given.
    #[expect(clippy::expect_used, reason = "{} is JSON")]
    fn default() -> Self {
        Self(RawValue::from_string("{}".to_owned()).expect("{} is JSON"))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}

/// Reads any value and keeps nothing of it. Unlike [`IgnoredAny`](serde::de::IgnoredAny) it looks into texts and
/// numbers, which is where readers refuse.
struct AnyValue;

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry_seed(Self, Self)?.is_some() {}
        Ok(())
    }
}

/// Is true of 0, for `#[serde(skip_serializing_if)]`: a field that says nothing is left out of the JSON.
pub(crate) fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

/// Is true of 1, likewise.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
pub(crate) fn is_one(number: &u32) -> bool {
    *number == 1
}

/// The value of a field that is left out where it is 1.
pub(crate) const fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize, inner: &str) -> Json {
        Json::from_text("[".repeat(levels) + inner + &"]".repeat(levels)).unwrap()
    }

    #[test]
    fn value_of_128_levels_is_taken_and_read_and_a_deeper_one_is_refused() {
        for inner in ["", "1", r#""]""#] {
            let json = nested(JSON_LEVELS, inner);
            assert!(json.check().is_ok() && json.parse::<serde_json::Value>().is_ok(), "{inner}");
        }
        let deeper = nested(JSON_LEVELS, r#"{"a":"}"}"#);
        assert!(matches!(deeper.check(), Err(UnreadableJson::TooDeep { levels: 129 })));
        assert!(deeper.parse::<serde_json::Value>().is_err());
    }

    #[test]
    fn depth_without_bound_is_carried_and_refused_without_recursion() {
        let json = nested(1_000_000, "");
        assert_eq!(json.check().unwrap_err().to_string(), "it is nested 1000000 levels deep (allowed: 128)");
        assert!(json.parse::<serde_json::Value>().unwrap_err().to_string().contains("recursion limit"));
        assert_eq!(serde_json::from_str::<Json>(&serde_json::to_string(&json).unwrap()).unwrap(), json);
    }

    #[test]
    fn brackets_in_texts_are_no_levels() {
        for text in [r#""[[[[""#, r#""\"[[""#, r#"{"[\\":"]"}"#] {
            assert!(Json::from_text(text).unwrap().levels() <= 1, "{text}");
        }
    }

    #[test]
    fn value_that_only_a_lenient_reader_takes_is_refused_wherever_it_stands() {
        for text in [
            r#""\ud83d""#,
            r#"["\ude00"]"#,
            r#"{"\ud800x":1}"#,
            r#"{"a":["\ud83d\u0041"]}"#,
            "1e309",
            "[-1e400]",
            &"9".repeat(400),
        ] {
            let json = Json::from_text(text).unwrap();
            assert!(matches!(json.check(), Err(UnreadableJson::NoValue(_))), "{text}");
        }
        for text in [r#""\ud83d\ude00""#, r#"{"a":1,"a":2}"#, "1e-400", "1.7e308", "0e999", "-0", &"9".repeat(300)] {
            assert!(Json::from_text(text).unwrap().check().is_ok(), "{text}");
        }
    }

    #[test]
    fn number_that_is_read_and_written_is_the_same() {
        let text = "31.245270191439438";
        assert_eq!(Json::of(&Json::from_text(text).unwrap().parse::<f64>().unwrap()).unwrap().text(), text);
    }
}
