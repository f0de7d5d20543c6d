//! The ports: what the runner, the client and the conductor need of the outside, and nothing more.
//!
//! AWS and the embedded engine differ in these alone. Each port is passed by one contract suite.

mod clock;
mod error;
mod loops;
mod queues;
mod schedules;
mod store;
mod timers;

use std::sync::Arc;

pub use clock::{Clock, SystemClock};
pub use error::{PortError, PortErrorKind};
pub use loops::{ExecutionStatus, Loops};
pub use queues::{Envelope, Queues};
pub use schedules::{ScheduleItem, SchedulePut, Schedules};
pub use store::{
    Created, ListFilter, LogEntry, LogLevel, Page, Payloads, Saved, SavedDelivery, Store, Stored, StoredDelivery,
    Watched,
};
pub use timers::Timers;

/// All ports of one app and stage.
#[derive(Clone)]
pub struct Ports {
    /// The history.
    pub store: Arc<dyn Store>,
    /// The functions' queues.
    pub queues: Arc<dyn Queues>,
    /// One-time schedules.
    pub timers: Arc<dyn Timers>,
    /// Executions that wait and call again.
    pub loops: Arc<dyn Loops>,
    /// Recurring schedules made at run time.
    pub schedules: Arc<dyn Schedules>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
}

/// What every port gives.
pub type PortResult<T> = Result<T, PortError>;
