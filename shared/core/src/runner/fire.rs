//! A schedule's fire.

use std::sync::Arc;

use dacapo_domain::{
    Decision, Fire, Id, Json, NewRun, Overlap, Run, Schedule, SkippedFire, TaskEntry, Trigger, limits,
};
use jiff::Timestamp;

use super::Runner;
use crate::{
    definition::ErasedTask,
    port::{PortResult, Ports, ScheduleItem},
};

impl Runner {
    /// Makes the run of a fire and takes its first attempt.
    pub(super) async fn fire(&self, task: &Arc<dyn ErasedTask>, fire: Fire, deadline: Timestamp) -> PortResult<()> {
        match admit(&self.ports, &task.entry(), fire).await? {
            Some((made, body)) => self.start_in_place(task, &made.run, &body, deadline).await,
            None => Ok(()),
        }
    }
}

/// The run that a fire starts, and with what; `None` where it starts none. The run's id comes from the schedule's name
/// and the scheduled time, so a fire that comes twice makes one run.
pub(crate) async fn admit(ports: &Ports, entry: &TaskEntry, fire: Fire) -> PortResult<Option<(Decision, Json)>> {
    if fire.time + limits::HISTORY < ports.clock.now() {
        tracing::warn!(schedule = fire.schedule, time = %fire.time, "a fire older than the history is dropped");
        return Ok(None);
    }
    let kept = ports.store.schedule(&fire.schedule).await?;
    let declared = entry.schedules.iter().find(|schedule| schedule.name == fire.schedule);
    let (schedule, body) = match (declared, kept.as_ref().and_then(|kept| kept.put.as_ref())) {
        (Some(declared), _) => (declared.schedule.clone(), declared.body.clone()),
        (None, Some(put)) => (put.schedule.clone(), put.body.clone()),
        (None, None) => {
            tracing::warn!(schedule = fire.schedule, "a fire of a schedule that is no more is dropped");
            return Ok(None);
        }
    };
    let id = dacapo_domain::fire_id(&fire.schedule, fire.time);
    if !is_admitted(ports, &entry.name, &schedule, kept, &fire, id).await? {
        return Ok(None);
    }
    let new = NewRun {
        id,
        name: entry.name.clone(),
        due_at: fire.time,
        trigger: Trigger::Schedule,
        parent_id: None,
        hops: 0,
        tags: vec![],
        key: None,
        schedule: Some(fire.schedule),
        ttl: entry.policy.ttl,
        execution: None,
    };
    Ok(Some((Run::create(new, &ports.clock.moment()), body)))
}

/// Whether a fire makes a run. One that doesn't is kept on its schedule, with the reason.
async fn is_admitted(
    ports: &Ports,
    task: &str,
    schedule: &Schedule,
    mut kept: Option<ScheduleItem>,
    fire: &Fire,
    id: Id,
) -> PortResult<bool> {
    loop {
        let paused = kept.as_ref().is_some_and(|kept| kept.paused);
        if !paused && schedule.overlap() == Overlap::Allow {
            return Ok(true); // The usual schedule: nothing is kept of its fires.
        }
        let last = kept.as_ref().and_then(|kept| kept.last_run);
        if last == Some(id) {
            return Ok(true); // The same fire again: its run is there, or is still to be made.
        }
        if kept.as_ref().is_some_and(|kept| kept.skipped.iter().any(|skipped| skipped.time == fire.time)) {
            return Ok(false);
        }
        let unfinished = match last {
            Some(last) => ports.store.load(last).await?.is_some_and(|stored| !stored.run.state.is_final()),
            None => false,
        };
        let admitted = schedule.admits(paused, unfinished);
        let mut next = kept.clone().unwrap_or_else(|| ScheduleItem::of(&fire.schedule, task, ports.clock.now()));
        next.version = ports.clock.moment().version();
        match admitted {
            Ok(()) => next.last_run = Some(id),
            Err(reason) => next.skipped.remember(SkippedFire { time: fire.time, reason }),
        }
        if ports.store.save_schedule(kept.as_ref(), &next).await? {
            return Ok(admitted.is_ok());
        }
        kept = ports.store.schedule(&fire.schedule).await?;
    }
}
