//! What `dacapo dev` needs to know of a workspace: its functions, built and asked what they are.

mod anew;
mod build;
mod welcome;

pub use anew::{Anew, described_anew};
pub use build::{Metadata, Package, build, describe};
pub use welcome::{Started, program};
