//! Background tasks and event handlers as plain async functions.
//!
//! A function's crate exports a value that says everything about it: from the code alone come its Lambda, its queue,
//! its schedules and its place in the app. The same function runs on one machine, with no AWS account.
//!
//! # Example: a task
//!
//! ```
//! use dacapo::prelude::*;
//!
//! pub const SEND_WELCOME: TaskRef<String> = TaskRef::new("send-welcome");
//!
//! pub fn function() -> impl Function {
//!     task(SEND_WELCOME, send_welcome)
//! }
//!
//! async fn send_welcome(email: String, cx: TaskContext) -> Result<(), TaskError> {
//!     cx.log_info("welcome", email).await?;
//!     Ok(())
//! }
//! # dacapo::Definition::of(function()).describe("send-welcome").unwrap();
//! ```
//!
//! - [`task()`] makes a task of an `async fn`, [`on`] a handler of an event; both have options as methods.
//! - [`Outcome`] is what a handler may answer besides a result: `Continue::after(hours(1), input)`.
//! - [`TaskError`] is what its `?` makes of errors: try again; [`.terminal()?`](Terminal::terminal) means stop.
//! - [`TaskContext`] is what it is told and may ask: progress, time left, whether it is aborted, its logs.
//! - [`Client`] starts runs and publishes events from any program.
//!
//! The crate `dacapo-core` moves the runs, for those who bring Dacapo to a place.
//!
//! The [`guide`] says all of it chapter by chapter: words, options, times, states, errors, events, limits.

mod awaited;
mod client;
mod context;
mod definition;
mod event_handler;
mod finite;
pub mod guide;
mod handler;
mod hooks;
pub mod lifecycle;
mod outcome;
mod payload;
pub mod prelude;
mod reference;
mod requires;
mod task;
mod task_error;

pub use awaited::Awaited;
pub use client::{
    BulkRuns, Client, Completed, DeliveryClient, Listed, ListedDeliveries, Publish, Published, QueueClient, QueueState,
    RunWatch, ScheduleClient, ScheduleState, StartBatch, StartBulk, StartRun, Started,
};
pub use context::{ChildRun, Children, EventContext, HookContext, MakeToken, RunContext, TaskContext, Token, Told};
pub use dacapo_core::{
    Error, ErrorKind,
    attempt::ScheduledFire,
    port::{LogEntry, LogLevel},
};
pub use dacapo_domain::{
    BulkTally, DeliveryFilter, DeliveryState, DeliveryView, Finding, HandlerRecord, HandlerState, Health, Id, Json,
    ListFilter, RecordedError, Retry, RunView, Schedule, SecretSource, State, StepView, TaskHealth, Trigger, Usage,
    WaitsFor, When, code, cron, days, every, hours, minutes, seconds, ssm,
};
pub use definition::{Definition, Function};
pub use event_handler::{EventHandler, on};
pub use handler::{IsAsync, IsResult};
pub use hooks::{Handled, Hooks, InitOf, Next, NoInit, OnError, WithInit};
pub use jiff::Timestamp;
pub use outcome::{Aborted, Continue, Done, IntoOutcome, Outcome};
pub use payload::Payload;
pub use reference::{EventRef, TaskRef, assert_unique};
pub use requires::Requires;
pub use task::{Machine, Memory, Pause, Per, Task, WhenExhausted, per, task};
pub use task_error::{TaskError, Terminal};
