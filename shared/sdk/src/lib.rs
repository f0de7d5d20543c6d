//! Background tasks and event handlers as plain async functions.

mod client;
mod codec;
mod conductor;
mod context;
mod definition;
mod delivery;
mod error;
mod event_handler;
mod handler;
mod hooks;
mod outcome;
mod payload;
pub mod port;
pub mod prelude;
mod reference;
mod runner;
mod task;
mod task_error;

pub use client::{Client, Listed, Publish, Published, Run, ScheduleClient, ScheduleState, Started};
pub use conductor::{Conductor, Swept};
pub use context::{EventContext, HookContext, RunContext, TaskContext};
pub use dacapo_domain::{
    Failure, Id, Json, Retry, RunRecord, Schedule, State, Trigger, When, code, cron, days, every, hours, minutes,
    seconds,
};
pub use definition::{Defined, Definition, ErasedHandler, ErasedTask, Function};
pub use error::{Error, ErrorKind};
pub use event_handler::{EventHandler, on};
pub use handler::{IsAsync, IsResult};
pub use hooks::{InitOf, NoInit, OnError, WithInit};
pub use jiff::Timestamp;
pub use outcome::{Aborted, Continue, Done, IntoOutcome, Outcome};
pub use payload::Payload;
pub use reference::{EventRef, TaskRef, assert_unique};
pub use runner::{Attempt, EventAttempt, InvokeError, Runner};
pub use task::{Machine, Task, task};
pub use task_error::{TaskError, Terminal};
