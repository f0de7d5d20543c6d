//! The manifest: what all functions of an app say of themselves.

mod error;
mod function;
mod queues;
mod record;
mod requirements;
mod sends;
mod sent_to;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use error::{ManifestError, ManifestTooLarge};
pub use function::{FunctionEntry, Holds, ScheduleEntry, Subscription, TaskEntry, function_dlq};
pub use queues::Queue;
pub use record::{FormerTask, ManifestInput, ManifestRecord};
pub use requirements::{FileSystem, Requirements, Right, SecretSource, Vpc, ssm};
pub use sends::Sends;

use crate::{
    BULK, CONDUCTOR, Json, LifecycleEvent, limits,
    record::{FORMAT, read_version},
};
use queues::check_queues;

/// The app's dead-letter queue, in the place of a function's name: messages that were received too often, and what timers
/// and schedules sent to a function that is gone. The conductor drains it.
pub const APP_DLQ: &str = "undelivered";

/// An app's functions, as they describe themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The version of this form: 1.
    #[serde(deserialize_with = "read_version")]
    pub v: u32,
    /// The time at which it was made for a deploy, in Unix milliseconds; 0 where it was not. A newer one replaces an
    /// older.
    #[serde(default)]
    pub made_ms: i64,
    /// The app's name.
    pub app: String,
    /// One entry a function, sorted by name.
    pub functions: Vec<FunctionEntry>,
}

impl Manifest {
    /// Puts the functions of an app together.
    ///
    /// # Errors
    /// If two of them would have one name on AWS, or one has a name that the app uses itself, or one's handlers of an event
    /// could take too long, or two give one queue different limits.
    pub fn new(app: &str, mut functions: Vec<FunctionEntry>) -> Result<Self, ManifestError> {
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        check_names(&functions)?;
        functions.iter().try_for_each(FunctionEntry::check_length)?;
        tell_subscribed(&mut functions);
        let manifest = Self { v: FORMAT, made_ms: 0, app: app.to_owned(), functions };
        check_queues(manifest.tasks().map(|(_, task)| task))?;
        Ok(manifest)
    }

    /// Checks that the manifest is no larger than it may be, before a deploy changes anything.
    ///
    /// # Errors
    /// Both sizes, if it is larger.
    pub fn check_bytes(&self) -> Result<(), ManifestTooLarge> {
        let (bytes, allowed) = (Json::of(self).map_or(0, |text| text.bytes()), limits::MANIFEST_BYTES);
        if bytes <= allowed { Ok(()) } else { Err(ManifestTooLarge { bytes, allowed }) }
    }

    /// Checks that each declared schedule fires after the manifest was made, before a deploy changes anything.
    ///
    /// # Errors
    /// The first that doesn't.
    pub fn check_fires(&self) -> Result<(), ManifestError> {
        let made = Timestamp::from_millisecond(self.made_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        for (_, task) in self.tasks() {
            for declared in &task.schedules {
                declared
                    .schedule
                    .check()
                    .and_then(|recurrence| recurrence.since(made))
                    .map_err(|error| ManifestError::NeverFires { task: task.name.clone(), why: error.to_string() })?;
            }
        }
        Ok(())
    }

    /// The task of this name and its function; of a built-in one the conductor.
    #[must_use]
    pub fn task(&self, name: &str) -> Option<(&FunctionEntry, &TaskEntry)> {
        static BUILT_IN: LazyLock<(FunctionEntry, TaskEntry)> =
            LazyLock::new(|| (FunctionEntry::conductor(), TaskEntry::bulk()));
        if name == BULK {
            return Some((&BUILT_IN.0, &BUILT_IN.1));
        }
        self.tasks().find(|(_, task)| task.name == name)
    }

    /// All tasks and their functions.
    pub fn tasks(&self) -> impl Iterator<Item = (&FunctionEntry, &TaskEntry)> {
        self.functions.iter().filter_map(|function| match &function.holds {
            Holds::Task(task) => Some((function, task)),
            _ => None,
        })
    }

    /// The names of the events that have handlers.
    #[must_use]
    pub fn events(&self) -> BTreeSet<&str> {
        self.functions.iter().flat_map(FunctionEntry::subscriptions).map(|handler| &*handler.event).collect()
    }

    /// The functions that handle an event.
    pub fn subscribers<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a FunctionEntry> {
        self.functions.iter().filter(move |function| function.subscriptions().iter().any(|s| s.event == event))
    }

    /// A function's subscriptions to an event, in the order of their definition.
    #[must_use]
    pub fn subscriptions(&self, function: &str, event: &str) -> Vec<Subscription> {
        let function = self.functions.iter().filter(|entry| entry.name == function);
        function.flat_map(FunctionEntry::subscriptions).filter(|entry| entry.event == event).cloned().collect()
    }

    /// The schedule of this name and the function it fires.
    #[must_use]
    pub fn schedule(&self, name: &str) -> Option<(&FunctionEntry, &TaskEntry, &ScheduleEntry)> {
        self.tasks().find_map(|(function, task)| {
            let schedule = task.schedules.iter().find(|schedule| schedule.name == name)?;
            Some((function, task, schedule))
        })
    }
}

/// Tells each task which of its lifecycle events a function subscribes to.
fn tell_subscribed(functions: &mut [FunctionEntry]) {
    let subscriptions = functions.iter().flat_map(FunctionEntry::subscriptions);
    let events: BTreeSet<String> = subscriptions.map(|subscription| subscription.event.clone()).collect();
    for function in functions {
        if let Holds::Task(task) = &mut function.holds {
            let subscribed = |event: &LifecycleEvent| events.contains(&event.of_task(&task.name));
            task.policy.publishes = LifecycleEvent::ALL.into_iter().filter(subscribed).collect();
        }
    }
}

/// Refuses functions of which two, or two of whose queues, would have one name, or one that the app uses itself.
fn check_names(functions: &[FunctionEntry]) -> Result<(), ManifestError> {
    let mut taken = BTreeMap::from([(APP_DLQ.to_owned(), "the app's own dead-letter queue".to_owned())]);
    if !functions.iter().any(|function| function.holds == Holds::Conductor) {
        taken.insert(CONDUCTOR.to_owned(), "the app's own conductor".to_owned());
    }
    for function in functions {
        let dlq = function.dlq().map(|dlq| (dlq, format!("the dead-letter queue of {}", function.title())));
        for (name, title) in [(function.name.clone(), function.title())].into_iter().chain(dlq) {
            if let Some(other) = taken.insert(name.clone(), title.clone()) {
                return Err(ManifestError::SameName { name, one: other, other: title });
            }
        }
    }
    Ok(())
}
