//! An event handler for `make bench`: it hears of something and does nothing.

use dacapo::prelude::*;
use serde::{Deserialize, Serialize};

/// The noise that is heard.
pub const NOISE: EventRef<Noise> = EventRef::new("noise.made");

/// A noise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noise {
    /// The loudness.
    pub decibels: u32,
}

/// The handler.
pub fn function() -> impl Function {
    on(NOISE, hear)
}

async fn hear(_: Noise, _: EventContext) -> Result<(), TaskError> {
    Ok(())
}
