//! The engine as a value, and when there is something to do for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use dacapo_core::{
    conductor::Conductor,
    port::{Clock, PortError, PortErrorKind, PortResult},
};
use dacapo_domain::{CONDUCTOR, FunctionEntry, Manifest};
use jiff::Timestamp;

use super::{Invoke, admission::Admission};
use crate::{
    engine_log::{EngineLog, EngineLogs},
    sqlite::{APP_DLQ, Database},
};

/// The least time between two sweeps, as the conductor's schedule on AWS says.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The stage of an app on this machine, unless told otherwise.
pub const STAGE: &str = "local";

/// One app, its database, and the way to its functions.
pub struct Engine {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) conductor: Arc<FunctionEntry>,
    pub(super) logs: EngineLogs,
    pub(super) stage: String,
    pub(super) admission: Arc<Admission>,
    app: RwLock<Arc<App>>,
    swept: Mutex<Option<Timestamp>>,
}

/// The app as it is deployed.
pub(super) struct App {
    pub(super) manifest: Manifest,
    /// The functions that run here, by their names: all of the manifest's but the conductor, unless told otherwise.
    pub(super) functions: BTreeMap<String, Arc<FunctionEntry>>,
}

impl App {
    fn new(manifest: Manifest, runs: impl Fn(&FunctionEntry) -> bool) -> Self {
        let functions = manifest.functions.iter().filter(|function| function.name != CONDUCTOR && runs(function));
        let functions = functions.map(|function| (function.name.clone(), Arc::new(function.clone()))).collect();
        Self { manifest, functions }
    }

    /// Messages of a queue for one invocation, at most: of runs one, as an invocation costs nothing here.
    pub(super) fn batch_size(&self, queue: &str) -> u32 {
        let function = self.functions.get(queue).filter(|function| !function.subscriptions().is_empty());
        function.map_or(1, |function| function.batch_size())
    }
}

impl Engine {
    /// An engine for the functions of a manifest. Nothing happens before it is [deployed](Self::deploy) and driven.
    ///
    /// The conductor is invoked as all functions are: [`WithConductor`](super::WithConductor) has it.
    #[must_use]
    pub fn new(database: Database, manifest: Manifest, invoke: Arc<dyn Invoke>, logs: EngineLogs) -> Self {
        let (clock, conductor) = (database.ports().clock, Arc::new(FunctionEntry::conductor()));
        let app = RwLock::new(Arc::new(App::new(manifest, |_| true)));
        let stage = STAGE.to_owned();
        let (admission, swept) = (Arc::default(), Mutex::default());
        Self { database, clock, invoke, conductor, logs, stage, admission, app, swept }
    }

    /// Names the stage of its functions' Lambdas, in place of [`STAGE`].
    #[must_use]
    pub fn stage(self, stage: &str) -> Self {
        Self { stage: stage.to_owned(), ..self }
    }

    /// Makes the app what the manifest says, as a deploy does: its queues and schedules, and what the core keeps of it.
    ///
    /// # Errors
    /// `Refused` where a declared schedule never fires again; or if the database can't be used.
    pub async fn deploy(&self) -> PortResult<()> {
        let app = self.app();
        let served =
            |function: &FunctionEntry| function.name == CONDUCTOR || app.functions.contains_key(&function.name);
        let manifest = self.checked(app.manifest.clone())?;
        self.database.deploy(&manifest, served).await?;
        Conductor::new(self.database.ports(), Some(manifest)).deployed().await?;
        Ok(())
    }

    /// A manifest as it is deployed now.
    ///
    /// # Errors
    /// `Refused` where a declared schedule never fires again: before anything changes.
    fn checked(&self, manifest: Manifest) -> PortResult<Manifest> {
        let manifest = Manifest { made_ms: self.clock.now().as_millisecond(), ..manifest };
        manifest.check_fires().map_err(|error| PortError::new(PortErrorKind::Refused, error.to_string()))?;
        Ok(manifest)
    }

    /// Replaces the app by another, of whose functions those that `runs` tells run here; the others stay as they are. Once it
    /// is known that it can be, `replace` puts its functions in the place of the former ones.
    ///
    /// # Errors
    /// As [`deploy`](Self::deploy).
    pub async fn redeploy(
        &self,
        manifest: Manifest,
        runs: impl Fn(&FunctionEntry) -> bool,
        replace: impl FnOnce(&Manifest),
    ) -> PortResult<()> {
        let manifest = self.checked(manifest)?;
        replace(&manifest);
        *self.app.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(App::new(manifest, runs));
        self.deploy().await
    }

    /// The pace of starts, by what the engine takes.
    pub(crate) fn admission(&self) -> Arc<Admission> {
        self.admission.clone()
    }

    pub(super) fn app(&self) -> Arc<App> {
        self.app.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The reader of a queue.
    pub(super) fn reader(&self, queue: &str) -> Option<Arc<FunctionEntry>> {
        match queue {
            CONDUCTOR | APP_DLQ => Some(self.conductor.clone()),
            _ => self.app().functions.get(queue).cloned(),
        }
    }

    /// The next time at which there is something to do but what recurring schedules will start, where the conductor has
    /// something to reconcile then; the past if there is now.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn next_due_of_work(&self, reconcile: Option<Timestamp>) -> PortResult<Option<Timestamp>> {
        let due = self.database.next_work().await?;
        Ok(earlier(due, reconcile.map(|at| self.sweeps_at(at))))
    }

    /// The next sweep: at the first whole minute at which the conductor has something to reconcile.
    pub(super) fn sweeps_at(&self, reconcile: Timestamp) -> Timestamp {
        let swept = *self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was put back holds up none.
        let swept = swept.filter(|swept| *swept <= self.clock.now());
        whole_minute(swept.map_or(reconcile, |swept| reconcile.max(swept + SWEEP_EVERY)))
    }

    pub(super) fn has_swept(&self) {
        *self.swept.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now());
    }

    pub(super) fn note(&self, text: String) {
        (self.logs)(EngineLog::Note(text));
    }
}

pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// The first whole minute that is not before a moment.
fn whole_minute(at: Timestamp) -> Timestamp {
    let seconds = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    let minute = seconds.div_euclid(60) + i64::from(seconds.rem_euclid(60) > 0);
    Timestamp::from_second(minute * 60).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweep_comes_at_a_whole_minute_and_never_early() -> Result<(), jiff::Error> {
        for (at, minute) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00.001Z", "2026-01-01T00:01:00Z"),
            ("2026-01-01T00:00:59.999Z", "2026-01-01T00:01:00Z"),
        ] {
            assert_eq!(whole_minute(at.parse()?), minute.parse()?, "{at}");
        }
        Ok(())
    }
}
