use async_trait::async_trait;
use dacapo_domain::{Delivery, EventMessage, Id, Json, Manifest, Run, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PortResult, ScheduleItem};

/// The history: runs with their payloads and logs, deliveries that failed, schedules, the manifest.
///
/// Every change of a record demands the version that was seen, so that two writers never overwrite each other; who
/// loses gets the record that won from the same call. Records that have expired are never given.
#[async_trait]
pub trait Store: Send + Sync {
    /// Stores a new run and its body. With an idempotency key, key and run are stored in one transaction.
    ///
    /// An existing run of the same id, or one that holds the key, wins; its record is given. A key whose run failed
    /// or expired may be taken over, and one past `key_until` once its run has ended. Tried again, a create that had
    /// won says so.
    ///
    /// # Errors
    /// On `Transient` the run may have been stored.
    async fn create(&self, run: &Run, body: &Json, key_until: Option<Timestamp>) -> PortResult<Created>;

    /// The run with all its payloads, strongly consistent.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn load(&self, id: Id) -> PortResult<Option<Stored>>;

    /// Replaces the record, on the condition that its version is still the seen one's.
    ///
    /// # Errors
    /// On `Transient` the write may have happened: tried again it finds `next`'s own version, and is [`Saved::Done`].
    async fn save(&self, seen: &Run, next: &Run, payloads: &Payloads) -> PortResult<Saved>;

    /// A page of runs, newest first.
    ///
    /// # Errors
    /// `Refused` if the cursor is none of this store's.
    async fn list(&self, filter: &ListFilter) -> PortResult<Page>;

    /// What should have been looked at by now, the longest overdue first.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn overdue(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Watched>>;

    /// Adds log entries of a run.
    ///
    /// # Errors
    /// On `Transient` they may have been added; the same entry added twice is one.
    async fn log(&self, id: Id, entries: &[LogEntry]) -> PortResult<()>;

    /// A run's log entries in the order they were made, at most `limit` after the cursor.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn logs(&self, id: Id, after: Option<&str>, limit: usize) -> PortResult<Vec<LogEntry>>;

    /// Stores the record of a delivery and the event's body; an existing one wins and is given.
    ///
    /// # Errors
    /// On `Transient` it may have been stored.
    async fn create_delivery(&self, delivery: &Delivery, body: &Json) -> PortResult<SavedDelivery>;

    /// A delivery and its body, by [`Delivery::key`], strongly consistent.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn load_delivery(&self, key: &str) -> PortResult<Option<StoredDelivery>>;

    /// Replaces a delivery's record, on the condition that its version is still the seen one's.
    ///
    /// # Errors
    /// On `Transient` the write may have happened.
    async fn save_delivery(&self, seen: &Delivery, next: &Delivery) -> PortResult<SavedDelivery>;

    /// What is kept of a schedule.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn schedule(&self, name: &str) -> PortResult<Option<ScheduleItem>>;

    /// Stores what is kept of a schedule, on the condition that it is still as seen (`None`: not there).
    /// Says whether it was.
    ///
    /// # Errors
    /// On `Transient` the write may have happened.
    async fn save_schedule(&self, seen: Option<&ScheduleItem>, next: &ScheduleItem) -> PortResult<bool>;

    /// Deletes what is kept of a schedule.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn delete_schedule(&self, name: &str) -> PortResult<()>;

    /// All schedules that something is kept of, by name.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn schedules(&self) -> PortResult<Vec<ScheduleItem>>;

    /// The manifest of what is deployed.
    ///
    /// # Errors
    /// `NotDeployed` if there is no table; none in it is `None`.
    async fn manifest(&self) -> PortResult<Option<Manifest>>;

    /// Stores the manifest.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn put_manifest(&self, manifest: &Manifest) -> PortResult<()>;
}

/// A run and its payloads.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The record.
    pub run: Run,
    /// What it was started with. `None` only in the reply of a save whose payloads are stored apart: load it then.
    pub body: Option<Json>,
    /// The input of this iteration, where a `continue` gave one; the same holds.
    pub input: Option<Json>,
    /// The result, if it has one; the same holds.
    pub result: Option<Json>,
}

/// Payloads that a save stores with the record; `None` leaves what is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payloads {
    /// The next iteration's input.
    pub input: Option<Json>,
    /// The result.
    pub result: Option<Json>,
}

/// What came of a create.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one a call, taken apart at once")]
pub enum Created {
    /// The run is stored.
    New,
    /// A run of this id, or one that holds the key, was there before.
    Exists(Run),
}

/// What came of a save.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    /// The record is stored; payloads that are stored with it are given.
    Done(Box<Stored>),
    /// Somebody else has written since: what stands there now, or nothing.
    Lost(Option<Box<Stored>>),
}

/// What came of a save of a delivery.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one a call, taken apart at once")]
pub enum SavedDelivery {
    /// The record is stored.
    Done,
    /// Somebody else has written since: what stands there now, or nothing.
    Lost(Option<Delivery>),
}

/// A delivery and its event's body.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDelivery {
    /// The record.
    pub delivery: Delivery,
    /// The body.
    pub body: Json,
}

impl StoredDelivery {
    /// The event as its function gets it.
    #[must_use]
    pub fn message(&self) -> EventMessage {
        self.delivery.message(self.body.clone())
    }
}

/// Something that should be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Watched {
    /// A run.
    Run(Id),
    /// A delivery, by its key.
    Delivery(String),
}

/// Which runs are listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFilter {
    /// Of this task; of all where none is named.
    pub task: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// So many at most, 1 to 1,000.
    pub limit: usize,
    /// From here on: a former page's.
    pub cursor: Option<String>,
}

/// A page of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The runs, newest first, with their payloads as far as they are stored with the record.
    pub runs: Vec<Stored>,
    /// Where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

/// A log entry of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The iteration it was made in.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
    /// Its place within the attempt, from 1.
    pub number: u32,
    /// When it was made.
    pub time: Timestamp,
    /// Whether it tells of an error.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
    /// What belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
    /// The error's chain of causes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Whether a log entry tells of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// It doesn't.
    Info,
    /// It does.
    Error,
}

impl LogEntry {
    /// Where the entry stands among its run's, as a sortable text: the cursor of [`Store::logs`].
    #[must_use]
    pub fn key(&self) -> String {
        format!("{:08}.{:06}.{:05}", self.iteration, self.attempt, self.number)
    }
}
