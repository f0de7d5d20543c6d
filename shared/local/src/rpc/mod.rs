//! The ports of a running engine, over HTTP on this machine: one POST of JSON a verb.

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "engine")]
pub(crate) mod guard;
#[cfg(feature = "engine")]
mod server;
mod verbs;
mod wire;

#[cfg(feature = "engine")]
pub(crate) use server::router;

/// A request here is never answered: its connection lasts as long as the engine.
pub(crate) const LEASH: &str = "/leash";

#[cfg(all(test, feature = "client", feature = "engine"))]
mod tests;
