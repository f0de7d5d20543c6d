//! An app on this machine, for its developer: function binaries, a database file, one port.

mod direct;
mod error;
mod options;
mod serve;
mod stop;

pub use error::DevError;
pub use options::{DEFAULT_PORT, DevFunction, DevOptions};
pub use serve::{dev, dev_until};

#[cfg(test)]
mod tests;
