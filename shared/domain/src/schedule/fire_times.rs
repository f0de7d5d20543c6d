//! The fires of a schedule: their times, those around one, those that are due or were missed, and the ids of their
//! runs.

use std::iter;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Recurrence, Schedule, ScheduleError};
use crate::{DecisionContext, Id, Json, NewRun, RunRecord, Trigger, hash128, limits, until};

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

/// Fires that were not handled in their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedFires {
    /// The latest, to be run now, if the schedule asks for catch-up.
    pub run: Option<Timestamp>,
    /// The others, at most the last 100, in order.
    pub skipped: Vec<Timestamp>,
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
        let mut skipped: Vec<Timestamp> = backwards.take(limits::SKIPPED_FIRES).collect();
        skipped.reverse();
        MissedFires { run, skipped }
    }

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

impl AdjacentFires {
    pub(crate) const NEXT: usize = 5;
}

impl Recurrence {
    /// The fires of a schedule that was created at this moment.
    ///
    /// # Errors
    /// A cron expression has no fire later than `created`, or an [`at`](crate::at) is not within the year that follows
    /// it.
    ///
    /// ```
    /// use dacapo_domain::{cron, every};
    /// use jiff::Timestamp;
    ///
    /// let created: Timestamp = "2026-01-01T00:00:30Z".parse()?;
    /// let fires = every("1 hour").check()?.since(created)?;
    /// assert_eq!(fires.all().next(), Some(created));
    ///
    /// let error = cron("0 0 1 JAN ? 2020").check()?.since(created).unwrap_err();
    /// assert!(error.to_string().contains("it never fires after 2026-01-01T00:00:30Z"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn since(&self, created: Timestamp) -> Result<FireTimes, ScheduleError> {
        let recurrence = match self {
            Self::At(when) => Self::At(when.resolve(created)?.into()),
            Self::Cron(cron, zone) if cron.next_after(created, zone).is_none() => {
                return Err(ScheduleError::never_fires(cron, zone, Some(created)));
            }
            Self::Every(_) | Self::Cron(..) => self.clone(),
        };
        Ok(FireTimes { recurrence, created })
    }

    /// The fires around one, as its handler is told: the previous one and the next five. Of an [`every`](crate::every),
    /// whose creation AWS keeps to itself, they are counted from the fire.
    ///
    /// ```
    /// use dacapo_domain::every;
    ///
    /// let around = every("1 day").check()?.around("2026-01-02T09:00:00Z".parse()?);
    /// assert_eq!(around.previous, Some("2026-01-01T09:00:00Z".parse()?));
    /// assert_eq!(around.next.len(), 5);
    /// assert_eq!(around.next[4], "2026-01-07T09:00:00Z".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn around(&self, fire: Timestamp) -> AdjacentFires {
        match self {
            Self::Every(every) => AdjacentFires {
                previous: fire.checked_sub(every.interval()).ok(),
                next: every.fires(fire).skip(1).take(AdjacentFires::NEXT).collect(),
            },
            Self::Cron(cron, zone) => AdjacentFires {
                previous: cron.previous_before(fire, zone),
                next: cron.fires_after(fire, zone).take(AdjacentFires::NEXT).collect(),
            },
            Self::At(_) => AdjacentFires { previous: None, next: Vec::new() },
        }
    }
}

/// The id of the run that a fire makes: the same for every delivery of it. 48 bits are the scheduled time, so that it
/// sorts by time as all run ids do; the other 80 are the schedule's name, as FNV-1a of 128 bits, folded.
///
/// FNV is stable across versions and platforms, and good at telling names apart. It doesn't resist names that
/// are picked to collide: schedule names come from the app.
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

/// The run that a fire starts: one of this task, due at the scheduled time.
#[must_use]
pub fn fired_run(schedule: &str, task: &str, scheduled_for: Timestamp) -> NewRun {
    let run = NewRun::at(fire_id(schedule, scheduled_for), task, scheduled_for, Trigger::Schedule);
    NewRun { schedule: Some(schedule.to_owned()), ..run }
}

/// The bytes of the run that a fire starts, counted as those of any run that is started: metadata and body.
#[must_use]
pub fn fired_run_bytes(schedule: &str, task: &str, body: &Json) -> usize {
    let time = Timestamp::UNIX_EPOCH;
    let run = RunRecord::create(fired_run(schedule, task, time), &DecisionContext { now: time, random: 0 }).record;
    run.bytes_with(body)
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
