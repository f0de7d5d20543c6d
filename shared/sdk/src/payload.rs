//! Values that can travel between functions, and their way into JSON and back: by function pointers, so that code that
//! has a reference needs no serde bounds.

use std::fmt;

use dacapo_domain::Json;
use serde::{Serialize, de::DeserializeOwned, ser::Error};

use crate::finite::check_finite;

/// A value that can travel between functions: inputs, results, bodies of events.
///
/// Every type has it that owns its data and derives serde's `Serialize` and `Deserialize`; nothing implements it by
/// hand. It travels as JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't travel between functions",
    label = "needs `serde::Serialize` and `serde::Deserialize`",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`; it must own its data (no borrowed fields)"
)]
pub trait Payload: Serialize + DeserializeOwned + Send + Sync + 'static {}

/// Both ways of one type.
pub struct Codec<T> {
    encode: fn(&T) -> Result<Json, serde_json::Error>,
    decode: fn(&Json) -> Result<T, Mismatch>,
}

/// JSON that doesn't fit its type: what is wrong, and where in it.
pub type Mismatch = serde_path_to_error::Error<serde_json::Error>;

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Payload for T {}

impl<T> Codec<T> {
    pub const fn new() -> Self
    where
        T: Payload,
    {
        Self { encode: encode::<T>, decode: decode::<T> }
    }

    /// The JSON of a value.
    ///
    /// # Errors
    /// If the value can't be serialized, as a map with keys that are no strings, or a number that is infinite or none.
    pub fn encode(&self, value: &T) -> Result<Json, serde_json::Error> {
        (self.encode)(value)
    }

    /// The value of some JSON.
    ///
    /// # Errors
    /// If the JSON doesn't fit the type.
    pub fn decode(&self, json: &Json) -> Result<T, Mismatch> {
        (self.decode)(json)
    }
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

impl<T> fmt::Debug for Codec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Json, serde_json::Error> {
    let json = Json::of(value)?;
    // What serde_json makes of a number that JSON can't hold.
    if json.text().contains("null") {
        check_finite(value).map_err(serde_json::Error::custom)?;
    }
    Ok(json)
}

pub(crate) fn decode<T: DeserializeOwned>(json: &Json) -> Result<T, Mismatch> {
    let read = serde_path_to_error::deserialize(&mut json.reader());
    // Nothing is said as `{}`, and is what a type wants whose own JSON of nothing is `null`: `()`, a unit struct, an Option.
    let is_nothing = *json == Json::default();
    if is_nothing { read.or_else(|error| serde_json::from_str("null").map_err(|_| error)) } else { read }
}

/// The words for JSON that doesn't fit its type.
pub(crate) fn misfit<T>(what: impl fmt::Display, error: &Mismatch) -> String {
    format!("{what} is no {}: at {}: {}", std::any::type_name::<T>(), error.path(), error.inner())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    enum Measured {
        Nothing,
        One(f64),
        Pair(f32, f32),
        Named { value: Option<f64> },
    }

    fn problem<T: Payload>(value: &T) -> Option<String> {
        Codec::new().encode(value).err().map(|error| error.to_string())
    }

    #[test]
    fn number_that_json_cant_hold_is_refused_wherever_it_stands() {
        let expected =
            |number: &str| Some(format!("{number} is no JSON number (allowed: finite ones, or an Option or a text)"));
        assert_eq!(problem(&f64::NAN), expected("NaN"));
        assert_eq!(problem(&f32::NEG_INFINITY), expected("-inf"));
        assert_eq!(problem(&(1, vec![Some(f64::INFINITY)])), expected("inf"));
        assert_eq!(
            problem(&BTreeMap::from([("a", [1.0, f64::NAN])].map(|(name, all)| (name.to_owned(), all)))),
            expected("NaN")
        );
        for value in [Measured::One(f64::NAN), Measured::Pair(0.0, f32::NAN), Measured::Named { value: Some(f64::NAN) }]
        {
            assert_eq!(problem(&value), expected("NaN"));
        }
    }

    #[test]
    fn null_that_is_meant_is_kept() {
        assert_eq!(problem(&((), None::<f64>, "null".to_owned(), Measured::Nothing)), None);
        assert_eq!(problem(&(Measured::Named { value: None }, Json::from_text("[null]").unwrap())), None);
    }

    #[test]
    fn nothing_is_read_by_each_type_that_has_a_value_for_it_and_by_no_other() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Unit;
        #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        struct Settings {
            size: u32,
        }
        fn nothing<T: Payload>() -> Option<T> {
            Codec::new().decode(&Json::default()).ok()
        }
        assert_eq!((nothing(), nothing()), (Some(()), Some(Unit)));
        assert_eq!((nothing::<Option<u32>>(), nothing::<Option<Unit>>()), (Some(None), Some(None)));
        assert_eq!((nothing(), nothing()), (Some(Settings::default()), Some(Some(Settings::default()))));
        assert_eq!((nothing::<u32>(), nothing::<String>(), nothing::<f64>()), (None, None, None));
        assert_eq!(nothing::<Vec<u32>>(), None);
    }

    #[test]
    fn value_of_128_levels_is_read() {
        let json = Json::from_text("[".repeat(128) + &"]".repeat(128)).unwrap();
        assert!(Codec::<serde_json::Value>::new().decode(&json).is_ok());
    }
}
