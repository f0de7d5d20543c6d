//! The version of a stored form. Messages and invocations have it in their names, a manifest says it, and a record says it
//! from the second one on.

use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error};

use crate::Json;

/// The version that this build reads and writes. A field that may be missing needs no other: one that a reader must not
/// pass over does.
pub const FORMAT: u32 = 1;

/// Reads a record's document.
///
/// # Errors
/// If it is none of this kind, or its form is of a later version.
pub fn read_document<R: DeserializeOwned>(document: &Json) -> Result<R, serde_json::Error> {
    #[derive(Deserialize)]
    struct Versioned {
        #[serde(default, rename = "v", deserialize_with = "read_version")]
        _v: u32,
    }
    if document.text().contains(r#""v":"#) {
        document.parse::<Versioned>()?;
    }
    document.parse()
}

/// Reads a version.
///
/// # Errors
/// If it is a later one.
pub(crate) fn read_version<'de, D: Deserializer<'de>>(told: D) -> Result<u32, D::Error> {
    match u32::deserialize(told)? {
        version if version <= FORMAT => Ok(version),
        later => {
            let why =
                format!("its form is of version {later} (this build reads version {FORMAT}: deploy the newer one)");
            Err(D::Error::custom(why))
        }
    }
}
