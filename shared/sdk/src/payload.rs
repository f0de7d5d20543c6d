//! Values that can travel between functions, and their way into JSON and back: by function pointers, so that code that
//! has a reference needs no serde bounds.

use std::fmt;

use dacapo_domain::Json;
use serde::{Serialize, de::DeserializeOwned};

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
        Self { encode: |value| Json::of(value), decode: decode::<T> }
    }

    /// The JSON of a value.
    ///
    /// # Errors
    /// If the value can't be serialized, as a map with keys that are no strings.
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

fn decode<T: Payload>(json: &Json) -> Result<T, Mismatch> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(json.text()))
}
