//! An app as its functions and clients share it: the ports, and the manifest of what is deployed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dacapo_domain::{FormerTask, Manifest, ManifestRecord, Sends, TaskEntry, TraceParent, slot};
use jiff::Timestamp;

use crate::{
    Error, ErrorKind, Variables,
    commit::load,
    port::{PortError, PortErrorKind, PortResult, Ports},
};

/// The time for which a manifest that was read is taken for the current one.
const FRESH: Duration = Duration::from_secs(60);

/// An app as its functions and clients share it. Cheap to clone.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
    variables: Variables,
    /// The runs that its function starts and the events that it publishes, where its definition says so.
    sends: Option<Arc<Sends>>,
}

struct Shared {
    ports: Ports,
    /// The deployed manifest, and when it was read.
    deployed: Mutex<Option<(Timestamp, Deployed)>>,
    /// The trace of the invocation that is under way.
    invocation: Mutex<Option<TraceParent>>,
}

#[derive(Clone)]
struct Deployed {
    manifest: Arc<Manifest>,
    former_tasks: Arc<[FormerTask]>,
}

impl App {
    /// The app over the given ports.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        let shared = Arc::new(Shared { ports, deployed: Mutex::default(), invocation: Mutex::default() });
        Self { shared, variables: Variables::default(), sends: None }
    }

    /// The same for a function with these variables.
    #[must_use]
    pub fn with(self, variables: Variables) -> Self {
        Self { variables, ..self }
    }

    /// The same for a function that starts and publishes this alone; anything, where it doesn't say.
    #[must_use]
    pub fn sending(self, sends: Option<Sends>) -> Self {
        Self { sends: sends.map(Arc::new), ..self }
    }

    /// Checks that the function starts runs of this task, by its definition.
    ///
    /// # Errors
    /// `Usage` where it says what it starts, and this isn't there.
    pub fn check_start(&self, task: &str) -> Result<(), Error> {
        match &self.sends {
            Some(sends) if !sends.tasks.contains(task) => Err(undeclared("start", "task", task, "starts", sends)),
            _ => Ok(()),
        }
    }

    /// Checks that the function publishes this event, by its definition.
    ///
    /// # Errors
    /// `Usage` where it says what it publishes, and this isn't there.
    pub fn check_publish(&self, event: &str) -> Result<(), Error> {
        match &self.sends {
            Some(sends) if !sends.events.contains(event) => {
                Err(undeclared("publish", "event", event, "publishes", sends))
            }
            _ => Ok(()),
        }
    }

    /// The variables of the function that this is for.
    #[must_use]
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// Takes what is started from now on for a part of this trace, unless it is a part of another.
    pub(crate) fn trace(&self, invocation: Option<TraceParent>) {
        *self.shared.invocation.lock().unwrap_or_else(PoisonError::into_inner) = invocation;
    }

    /// The trace of the invocation that is under way.
    pub(crate) fn traced(&self) -> Option<TraceParent> {
        *self.shared.invocation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ports.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.shared.ports
    }

    /// The manifest of what is deployed, read at most once a minute.
    ///
    /// # Errors
    /// `NotDeployed` if the app was never deployed.
    pub async fn manifest(&self) -> Result<Arc<Manifest>, Error> {
        Ok(self.deployed().await?.manifest)
    }

    /// The entry of a task that is deployed. One that the manifest lacked when it was read is looked for in the current
    /// one: it may have been deployed since.
    ///
    /// # Errors
    /// `NotDeployed` if the app was never deployed.
    pub async fn task(&self, name: &str) -> Result<Option<TaskEntry>, Error> {
        let find = |deployed: &Deployed| deployed.manifest.task(name).map(|(_, task)| task.clone());
        match find(&self.deployed().await?) {
            Some(task) => Ok(Some(task)),
            None => Ok(find(&self.read().await?)),
        }
    }

    /// The tasks that are deployed no more, whose runs the history still has.
    ///
    /// # Errors
    /// `NotDeployed` if the app was never deployed.
    pub async fn former_tasks(&self) -> Result<Arc<[FormerTask]>, Error> {
        Ok(self.deployed().await?.former_tasks)
    }

    /// The manifest as it is stored now.
    ///
    /// # Errors
    /// `NotDeployed` if the app was never deployed.
    pub(crate) async fn current_manifest(&self) -> Result<Arc<Manifest>, Error> {
        Ok(self.read().await?.manifest)
    }

    async fn deployed(&self) -> Result<Deployed, Error> {
        let now = self.ports().clock.now();
        let cached = self.shared.deployed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((since, deployed)) = cached
            && dacapo_domain::is_fresh(since, FRESH, now)
        {
            return Ok(deployed);
        }
        self.read().await
    }

    async fn read(&self) -> Result<Deployed, Error> {
        let now = self.ports().clock.now();
        let (record, manifest) = read_manifest(self.ports()).await?.ok_or_else(|| {
            let text = "find the app's manifest (`make deploy` stores it, `dacapo dev` does so at its start)";
            Error::new(ErrorKind::NotDeployed, text)
        })?;
        let deployed = Deployed { manifest: Arc::new(manifest), former_tasks: record.former_tasks.into() };
        *self.shared.deployed.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, deployed.clone()));
        Ok(deployed)
    }
}

fn undeclared(verb: &str, kind: &str, name: &str, option: &str, sends: &Sends) -> Error {
    let text = format!(
        "{verb} {kind} {name:?}: the function's definition says that it starts and publishes {sends} (add `.{option}(…)` of \
        this one to it)"
    );
    Error::new(ErrorKind::Usage, text)
}

/// The manifest as it is stored now, and its record.
///
/// # Errors
/// `NotDeployed` if there is no table; `Refused` for a manifest that this build can't read.
pub async fn read_manifest(ports: &Ports) -> PortResult<Option<(ManifestRecord, Manifest)>> {
    let Some(mut stored) = load::<ManifestRecord>(ports, &ManifestRecord::key()).await? else { return Ok(None) };
    let manifest = stored.payloads.take(slot::BODY).unwrap_or_default().parse();
    let manifest = manifest
        .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to read the manifest").caused_by(error))?;
    Ok(Some((stored.record, manifest)))
}
