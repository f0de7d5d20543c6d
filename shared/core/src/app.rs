//! An app as its functions and clients share it: the ports, and the manifest of what is deployed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dacapo_domain::{FormerTask, Manifest, ManifestRecord, TaskEntry, TraceParent, slot};
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
        Self { shared, variables: Variables::default() }
    }

    /// The same for a function with these variables.
    #[must_use]
    pub fn with(self, variables: Variables) -> Self {
        Self { variables, ..self }
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
