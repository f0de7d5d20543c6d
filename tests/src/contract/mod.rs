//! The duties of every implementation of the ports: one rule, one function.
//!
//! A rule gets a [`Bench`]: ports, and what stands around them. It assumes nothing that the ports' documentation
//! doesn't say, so the same rules hold for the embedded engine and for AWS. Most rules are about notes, a kind of
//! record that exists in this suite alone; the others are about the kinds there are. The
//! [`contract!`](crate::contract!) macro makes a test of each rule for a bench.

#![expect(clippy::unwrap_used, reason = "rules are tests: what fails ends them")]

mod bench;
mod fixture;
mod meddled;
mod note;
mod sqlite;
mod table;

// Records.
pub mod claims;
pub mod creates;
pub mod deletes;
pub mod effects;
pub mod expiry;
pub mod logs;
pub mod owned;
pub mod pages;
pub mod payloads;
pub mod queries;
pub mod reconcile;
pub mod saves;
pub mod sets;

// Outbox and probe.
pub mod executions;
pub mod messages;
pub mod timers;

// Kinds, through the commit.
pub mod commits;
pub mod debounces;
pub mod deliveries;
pub mod joins;
pub mod keys;
pub mod limits;
pub mod lists;
pub mod races;
pub mod runs;
pub mod schedules;
pub mod tokens;

pub use bench::Bench;
pub use sqlite::SqliteBench;
pub use table::rules_of;
