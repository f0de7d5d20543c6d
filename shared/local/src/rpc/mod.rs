//! The ports of a running engine, over HTTP on this machine: one POST of JSON a verb.

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
mod connection;
#[cfg(feature = "engine")]
pub(crate) mod guard;
#[cfg(feature = "engine")]
mod server;
mod verbs;

#[cfg(feature = "engine")]
pub(crate) use server::router;

/// A request here is never answered: its connection lasts as long as the engine.
pub(crate) const LIVENESS_PATH: &str = "/liveness";

#[cfg(all(test, feature = "client", feature = "engine"))]
mod tests;
