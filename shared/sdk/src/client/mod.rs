//! The client: what a program does with an app.

mod batch;
mod bulk;
mod check;
mod control;
mod debounce;
mod deliveries;
mod health;
mod list;
mod names;
mod publish;
mod query;
mod queues;
mod run;
mod schedules;
mod token;
mod wait;
mod watch;

use std::sync::Arc;

use dacapo_core::{App, Origin, port::Ports};
use dacapo_domain::{Manifest, TaskEntry, slug};

pub use batch::StartBatch;
pub use bulk::{BulkRuns, StartBulk};
pub(crate) use check::check_tags;
pub use deliveries::{DeliveryClient, ListedDeliveries};
pub use list::Listed;
pub use publish::{Publish, Published};
pub use queues::{QueueClient, QueueState};
pub use run::{StartRun, Started};
pub use schedules::{ScheduleClient, ScheduleState};
pub use token::Completed;
pub use watch::RunWatch;

use crate::{Error, ErrorKind};

/// An app, as its functions and other programs use it. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    app: App,
    origin: Option<Origin>,
}

impl Client {
    /// A client over the given ports; `dacapo_client::client_from_env` finds them by itself.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { app: App::new(ports), origin: None }
    }

    /// The client of a handler or hook: what it starts has this origin.
    pub(crate) fn of_handler(app: &App, origin: Origin) -> Self {
        Self { app: app.clone(), origin: Some(origin) }
    }

    /// The client of a hook, where this is the one of its attempt.
    pub(crate) fn of_hook(&self, hook: &str) -> Self {
        Self { origin: self.origin.as_ref().map(|origin| origin.of_hook(hook)), app: self.app.clone() }
    }

    /// The ports it uses.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        self.app.ports()
    }

    /// The manifest: what all functions of the app say of themselves, read at most once a minute.
    ///
    /// # Errors
    /// `NotDeployed` if the app was never deployed.
    pub async fn manifest(&self) -> Result<Arc<Manifest>, Error> {
        self.app.manifest().await
    }

    /// Schedules: declared ones, and those made at run time.
    #[must_use]
    pub fn schedules(&self) -> ScheduleClient {
        ScheduleClient::new(self.clone())
    }

    /// Queues: paused, resumed, and how they stand.
    #[must_use]
    pub fn queues(&self) -> QueueClient {
        QueueClient::new(self.clone())
    }

    /// The task of a name, for programs that have no reference to it.
    async fn task_by_name(&self, name: &str) -> Result<TaskEntry, Error> {
        match self.app.task(name).await? {
            Some(task) => Ok(task),
            None => Err(unknown_task(&*self.manifest().await?, name)),
        }
    }
}

fn unknown_task(manifest: &Manifest, name: &str) -> Error {
    let known: Vec<&str> = manifest.tasks().map(|(_, task)| task.name.as_str()).collect();
    Error::new(ErrorKind::NotFound, format!("find a task named {name:?}{}", suggestion(name, &known)))
}

/// The name that may have been meant: one with the same slug or one that is nearly the same, else all names.
fn suggestion(given: &str, known: &[&str]) -> String {
    let near = known.iter().find(|name| slug(name) == slug(given) || strsim::levenshtein(name, given) <= 2);
    match near {
        Some(name) => format!(" (did you mean {name:?}?)"),
        None if known.is_empty() => " (the app has none)".to_owned(),
        None => format!(" (there are: {})", known.join(", ")),
    }
}
