//! What `dacapo dev` needs to know of a workspace: its functions, built and asked what they are.

mod anew;
mod build;
mod cargo;
mod welcome;

pub use anew::{Anew, described_anew};
pub use build::{build, describe};
pub use cargo::{Metadata, Package};
pub use welcome::{Started, program};
