use async_trait::async_trait;
use dacapo_domain::{Json, Schedule, SkippedFires, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::PortResult;

/// What the table keeps of a schedule: of one made at run time all of it, of a declared one whether it is paused
/// and what it skipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleItem {
    /// Its name, unique in the app.
    pub name: String,
    /// Names the last write.
    pub version: Version,
    /// The task it fires.
    pub task: String,
    /// When it was first put.
    pub created_at: Timestamp,
    /// When it fires; `None` for a declared one, whose code says so.
    pub put: Option<SchedulePut>,
    /// Whether it is paused: checked at the fire, since a deploy sets a declared schedule enabled again.
    pub paused: bool,
    /// Fires that made no run, and why: the last 100.
    #[serde(default)]
    pub skipped: SkippedFires,
    /// The run of its latest fire, for the overlap policy.
    pub last_run: Option<dacapo_domain::Id>,
}

/// A schedule made at run time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePut {
    /// When it fires.
    pub schedule: Schedule,
    /// What its runs are started with.
    pub body: Json,
}

impl ScheduleItem {
    /// What is kept of a schedule of which nothing is kept yet.
    #[must_use]
    pub fn of(name: &str, task: &str, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            version: Version(0),
            task: task.to_owned(),
            created_at: now,
            put: None,
            paused: false,
            skipped: SkippedFires::default(),
            last_run: None,
        }
    }
}

/// Recurring schedules made at run time: EventBridge schedules in the app's group.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// Creates or replaces the schedule that sends [`Message::Fire`](dacapo_domain::Message::Fire) to a function's queue.
    ///
    /// # Errors
    /// `Refused` if the service doesn't take the expression.
    async fn put(&self, name: &str, function: &str, schedule: &Schedule) -> PortResult<()>;

    /// Deletes it. One that isn't there is no error.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn delete(&self, name: &str) -> PortResult<()>;
}
