//! What every implementation of the ports must do: one rule, one function.
//!
//! A rule gets a [`Bench`]: ports, and what stands around them. It assumes nothing that the ports' documentation
//! doesn't say, so the same rules hold for the embedded engine and for AWS. The [`contract!`](crate::contract!) macro
//! makes a test of each rule for a bench.

#![expect(clippy::unwrap_used, reason = "rules are tests: what fails ends them")]

mod bench;
mod fixture;
mod sqlite;
mod table;

pub mod deliveries;
pub mod keys;
pub mod lists;
pub mod logs;
pub mod loops;
pub mod queues;
pub mod runs;
pub mod schedules;
pub mod timers;
pub mod watch;

pub use bench::Bench;
pub use sqlite::SqliteBench;
pub use table::rules_of;
