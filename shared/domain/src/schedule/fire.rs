//! The fires of a schedule: their times, the ids of their runs, and those that make no run.

use std::iter;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Overlap, Recurrence, Schedule};
use crate::{Id, hash128, limits, until};

/// The fires of a schedule that was created at a known moment; made by [`Recurrence::since`](crate::Recurrence::since).
///
/// ```
/// use dacapo_domain::cron;
/// use jiff::Timestamp;
///
/// let created: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let fires = cron("0 12 L * ? *").check()?.since(created)?;
/// let next: Vec<String> = fires.after(created).take(2).map(|fire| fire.to_string()).collect();
/// assert_eq!(next, ["2026-01-31T12:00:00Z", "2026-02-28T12:00:00Z"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FireTimes {
    recurrence: Recurrence,
    created: Timestamp,
}

/// The fires around one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdjacentFires {
    /// The one before, if there is one.
    pub previous: Option<Timestamp>,
    /// The next five; fewer where the schedule ends.
    pub next: Vec<Timestamp>,
}

impl AdjacentFires {
    pub(crate) const NEXT: usize = 5;
}

impl FireTimes {
    pub(crate) fn new(recurrence: Recurrence, created: Timestamp) -> Self {
        Self { recurrence, created }
    }

    /// All fires, from the schedule's creation; of an `every`, the creation is the first.
    pub fn all(&self) -> Box<dyn Iterator<Item = Timestamp> + '_> {
        match &self.recurrence {
            Recurrence::Every(every) => Box::new(every.fires(self.created)),
            _ => self.after(self.created),
        }
    }

    /// The fires later than a moment, in order.
    pub fn after(&self, moment: Timestamp) -> Box<dyn Iterator<Item = Timestamp> + '_> {
        match &self.recurrence {
            Recurrence::Cron(cron, zone) => Box::new(cron.fires_after(moment.max(self.created), zone)),
            _ => Box::new(iter::successors(self.next_after(moment), |fire| self.next_after(*fire))),
        }
    }

    /// The first fire later than a moment, if there is one.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        match &self.recurrence {
            Recurrence::Every(every) => every.next_after(moment, self.created),
            Recurrence::Cron(cron, zone) => cron.next_after(moment.max(self.created), zone),
            Recurrence::At(when) => when.instant().filter(|due| *due > moment),
        }
    }

    /// The last fire earlier than a moment, if there is one since the schedule's creation.
    #[must_use]
    pub fn previous_before(&self, moment: Timestamp) -> Option<Timestamp> {
        match &self.recurrence {
            Recurrence::Every(every) => every.previous_before(moment, self.created),
            Recurrence::Cron(cron, zone) => cron.previous_before(moment, zone).filter(|fire| *fire > self.created),
            Recurrence::At(when) => when.instant().filter(|due| *due < moment),
        }
    }

    /// The fires that were missed after `seen`, the last moment at which fires were handled, up to and including `now`.
    ///
    /// ```
    /// use dacapo_domain::every;
    /// use jiff::Timestamp;
    ///
    /// let at = |time: &str| format!("2026-01-01T{time}Z").parse::<Timestamp>();
    /// let schedule = every("1 hour").catch_up();
    /// let fires = schedule.check()?.since(at("00:00:00")?)?;
    ///
    /// let missed = fires.missed(at("00:30:00")?, at("03:10:00")?, &schedule);
    /// assert_eq!(missed.run, Some(at("03:00:00")?));
    /// assert_eq!(missed.skipped, [at("01:00:00")?, at("02:00:00")?]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn missed(&self, seen: Timestamp, now: Timestamp, schedule: &Schedule) -> MissedFires {
        let behind_now = now.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(now);
        let backwards = iter::successors(self.previous_before(behind_now), |fire| self.previous_before(*fire));
        let mut backwards = backwards.take_while(|fire| *fire > seen);
        let run = if schedule.catches_up() { backwards.next() } else { None };
        let mut skipped: Vec<Timestamp> = backwards.take(SkippedFires::KEPT).collect();
        skipped.reverse();
        MissedFires { run, skipped }
    }

    /// What becomes of a schedule whose time has come, where this program itself watches the clock, as the embedded
    /// engine does: `due` is the fire that has come, `None` where the first is not known yet.
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

/// What becomes of a schedule whose time has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueFires {
    /// The one that fires now: the one that has come, or the latest of those that were missed.
    pub fire: Option<Timestamp>,
    /// The others that were missed, at most the last 100, in order.
    pub missed: Vec<Timestamp>,
    /// When it is due next; `None` if it never is again.
    pub next: Option<Timestamp>,
}

/// FireTimes that nobody handled in their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedFires {
    /// The latest, to be run now, if the schedule asks for catch-up.
    pub run: Option<Timestamp>,
    /// The others, at most the last 100, in order.
    pub skipped: Vec<Timestamp>,
}

/// A fire that made no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedFire {
    /// The time it was scheduled for.
    pub time: Timestamp,
    /// Why.
    pub reason: SkipReason,
}

/// Why a fire made no run.
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
    /// Whether a fire makes a run.
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
    const KEPT: usize = 100;

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
        let beyond = self.0.len().saturating_sub(Self::KEPT);
        self.0.drain(..beyond);
    }

    /// The fires, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &SkippedFire> {
        self.0.iter()
    }
}

/// The id of the run that a fire makes: the same for every delivery of it. 48 bits are the scheduled time, so that it
/// sorts by time as all run ids do; the other 80 are the schedule's name, as FNV-1a of 128 bits, folded.
///
/// FNV is stable across versions and platforms, and good at telling names apart. It doesn't resist somebody who picks
/// names to collide: schedule names come from the app.
///
/// ```
/// use dacapo_domain::fire_id;
///
/// let id = fire_id("nightly-report 1", "2026-01-01T06:00:00Z".parse()?);
/// assert_eq!(id.to_string(), "01KDW28FR0PHTWHA1GN83GZ2QM");
/// # Ok::<(), jiff::Error>(())
/// ```
#[must_use]
pub fn fire_id(schedule: &str, scheduled_for: Timestamp) -> Id {
    const BITS: u32 = 80;
    let hash = hash128(schedule);
    Id::new(scheduled_for, (hash >> BITS) ^ (hash & ((1 << BITS) - 1)))
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
