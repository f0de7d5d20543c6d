//! An event handler for `make bench`: it hears of something and does nothing.

use dacapo::prelude::*;
use serde::{Deserialize, Serialize};

/// What is heard of.
pub const NOISE: EventRef<Noise> = EventRef::new("noise.made");

/// A noise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noise {
    /// How loud it is.
    pub decibels: u32,
}

/// The handler.
pub fn function() -> impl Function {
    on(NOISE, hear)
}

async fn hear(_: Noise, _: EventContext) -> Result<(), TaskError> {
    Ok(())
}
