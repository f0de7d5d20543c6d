//! An app as its functions and clients share it: the ports, and the manifest of what is deployed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dacapo_domain::{Manifest, ManifestRecord, slot};
use jiff::Timestamp;

use crate::{
    Error, ErrorKind,
    commit::load,
    port::{PortError, PortErrorKind, PortResult, Ports},
};

/// How long a manifest that was read is taken for the current one.
const FRESH: Duration = Duration::from_secs(60);

/// An app as its functions and clients share it. Cheap to clone.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
}

struct Shared {
    ports: Ports,
    /// The manifest, and when it was read.
    manifest: Mutex<Option<(Timestamp, Arc<Manifest>)>>,
}

impl App {
    /// The app over the given ports.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { shared: Arc::new(Shared { ports, manifest: Mutex::default() }) }
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
        let now = self.ports().clock.now();
        let cached = self.shared.manifest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((since, manifest)) = cached
            && dacapo_domain::until(since, now) < FRESH
        {
            return Ok(manifest);
        }
        let manifest = stored_manifest(self.ports()).await?.ok_or_else(|| {
            let text = "find the app's manifest (`make deploy` stores it, `dacapo dev` does so at its start)";
            Error::new(ErrorKind::NotDeployed, text)
        })?;
        let manifest = Arc::new(manifest);
        *self.shared.manifest.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, manifest.clone()));
        Ok(manifest)
    }
}

/// The manifest as it is stored now.
///
/// # Errors
/// `NotDeployed` if there is no table; `Refused` for a manifest that this build can't read.
pub async fn stored_manifest(ports: &Ports) -> PortResult<Option<Manifest>> {
    let Some(stored) = load::<ManifestRecord>(ports, &ManifestRecord::key()).await? else { return Ok(None) };
    let mut payloads = stored.payloads;
    let manifest = payloads.take(slot::BODY).map(|text| text.parse()).transpose();
    manifest.map_err(|error| PortError::new(PortErrorKind::Refused, "failed to read the manifest").caused_by(error))
}
