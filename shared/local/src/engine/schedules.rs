//! Recurring schedules: those that have come fire, and fires that were missed are remembered.

use std::time::Duration;

use dacapo_core::{
    commit::{Seen, commit, load},
    port::PortResult,
};
use dacapo_domain::{DueFires, Payloads, ScheduleInput, ScheduleRecord};

use super::Engine;
use crate::sqlite::DueSchedule;

/// The time for which the engine goes on trying to remember what was missed.
const PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// Fires schedules whose time has come.
    pub(super) async fn fire(&self, due: Vec<DueSchedule>) -> PortResult<()> {
        for due in due {
            let fires = match due.schedule.check().and_then(|recurrence| recurrence.since(due.put_at)) {
                Ok(fires) => fires,
                Err(error) => {
                    self.note(format!("schedule {} will not fire: {error}", due.name));
                    self.database.fire_schedule(&due, &[], None).await?;
                    continue;
                }
            };
            let plan = fires.due(due.due, self.clock.now(), &due.schedule);
            let is_as_given = self.database.fire_schedule(&due, plan.fire.as_slice(), plan.next).await?;
            if is_as_given && !plan.missed.is_empty() {
                self.remember(&due, plan).await?;
            }
        }
        Ok(())
    }

    /// Keeps missed fires on their schedule, and says so.
    async fn remember(&self, due: &DueSchedule, DueFires { fire, missed, .. }: DueFires) -> PortResult<()> {
        let (name, count) = (&due.name, missed.len());
        let latest = missed.last().map(ToString::to_string).unwrap_or_default();
        let run = if fire.is_some() { "a later one runs now" } else { "skipped" };
        self.note(format!("schedule {name} missed {count} fires while nothing ran here, up to {latest}: {run}"));

        let (ports, now) = (self.database.ports(), self.clock.now());
        let stored = load::<ScheduleRecord>(&ports, &ScheduleRecord::key_of(name)).await?;
        let declared = || self.manifest.schedule(name).map(|(_, task, _)| ScheduleRecord::fresh(name, &task.name, now));
        let seen = match stored {
            Some(stored) => Seen::from(stored),
            None => match declared() {
                Some(fresh) => Seen::Fresh(fresh, Payloads::none()),
                None => return Ok(()), // Deleted meanwhile.
            },
        };
        commit(&ports, seen, &ScheduleInput::Missed(missed), (), now + PATIENCE).await?;
        Ok(())
    }
}
