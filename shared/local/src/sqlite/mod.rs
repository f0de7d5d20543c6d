//! One `SQLite` database that is all ports of the embedded engine: records, queues, timers, executions, schedules.
//!
//! It lives in a file or in memory; both run the same statements. It knows keys, versions, documents, payloads and
//! index entries, and no kind of record by its name. The ports are what functions and clients use; the methods of
//! [`Database`] beside them are what the engine needs to deliver: what is due, and what became of it.

mod database;
mod deploy;
mod due;
mod entries;
mod executions;
mod expiry;
mod group_commit;
mod listeners;
mod log;
mod open;
mod outbox;
mod owned;
mod query;
mod queues;
mod receive;
mod records;
mod rows;
mod schedules;
mod schema;
mod stored;
mod until;

#[cfg(test)]
mod tests;

pub use dacapo_domain::{APP_DLQ, function_dlq};
pub use database::Database;
pub use due::{Due, Rooms};
pub use executions::{DueExecution, Ending};
pub use open::Durability;
pub use queues::QueueSpec;
pub use receive::{Receipt, ReceivedMessage};
pub use schedules::DueSchedule;
