//! The imports of a function's crate: `use dacapo::prelude::*;`.

pub use crate::{
    Aborted, Continue, Done, EventContext, EventHandler, EventRef, Function, Handled, HookContext, Hooks, Machine,
    Next, OnError, Outcome, Pause, Requires, Retry, RunView, Task, TaskContext, TaskError, TaskRef, Terminal, Told,
    cron, days, every, hours, lifecycle, minutes, on, per, seconds, ssm, task,
};
