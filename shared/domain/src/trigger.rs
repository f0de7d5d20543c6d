//! The things that start runs.

use serde::{Deserialize, Serialize};

/// The trigger of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A client.
    Run,
    /// A schedule.
    Schedule,
    /// An event handler.
    Event,
    /// Another task.
    Child,
    /// A replay of an earlier run.
    Replay,
    /// A direct invocation of the Lambda, or a direct start of the wait loop.
    Direct,
}
