//! One `SQLite` database that is all ports of the embedded engine: history, queues, timers, loops, schedules.
//!
//! It lives in a file or in memory; both run the same statements. The ports are what functions and clients use;
//! the methods of [`Database`] beside them are what the engine needs to deliver: what is due, and what became of it.

mod database;
mod deliveries;
mod deploy;
mod due;
mod error;
mod expiry;
mod group;
mod keys;
mod list;
mod logs;
mod loops;
mod messages;
mod queues;
mod rows;
mod runs;
mod schedule_items;
mod schedules;
mod schema;
mod store;
mod timers;

#[cfg(test)]
mod tests;

pub use database::Database;
pub use deploy::QueueSpec;
pub use due::Due;
pub use loops::{DueExecution, Ending};
pub use messages::{Receipt, Received};
pub use queues::{UNDELIVERED, dead_letter_queue};
pub use schedules::DueSchedule;
