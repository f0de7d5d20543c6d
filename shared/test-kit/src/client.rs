//! The test's own calls: the methods of a client that tests use, handed on, and the runs of a task.

use dacapo::{
    Client, Completed, Error, EventRef, Id, Json, ListFilter, Listed, LogEntry, Payload, Publish, RunView,
    ScheduleClient, StartRun, Started, StepView, TaskError, TaskRef, When,
};
use dacapo_core::{commit::read_record, port::PortResult};
use dacapo_domain::{Index, Query, RunRecord, StoredRecord, TokenRecord};

use crate::app::{TestApp, now};

/// Runs that are read at once.
const PAGE: usize = 1_000;

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

    /// A run's steps, in the order in which they were done: see [`Client::steps`].
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn steps(&self, id: Id) -> Result<Vec<StepView>, Error> {
        self.client.steps(id).await
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

    /// Completes a token, by its text: see [`Client::complete`].
    ///
    /// # Errors
    /// As [`Client::complete`].
    pub async fn complete(&self, token: impl AsRef<str>, value: impl Payload) -> Result<Completed, Error> {
        self.client.complete(token, value).await
    }

    /// The text of a token that a run has made, as its handler gave it to the outside.
    ///
    /// # Panics
    /// If the run has made no token of this name.
    #[must_use]
    pub fn token_of(&self, run: Id, name: &str) -> String {
        let token = now(self.client.ports().records.load(&TokenRecord::key_of(run, name)));
        let token = token.unwrap_or_else(|| panic!("run {run} has made no token {name:?}"));
        let token = read_record::<TokenRecord>(token).unwrap_or_else(|error| panic!("{error}"));
        token.record.text().to_string()
    }

    /// Schedules, declared ones and those made at run time: see [`Client::schedules`].
    #[must_use]
    pub fn schedules(&self) -> ScheduleClient {
        self.client.schedules()
    }

    /// The one run of a task.
    ///
    /// # Panics
    /// If the task has no run, or several: see [`runs_of`](Self::runs_of).
    #[must_use]
    pub fn run_of<I, O>(&self, task: TaskRef<I, O>) -> RunView {
        let name = task.name();
        let mut runs = self.runs_of(task);
        match (runs.pop(), runs.len()) {
            (Some(run), 0) => run,
            (None, _) => panic!("task {name:?} has no run"),
            (Some(_), others) => panic!("task {name:?} has {} runs (use `runs_of`)", others + 1),
        }
    }

    /// All runs of a task, oldest first.
    ///
    /// # Panics
    /// If the test's database fails.
    #[must_use]
    pub fn runs_of<I, O>(&self, task: TaskRef<I, O>) -> Vec<RunView> {
        let (ports, mut runs) = (self.client().ports(), vec![]);
        let partitions = vec![RunRecord::partition(task.name())];
        let mut query =
            Query { index: Index::List, partitions, from: None, below: None, descending: true, limit: PAGE };
        loop {
            let page = now(ports.records.query(&query));
            runs.extend(page.records);
            query.below = page.last;
            if query.below.is_none() {
                break;
            }
        }
        let read = |stored: StoredRecord| -> PortResult<_> {
            let stored = read_record::<RunRecord>(stored)?;
            Ok((stored.record.created_at, RunView::new(&stored.record, stored.payloads, self.now())))
        };
        let runs = runs.into_iter().map(read).collect::<PortResult<Vec<_>>>();
        let mut runs = runs.unwrap_or_else(|error| panic!("{error}"));
        runs.sort_by_key(|(created_at, run)| (*created_at, run.id));
        runs.into_iter().map(|(_, run)| run).collect()
    }
}
