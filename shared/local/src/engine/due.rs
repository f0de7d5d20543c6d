//! The engine as a value, and when there is something to do for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dacapo_core::port::{Clock, PortResult};
use dacapo_domain::{CONDUCTOR, FunctionEntry, Manifest};
use jiff::Timestamp;

use super::{Invoke, Life, Lives};
use crate::{
    report::{Report, Reports},
    sqlite::Database,
};

/// How often the conductor may look, as its schedule on AWS says.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// One app, its database, and the way to its functions.
pub struct Engine {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) manifest: Manifest,
    pub(super) functions: BTreeMap<String, FunctionEntry>,
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) lives: Lives,
    pub(super) reports: Reports,
    swept: Mutex<Option<Timestamp>>,
}

impl Engine {
    /// An engine for the functions of a manifest. Nothing happens before it is [deployed](Self::deploy) and driven.
    #[must_use]
    pub fn new(database: Database, manifest: Manifest, invoke: Arc<dyn Invoke>, reports: Reports) -> Self {
        let lives = Life::unharmed(database.ports());
        let functions = manifest.functions.iter().filter(|function| function.name != CONDUCTOR);
        let functions = functions.map(|function| (function.name.clone(), function.clone())).collect();
        let clock = database.ports().clock;
        Self { database, clock, manifest, functions, invoke, lives, reports, swept: Mutex::default() }
    }

    /// The same with a conductor that lives as dangerously as it is told to.
    #[must_use]
    pub fn with_lives(mut self, lives: Lives) -> Self {
        self.lives = lives;
        self
    }

    /// Makes the app what the manifest says, as a deploy does.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn deploy(&self) -> PortResult<()> {
        self.database.deploy(&self.manifest).await
    }

    /// When there is something to do next but what recurring schedules will start; the past if there is now.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn next_due_of_work(&self) -> PortResult<Option<Timestamp>> {
        let (due, look) = futures::try_join!(self.database.next_work(), self.database.next_look())?;
        Ok(earlier(due, look.map(|look| self.sweeps_at(look))))
    }

    /// When the conductor looks next: at the first whole minute at which it has something to look at.
    pub(super) fn sweeps_at(&self, look: Timestamp) -> Timestamp {
        let swept = *self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        whole_minute(swept.map_or(look, |swept| look.max(swept + SWEEP_EVERY)))
    }

    pub(super) fn has_swept(&self) {
        *self.swept.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now());
    }

    pub(super) fn note(&self, text: String) {
        (self.reports)(Report::Note(text));
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
    fn a_sweep_comes_at_a_whole_minute_and_never_early() -> Result<(), jiff::Error> {
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
