//! The name of the task that a schedule starts, and what it is given.

use dacapo::TaskRef;
use serde::{Deserialize, Serialize};

/// The task, from its input to the number of days that it covered.
pub const MY_NAME: TaskRef<MyNameInput, u32> = TaskRef::new("my.name");

/// The input of the task. What is left out has its default, so that the body `{}` works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MyNameInput {
    /// The number of days that it covers.
    pub days: u32,
}

impl Default for MyNameInput {
    fn default() -> Self {
        Self { days: 1 }
    }
}
