//! The task's name, and what it is given.

use dacapo::TaskRef;
use serde::{Deserialize, Serialize};

/// The task, from its input to a greeting.
pub const MY_NAME: TaskRef<MyNameInput, String> = TaskRef::new("my.name");

/// The input of the task. What is left out has its default, so that the body `{}` works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MyNameInput {
    /// The one who is greeted.
    pub who: String,
}

impl Default for MyNameInput {
    fn default() -> Self {
        Self { who: "world".to_owned() }
    }
}
