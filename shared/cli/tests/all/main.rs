//! The command line by real calls: one program of tests, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bulk;
mod dacapo;
mod deliveries;
#[cfg(unix)]
mod dev;
mod doctor;
mod engine;
#[cfg(feature = "aws")]
mod environment;
mod help;
mod json;
mod lists;
mod local;
mod odd;
mod project;
mod queues;
mod refused;
mod starts;
mod stats;
#[cfg(unix)]
mod terminal;
mod times;
mod usage;
#[cfg(unix)]
mod walk;
mod watch;
