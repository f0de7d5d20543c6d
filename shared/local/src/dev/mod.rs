//! An app on this machine, for its developer: function binaries, a database file, one port.

mod direct;
mod options;
mod serve;

pub use options::{DEFAULT_PORT, DevError, DevFunction, DevOptions};
pub use serve::{dev, dev_until};

#[cfg(test)]
mod tests;
