//! Recurring schedules: which have come, and what was missed.

use std::time::Duration;

use dacapo_core::port::{PortResult, ScheduleItem, Store};
use dacapo_domain::{Fires, SkipReason, SkippedFire, until};
use jiff::Timestamp;

use super::Engine;
use crate::sqlite::DueSchedule;

/// A fire older than this was missed: the engine was down, or the machine asleep.
const LATE: Duration = Duration::from_secs(60);

/// What becomes of a schedule whose time has come.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    fire: Option<Timestamp>,
    missed: Vec<Timestamp>,
    next: Option<Timestamp>,
}

impl Engine {
    /// Fires schedules whose time has come.
    pub(super) async fn fire(&self, due: Vec<DueSchedule>) -> PortResult<()> {
        for due in due {
            let fires = match due.schedule.check().and_then(|timetable| timetable.since(due.put_at)) {
                Ok(fires) => fires,
                Err(error) => {
                    self.note(format!("schedule {} will not fire: {error}", due.name));
                    self.database.fire_schedule(&due, &[], None).await?;
                    continue;
                }
            };
            let plan = plan(&due, &fires, self.clock.now());
            if self.database.fire_schedule(&due, plan.fire.as_slice(), plan.next).await? && !plan.missed.is_empty() {
                self.remember(&due, &plan).await?;
            }
        }
        Ok(())
    }

    /// Keeps missed fires on their schedule, and says so.
    async fn remember(&self, due: &DueSchedule, plan: &Plan) -> PortResult<()> {
        let (name, missed) = (&due.name, &plan.missed);
        let latest = missed.last().map(ToString::to_string).unwrap_or_default();
        let run = if plan.fire.is_some() { "a later one runs now" } else { "skipped" };
        self.note(format!(
            "schedule {name} missed {} fires while nothing ran here, up to {latest}: {run}",
            missed.len()
        ));
        loop {
            let seen = self.database.schedule(name).await?;
            let task = self.manifest.schedule(name).map(|(_, task, _)| task.name.as_str());
            let mut next = match (&seen, task) {
                (Some(seen), _) => seen.clone(),
                (None, Some(task)) => ScheduleItem::of(name, task, self.clock.now()),
                (None, None) => return Ok(()), // Deleted meanwhile.
            };
            next.version = self.clock.moment().version();
            for time in missed {
                next.skipped.remember(SkippedFire { time: *time, reason: SkipReason::Missed });
            }
            if self.database.save_schedule(seen.as_ref(), &next).await? {
                return Ok(());
            }
        }
    }
}

fn plan(due: &DueSchedule, fires: &Fires, now: Timestamp) -> Plan {
    let Some(at) = due.due else {
        // The first fire of one that was just put: of an `every`, that is now.
        return Plan { fire: None, missed: vec![], next: fires.all().next() };
    };
    if until(at, now) <= LATE {
        return Plan { fire: Some(at), missed: vec![], next: fires.next_after(at) };
    }
    let seen = at - Duration::from_millis(1);
    let missed = fires.missed(seen, now, &due.schedule);
    Plan { fire: missed.run, missed: missed.skipped, next: fires.next_after(now) }
}
