//! The runs that a function starts and the events that it publishes, where its definition says so.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

/// The tasks whose runs a function starts, and the events that it publishes: these and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sends {
    /// Names of tasks.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tasks: BTreeSet<String>,
    /// Names of events.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub events: BTreeSet<String>,
}

impl fmt::Display for Sends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = self.tasks.iter().map(|task| format!("task {task:?}"));
        let all: Vec<String> = tasks.chain(self.events.iter().map(|event| format!("event {event:?}"))).collect();
        if all.is_empty() { f.write_str("nothing") } else { f.write_str(&all.join(", ")) }
    }
}
