//! The engine as a value, and when there is something to do for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dacapo_core::{
    conductor::Conductor,
    port::{Clock, PortResult},
    read_manifest,
};
use dacapo_domain::{CONDUCTOR, FunctionEntry, Manifest};
use jiff::Timestamp;

use super::Invoke;
use crate::{
    engine_log::{EngineLog, EngineLogs},
    sqlite::{APP_DLQ, Database},
};

/// The least time between two sweeps, as the conductor's schedule on AWS says.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// One app, its database, and the way to its functions.
pub struct Engine {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) manifest: Manifest,
    pub(super) functions: BTreeMap<String, FunctionEntry>,
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) conductor: FunctionEntry,
    pub(super) logs: EngineLogs,
    swept: Mutex<Option<Timestamp>>,
}

impl Engine {
    /// An engine for the functions of a manifest. Nothing happens before it is [deployed](Self::deploy) and driven.
    ///
    /// The conductor is invoked as all functions are: [`WithConductor`](super::WithConductor) has it.
    #[must_use]
    pub fn new(database: Database, manifest: Manifest, invoke: Arc<dyn Invoke>, logs: EngineLogs) -> Self {
        let functions = manifest.functions.iter().filter(|function| function.name != CONDUCTOR);
        let functions = functions.map(|function| (function.name.clone(), function.clone())).collect();
        let (clock, conductor) = (database.ports().clock, FunctionEntry::conductor());
        Self { database, clock, manifest, functions, conductor, invoke, logs, swept: Mutex::default() }
    }

    /// Makes the app what the manifest says, as a deploy does: its queues and schedules, and what the core keeps of it.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn deploy(&self) -> PortResult<()> {
        self.database.deploy(&self.manifest).await?;
        let ports = self.database.ports();
        let former_ms = read_manifest(&ports).await?.map_or(0, |(record, _)| record.made_ms);
        // A newer manifest stays: a clock that was set back must not keep the former one.
        let made_ms = self.clock.now().as_millisecond().max(former_ms);
        let manifest = Manifest { made_ms, ..self.manifest.clone() };
        Conductor::new(ports, None).deploy(&manifest).await?;
        Ok(())
    }

    /// The reader of a queue.
    pub(super) fn reader(&self, queue: &str) -> Option<&FunctionEntry> {
        match queue {
            CONDUCTOR | APP_DLQ => Some(&self.conductor),
            _ => self.functions.get(queue),
        }
    }

    /// The next time at which there is something to do but what recurring schedules will start; the past if there is now.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn next_due_of_work(&self) -> PortResult<Option<Timestamp>> {
        let (due, reconcile) = futures::try_join!(self.database.next_work(), self.database.next_reconcile())?;
        Ok(earlier(due, reconcile.map(|at| self.sweeps_at(at))))
    }

    /// The next sweep: at the first whole minute at which the conductor has something to reconcile.
    pub(super) fn sweeps_at(&self, reconcile: Timestamp) -> Timestamp {
        let swept = *self.swept.lock().unwrap_or_else(PoisonError::into_inner);
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
