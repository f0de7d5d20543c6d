//! The workspace's side of `dacapo dev`: its functions, built and asked what they are.

mod build;
mod restart;
mod welcome;

pub use build::{Metadata, Package, build, describe};
pub use restart::{Restart, manifest_changed};
pub use welcome::{Started, program};
