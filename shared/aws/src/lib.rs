//! Dacapo's ports over DynamoDB, SQS, EventBridge Scheduler and Step Functions: one service, one place.
//!
//! Nothing is decided here. What a record becomes is `dacapo_domain`'s matter; this crate moves the bytes, and turns
//! each way in which a service says no into one [`PortErrorKind`](dacapo_core::port::PortErrorKind).

mod access;
mod clock;
mod connect;
mod environment;
mod error;
#[cfg(feature = "files")]
mod files;
mod inspect;
mod queues;
mod records;
mod schedule_name;
mod scheduler;
mod secrets;
mod services;
mod signed;
mod stack;
mod wait_loop;

pub use access::{Access, http_client};
pub use clock::AwsClock;
pub use connect::{connect, ports, ports_by, sdk_config};
pub use inspect::{Inspector, LambdaFacts, Metric, StackFacts};
pub use secrets::read_secrets;
