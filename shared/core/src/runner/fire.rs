//! A schedule's fire.

use std::sync::Arc;

use dacapo_domain::{
    Fire, Json, NewRun, Overlap, Payloads, RunRecord, ScheduleInput, ScheduleRecord, TaskEntry, Trigger, Work, fire_id,
    limits, slot,
};
use jiff::Timestamp;

use super::Runner;
use crate::{
    commit::{Seen, commit, load},
    function::ErasedTask,
    port::{PortResult, Ports},
};

impl Runner {
    /// Makes the run of a fire and takes its first attempt.
    pub(super) async fn fire(&self, task: &Arc<dyn ErasedTask>, fire: Fire, deadline: Timestamp) -> PortResult<()> {
        match admitted_run(self.ports(), &task.entry(), fire, deadline).await? {
            Some((new, body)) => self.start_in_place(task, new, body, deadline).await,
            None => Ok(()),
        }
    }
}

/// The run that a fire starts, and with what; `None` where it starts none. The run's id comes from the schedule's name
/// and the scheduled time, so a fire that comes twice makes one run.
///
/// # Errors
/// An error of the store.
pub(crate) async fn admitted_run(
    ports: &Ports,
    entry: &TaskEntry,
    fire: Fire,
    deadline: Timestamp,
) -> PortResult<Option<(NewRun, Json)>> {
    if fire.time + limits::HISTORY < ports.clock.now() {
        tracing::warn!(schedule = fire.schedule, time = %fire.time, "a fire older than the history is dropped");
        return Ok(None);
    }
    let mut stored = load::<ScheduleRecord>(ports, &ScheduleRecord::key_of(&fire.schedule)).await?;
    let declared = entry.schedules.iter().find(|schedule| schedule.name == fire.schedule);
    let put = stored.as_mut().and_then(|stored| {
        let schedule = stored.record.put.clone()?;
        Some((schedule, stored.payloads.take(slot::BODY).unwrap_or_default()))
    });
    let declared = declared.map(|declared| (declared.schedule.clone(), declared.body.clone()));
    let Some((schedule, body)) = declared.or(put) else {
        tracing::warn!(schedule = fire.schedule, "a fire of a schedule that is no more is dropped");
        return Ok(None);
    };
    let run = fire_id(&fire.schedule, fire.time);
    let is_paused = stored.as_ref().is_some_and(|stored| stored.record.paused);
    // The usual schedule: nothing is asked or kept of its fires.
    if is_paused || schedule.overlap() == Overlap::Skip {
        let is_there = load::<RunRecord>(ports, &RunRecord::key_of(run)).await?.is_some();
        let is_unfinished = match stored.as_ref().and_then(|stored| stored.record.last_run) {
            Some(last) => load::<RunRecord>(ports, &RunRecord::key_of(last))
                .await?
                .is_some_and(|stored| !stored.record.phase.is_final()),
            None => false,
        };
        let fresh = || ScheduleRecord::fresh(&fire.schedule, &entry.name, ports.clock.now());
        let seen = stored.map_or_else(|| Seen::Fresh(fresh(), Payloads::none()), Seen::from);
        let input = ScheduleInput::Fired { time: fire.time, run, schedule, is_there, is_unfinished };
        let fired = commit(ports, seen, &input, (), deadline).await?;
        if fired.is_none_or(|fired| fired.work != Some(Work::StartRun)) {
            return Ok(None);
        }
    }
    let new = NewRun {
        schedule: Some(fire.schedule),
        ttl: entry.policy.ttl,
        ..NewRun::at(run, &entry.name, fire.time, Trigger::Schedule)
    };
    Ok(Some((new, body)))
}
