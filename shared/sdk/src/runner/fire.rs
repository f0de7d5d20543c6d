//! A schedule's fire.

use std::sync::Arc;

use dacapo_domain::{Fire, Id, NewRun, Overlap, Run, Schedule, SkippedFire, Trigger, limits};
use jiff::Timestamp;

use super::Runner;
use crate::{
    definition::ErasedTask,
    port::{PortResult, ScheduleItem},
};

impl Runner {
    /// Makes the run of a fire and takes its first attempt. The run's id comes from the schedule's name and the
    /// scheduled time, so a fire that comes twice makes one run.
    pub(super) async fn fire(&self, task: &Arc<dyn ErasedTask>, fire: Fire, deadline: Timestamp) -> PortResult<()> {
        let now = self.ports.clock.now();
        if fire.time + limits::HISTORY < now {
            tracing::warn!(schedule = fire.schedule, time = %fire.time, "a fire older than the history is dropped");
            return Ok(());
        }
        let entry = task.entry();
        let kept = self.ports.store.schedule(&fire.schedule).await?;
        let declared = entry.schedules.into_iter().find(|schedule| schedule.name == fire.schedule);
        let (schedule, body) = match (declared, kept.as_ref().and_then(|kept| kept.put.clone())) {
            (Some(declared), _) => (declared.schedule, declared.body),
            (None, Some(put)) => (put.schedule, put.body),
            (None, None) => {
                tracing::warn!(schedule = fire.schedule, "a fire of a schedule that is no more is dropped");
                return Ok(());
            }
        };
        let id = dacapo_domain::fire_id(&fire.schedule, fire.time);
        if !self.is_admitted(&entry.name, &schedule, kept, &fire, id).await? {
            return Ok(());
        }
        let new = NewRun {
            id,
            name: entry.name,
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
        let run = Run::create(new, &self.ports.clock.moment()).run;
        self.start_in_place(task, &run, &body, deadline).await
    }

    /// Whether a fire makes a run. One that doesn't is kept on its schedule, with the reason.
    async fn is_admitted(
        &self,
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
                Some(last) => self.ports.store.load(last).await?.is_some_and(|stored| !stored.run.state.is_final()),
                None => false,
            };
            let admitted = schedule.admits(paused, unfinished);
            let now = self.ports.clock.now();
            let mut next = kept.clone().unwrap_or_else(|| ScheduleItem::of(&fire.schedule, task, now));
            next.version = self.ports.clock.moment().version();
            match admitted {
                Ok(()) => next.last_run = Some(id),
                Err(reason) => next.skipped.remember(SkippedFire { time: fire.time, reason }),
            }
            if self.ports.store.save_schedule(kept.as_ref(), &next).await? {
                return Ok(admitted.is_ok());
            }
            kept = self.ports.store.schedule(&fire.schedule).await?;
        }
    }
}
