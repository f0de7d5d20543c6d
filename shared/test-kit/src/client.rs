//! The test's own calls: the methods of a client that tests use, handed on.

use dacapo::{
    Client, Error, EventRef, Id, Json, ListFilter, Listed, LogEntry, Publish, RunView, ScheduleClient, StartRun,
    Started, TaskError, TaskRef, When,
};

use crate::TestApp;

impl TestApp {
    /// The app's client, with all of its methods. Its calls meet no faults.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A run of a task, to be started: see [`Client::run`].
    pub fn run<I, O>(&self, task: TaskRef<I, O>, body: I) -> StartRun<O> {
        self.client.run(task, body)
    }

    /// A run of a task by its name, to be started: see [`Client::run_by_name`].
    pub fn run_by_name(&self, task: &str, body: Json) -> StartRun<serde_json::Value> {
        self.client.run_by_name(task, body)
    }

    /// An event to be published: see [`Client::publish`].
    pub fn publish<B>(&self, event: EventRef<B>, body: B) -> Publish {
        self.client.publish(event, body)
    }

    /// An event to be published by its name: see [`Client::publish_by_name`].
    pub fn publish_by_name(&self, event: &str, body: Json) -> Publish {
        self.client.publish_by_name(event, body)
    }

    /// A run as it stands: see [`Client::state`].
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn state(&self, id: Id) -> Result<RunView, Error> {
        self.client.state(id).await
    }

    /// A page of runs, newest first: see [`Client::list`].
    ///
    /// # Errors
    /// As [`Client::list`].
    pub async fn list(&self, filter: ListFilter) -> Result<Listed, Error> {
        self.client.list(filter).await
    }

    /// A run's log entries, in the order they were made: see [`Client::logs`].
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn logs(&self, id: Id) -> Result<Vec<LogEntry>, Error> {
        self.client.logs(id).await
    }

    /// Ends a run: see [`Client::abort`].
    ///
    /// # Errors
    /// `NotFound` if there is no such run, `Refused` if it has ended.
    pub async fn abort(&self, id: Id, message: &str) -> Result<RunView, Error> {
        self.client.abort(id, message).await
    }

    /// Moves a run that has not started to another time: see [`Client::reschedule`].
    ///
    /// # Errors
    /// As [`Client::reschedule`].
    pub async fn reschedule(&self, id: Id, when: impl Into<When>) -> Result<RunView, Error> {
        self.client.reschedule(id, when).await
    }

    /// Starts a run like this one: see [`Client::replay`].
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn replay(&self, id: Id, body: Option<Json>) -> Result<Started<serde_json::Value>, Error> {
        self.client.replay(id, body).await
    }

    /// The typed result of a run that has ended, as after [`run_until_idle`](Self::run_until_idle): see
    /// [`Client::wait`]. It waits in real time, while the app's stands still.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub async fn wait<I, O>(&self, task: TaskRef<I, O>, started: &Started<O>) -> Result<O, TaskError> {
        self.client.wait(task, started).await
    }

    /// Schedules, declared ones and those made at run time: see [`Client::schedules`].
    #[must_use]
    pub fn schedules(&self) -> ScheduleClient {
        self.client.schedules()
    }
}
