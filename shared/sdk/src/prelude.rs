//! The imports of a function's crate: `use dacapo::prelude::*;`.

pub use crate::{
    Aborted, Continue, Done, EventContext, EventHandler, EventRef, Function, HookContext, Machine, OnError, Outcome,
    Retry, Task, TaskContext, TaskError, TaskRef, Terminal, cron, days, every, hours, minutes, on, seconds, task,
};
