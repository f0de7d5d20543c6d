//! References to the events of a run's life, for functions that listen to a task.
//!
//! Each has the run's record at that moment as its body. It is published where a function of the app subscribes to it,
//! at least once, whatever ended the run: its handler, a crash, an abort from the command line, its `ttl`.
//!
//! # Example: count what failed
//!
//! ```
//! use dacapo::prelude::*;
//!
//! const SEND_WELCOME: TaskRef<String> = TaskRef::new("send-welcome");
//!
//! pub fn function() -> impl Function {
//!     on(lifecycle::failed(SEND_WELCOME), count)
//! }
//!
//! async fn count(run: RunView, _: EventContext) -> Result<(), TaskError> {
//!     println!("run {} failed: {}", run.id, run.error_message.unwrap_or_default());
//!     Ok(())
//! }
//! # dacapo::Definition::of(function()).describe("listeners").unwrap();
//! ```

use dacapo_domain::{LifecycleEvent, RunView};

use crate::{EventRef, TaskRef};

/// The first attempt of a run of this task has begun.
#[must_use]
pub const fn started<I, O>(task: TaskRef<I, O>) -> EventRef<RunView> {
    EventRef::of_life(LifecycleEvent::Started, task.name())
}

/// A run of this task has told how far it is. Calls within a second are merged, as they are in the record.
#[must_use]
pub const fn progress<I, O>(task: TaskRef<I, O>) -> EventRef<RunView> {
    EventRef::of_life(LifecycleEvent::Progress, task.name())
}

/// A run of this task is completed.
#[must_use]
pub const fn completed<I, O>(task: TaskRef<I, O>) -> EventRef<RunView> {
    EventRef::of_life(LifecycleEvent::Completed, task.name())
}

/// A run of this task has failed.
#[must_use]
pub const fn failed<I, O>(task: TaskRef<I, O>) -> EventRef<RunView> {
    EventRef::of_life(LifecycleEvent::Failed, task.name())
}

/// A run of this task is aborted.
#[must_use]
pub const fn aborted<I, O>(task: TaskRef<I, O>) -> EventRef<RunView> {
    EventRef::of_life(LifecycleEvent::Aborted, task.name())
}

/// A run of this task has expired.
#[must_use]
pub const fn expired<I, O>(task: TaskRef<I, O>) -> EventRef<RunView> {
    EventRef::of_life(LifecycleEvent::Expired, task.name())
}
