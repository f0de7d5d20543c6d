//! The command line by real calls: one program of tests, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod dacapo;
#[cfg(unix)]
mod dev;
mod engine;
#[cfg(feature = "aws")]
mod environment;
mod json;
mod local;
mod times;
mod usage;
