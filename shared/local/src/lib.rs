//! x
#[cfg(any(feature = "client", feature = "engine"))]
mod rpc;
#[cfg(feature = "engine")]
pub mod sqlite;
#[cfg(feature = "client")]
pub use rpc::client;
