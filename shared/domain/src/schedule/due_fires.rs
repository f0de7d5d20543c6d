//! The fires that are due, and those that make no run.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{FireTimes, MissedFires, Overlap, Schedule};
use crate::{limits, until};

/// The fires of a schedule whose time has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueFires {
    /// The one that fires now: the one that has come, or the latest of those that were missed.
    pub fire: Option<Timestamp>,
    /// The others that were missed, at most the last 100, in order.
    pub missed: Vec<Timestamp>,
    /// The next time at which it is due; `None` if it never is again.
    pub next: Option<Timestamp>,
}

impl FireTimes {
    /// The fires of a schedule whose time has come, where this program itself watches the clock, as the embedded engine
    /// does: `due` is the fire that has come, `None` where the first is not known yet.
    ///
    /// ```
    /// use dacapo_domain::every;
    /// use jiff::Timestamp;
    ///
    /// let at = |time: &str| format!("2026-01-01T{time}Z").parse::<Timestamp>();
    /// let schedule = every("1 hour");
    /// let fires = schedule.check()?.since(at("00:00:00")?)?;
    ///
    /// let due = fires.due(Some(at("01:00:00")?), at("01:00:59")?, &schedule);
    /// assert_eq!((due.fire, due.next), (Some(at("01:00:00")?), Some(at("02:00:00")?)));
    ///
    /// let due = fires.due(Some(at("01:00:00")?), at("02:30:00")?, &schedule);
    /// assert_eq!((due.fire, due.next), (None, Some(at("03:00:00")?)));
    /// assert_eq!(due.missed, [at("01:00:00")?, at("02:00:00")?]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn due(&self, due: Option<Timestamp>, now: Timestamp, schedule: &Schedule) -> DueFires {
        let Some(due) = due else {
            return DueFires { fire: None, missed: vec![], next: self.all().next() };
        };
        if until(due, now) <= limits::MISSED_AFTER {
            return DueFires { fire: Some(due), missed: vec![], next: self.next_after(due) };
        }
        let seen = due.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(due);
        let MissedFires { run, skipped } = self.missed(seen, now, schedule);
        DueFires { fire: run, missed: skipped, next: self.next_after(now) }
    }
}

/// A fire that made no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedFire {
    /// The time it was scheduled for.
    pub time: Timestamp,
    /// The reason.
    pub reason: SkipReason,
}

/// The reason why a fire made no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SkipReason {
    /// The schedule was paused.
    Paused,
    /// A run of the schedule was unfinished, and its overlap policy is to skip.
    Overlap,
    /// The engine was down, and the schedule doesn't catch up, or caught up with a later one.
    Missed,
}

impl Schedule {
    /// Says whether a fire makes a run.
    ///
    /// # Errors
    /// Why it doesn't.
    ///
    /// ```
    /// use dacapo_domain::{SkipReason, every};
    ///
    /// let (paused, unfinished) = (false, true);
    /// assert_eq!(every("1 hour").admits(paused, unfinished), Ok(()));
    /// assert_eq!(every("1 hour").skip_while_running().admits(paused, unfinished), Err(SkipReason::Overlap));
    /// ```
    pub fn admits(&self, paused: bool, unfinished: bool) -> Result<(), SkipReason> {
        match self.overlap() {
            _ if paused => Err(SkipReason::Paused),
            Overlap::Skip if unfinished => Err(SkipReason::Overlap),
            Overlap::Skip | Overlap::Allow => Ok(()),
        }
    }
}

/// The last 100 fires of a schedule that made no run, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SkippedFires(Vec<SkippedFire>);

impl SkippedFires {
    /// Remembers a fire, in place of the oldest where there are 100. One that is delivered twice is remembered once.
    ///
    /// ```
    /// use dacapo_domain::{SkipReason, SkippedFire, SkippedFires};
    ///
    /// let mut skipped = SkippedFires::default();
    /// let fire = SkippedFire { time: "2026-01-01T06:00:00Z".parse()?, reason: SkipReason::Overlap };
    /// skipped.remember(fire);
    /// skipped.remember(fire);
    /// assert_eq!(skipped.iter().count(), 1);
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn remember(&mut self, fire: SkippedFire) {
        let Err(place) = self.0.binary_search_by_key(&fire.time, |fire| fire.time) else { return };
        self.0.insert(place, fire);
        let beyond = self.0.len().saturating_sub(limits::SKIPPED_FIRES);
        self.0.drain(..beyond);
    }

    /// The fires, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &SkippedFire> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cron, every};

    type Tested = Result<(), Box<dyn std::error::Error>>;

    fn at(time: &str) -> Timestamp {
        format!("2026-01-01T{time}Z").parse().unwrap()
    }

    fn due(schedule: &Schedule, due: Option<&str>, now: &str) -> Result<DueFires, Box<dyn std::error::Error>> {
        Ok(schedule.check()?.since(at("00:00:00"))?.due(due.map(at), at(now), schedule))
    }

    #[test]
    fn first_fire_of_an_every_is_its_creation_and_of_a_cron_the_next_that_fits() -> Tested {
        let first = |next| DueFires { next: Some(at(next)), ..DueFires::default() };
        assert_eq!(due(&every("1 hour"), None, "00:00:00")?, first("00:00:00"));
        assert_eq!(due(&cron("30 * * * ? *"), None, "00:00:00")?, first("00:30:00"));
        Ok(())
    }

    #[test]
    fn fire_that_is_a_minute_late_fires_and_one_that_is_later_was_missed() -> Tested {
        let late = due(&every("1 hour"), Some("01:00:00"), "01:01:00")?;
        assert_eq!((late.fire, late.missed), (Some(at("01:00:00")), vec![]));
        let missed = due(&every("1 hour"), Some("01:00:00"), "01:01:00.001")?;
        assert_eq!((missed.fire, missed.missed), (None, vec![at("01:00:00")]));
        assert_eq!(missed.next, Some(at("02:00:00")));
        Ok(())
    }

    #[test]
    fn missed_fires_of_a_schedule_that_catches_up_are_one_fire_of_the_latest() -> Tested {
        let caught_up = due(&every("1 hour").catch_up(), Some("01:00:00"), "03:10:00")?;
        assert_eq!((caught_up.fire, caught_up.next), (Some(at("03:00:00")), Some(at("04:00:00"))));
        assert_eq!(caught_up.missed, [at("01:00:00"), at("02:00:00")]);
        Ok(())
    }
}
