//! Dacapo's ports over DynamoDB, SQS, EventBridge Scheduler and Step Functions: one service, one place.
//!
//! Nothing is decided here. What a run becomes is `dacapo_domain`'s matter; this crate moves the bytes, and turns
//! each way in which a service says no into one [`PortErrorKind`](dacapo::port::PortErrorKind).

mod clock;
mod connect;
mod error;
mod loops;
mod queues;
mod schedule_name;
mod scheduler;
mod schedules;
mod stack;
mod store;
mod timers;

pub use clock::AwsClock;
pub use connect::{Access, connect, http_client, ports, sdk_config};
pub use stack::Stack;
pub use store::DynamoStore;
