//! Dacapo on one machine: the embedded engine and its client.
//!
//! The engine is never kinder than AWS: messages are JSON text, delivered at least once and in any order, delays
//! are whole seconds, and a message that was not acknowledged comes back only when its visibility ends.

#[cfg(feature = "engine")]
mod dev;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
mod engine_log;
#[cfg(feature = "engine")]
pub mod http;
#[cfg(any(feature = "client", feature = "engine"))]
mod offspring;
#[cfg(feature = "engine")]
mod process;
#[cfg(any(feature = "client", feature = "engine"))]
mod rpc;
#[cfg(feature = "engine")]
mod runtime_api;
#[cfg(feature = "engine")]
pub mod sqlite;
#[cfg(test)]
mod test_clock;
#[cfg(any(feature = "client", feature = "engine"))]
pub mod turn;

#[cfg(feature = "engine")]
pub use dev::{DEFAULT_PORT, DevError, DevFunction, DevOptions, dev, dev_until};
#[cfg(feature = "engine")]
pub use engine_log::{EngineLog, EngineLogs, InvocationFailed};
#[cfg(feature = "client")]
pub use rpc::client;
