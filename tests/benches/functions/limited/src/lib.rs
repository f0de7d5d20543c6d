//! A task for `make bench`: it does as `echo`, one attempt at once.

use dacapo::prelude::*;
use echo::{Said, answer};

/// The task.
pub const LIMITED: TaskRef<Said, String> = TaskRef::new("limited");

/// The task.
pub fn function() -> impl Function {
    task(LIMITED, async |said: Said, _: TaskContext| Ok::<_, TaskError>(answer(said))).concurrency(1)
}
