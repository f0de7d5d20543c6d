//! Lifecycle events: what a run's life tells, where a function subscribes to it.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::FinalState;

/// A moment of a run's life that an event tells of, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LifecycleEvent {
    /// The first attempt has been taken.
    Started,
    /// The handler has told how far it is.
    Progress,
    /// The run is completed.
    Completed,
    /// The run has failed.
    Failed,
    /// The run is aborted.
    Aborted,
    /// The run has expired.
    Expired,
}

/// The text names no lifecycle event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a lifecycle event (allowed, with commas between them: started, progress, completed, failed, aborted, expired)"
)]
pub struct LifecycleEventError(String);

impl LifecycleEvent {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Started, Self::Progress, Self::Completed, Self::Failed, Self::Aborted, Self::Expired];

    /// The beginning of its events' names, which the task's name completes. Nothing else may begin with `task.`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Started => "task.started:",
            Self::Progress => "task.progress:",
            Self::Completed => "task.completed:",
            Self::Failed => "task.failed:",
            Self::Aborted => "task.aborted:",
            Self::Expired => "task.expired:",
        }
    }

    /// The name of a task's event.
    ///
    /// ```
    /// use dacapo_domain::LifecycleEvent;
    ///
    /// assert_eq!(LifecycleEvent::Completed.of_task("send-welcome"), "task.completed:send-welcome");
    /// ```
    #[must_use]
    pub fn of_task(self, task: &str) -> String {
        format!("{}{task}", self.prefix())
    }

    /// The events of a text that [`Self::text`] made.
    ///
    /// # Errors
    /// If it names something else.
    pub fn read(text: &str) -> Result<BTreeSet<Self>, LifecycleEventError> {
        text.split(',').filter(|name| !name.is_empty()).map(str::parse).collect()
    }

    /// Events as one text, for a variable of the environment.
    ///
    /// ```
    /// use dacapo_domain::LifecycleEvent;
    ///
    /// let events = [LifecycleEvent::Failed, LifecycleEvent::Expired].into();
    /// assert_eq!(LifecycleEvent::text(&events), "failed,expired");
    /// assert_eq!(LifecycleEvent::read("failed,expired"), Ok(events));
    /// ```
    #[must_use]
    pub fn text(events: &BTreeSet<Self>) -> String {
        events.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

impl fmt::Display for LifecycleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix().trim_start_matches("task.").trim_end_matches(':'))
    }
}

impl FromStr for LifecycleEvent {
    type Err = LifecycleEventError;

    fn from_str(text: &str) -> Result<Self, LifecycleEventError> {
        let named = Self::ALL.into_iter().find(|event| event.to_string() == text);
        named.ok_or_else(|| LifecycleEventError(text.to_owned()))
    }
}

impl From<FinalState> for LifecycleEvent {
    fn from(state: FinalState) -> Self {
        match state {
            FinalState::Completed => Self::Completed,
            FinalState::Failed => Self::Failed,
            FinalState::Aborted => Self::Aborted,
            FinalState::Expired => Self::Expired,
        }
    }
}
