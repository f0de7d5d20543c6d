//! The ports: what the runner, the client and the conductor need of the outside, and nothing more.
//!
//! AWS and the embedded engine differ in these alone. Each port is passed by one contract suite. Stores know keys,
//! versions, documents and index entries; a new kind of record needs no line in any of them.

mod error;
mod log;
mod records;
mod services;

use std::sync::Arc;

pub use error::{PortError, PortErrorKind, PortResult};
pub use log::{LogEntry, LogLevel};
pub use records::{Records, Until};
pub use services::{Clock, ExecutionStatus, Outbox, Probe, SystemClock, post_after};

/// All ports of one app and stage.
#[derive(Clone)]
pub struct Ports {
    /// The records.
    pub records: Arc<dyn Records>,
    /// The effects that leave without a write.
    pub outbox: Arc<dyn Outbox>,
    /// The questions of the conductor to the services.
    pub probe: Arc<dyn Probe>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
}
