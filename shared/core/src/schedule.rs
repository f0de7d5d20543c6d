//! A schedule on its way into the scheduler and out of it, and its fires on their way to runs.

use dacapo_domain::{
    Effect, Fire, Id, Json, NewRun, Overlap, RunRecord, Schedule, ScheduleInput, ScheduleRecord, TaskEntry, Work,
    fire_id, fired_run, later, limits, slot, until,
};
use jiff::Timestamp;

use crate::{
    commit::{Committed, Seen, Stored, commit, load, load_or_replace},
    port::{PortResult, Ports},
};

/// Puts a schedule that was made at run time into the scheduler, or takes it out, where its record asks for it, and
/// notes that this is done. One that was put or deleted otherwise in between is put right. A crash is the conductor's
/// to repair.
///
/// # Errors
/// An error of the scheduler or of the store; the schedule may be there, or gone, all the same.
pub async fn ensure_scheduled(
    ports: &Ports,
    mut committed: Option<Committed<ScheduleRecord>>,
    until: Timestamp,
) -> PortResult<()> {
    while let Some(Committed { record, work: Some(work), .. }) = committed {
        let name = record.name.clone();
        let delete = || Effect::DeleteSchedule { name: name.clone() };
        let (effect, done) = match work {
            Work::PutSchedule => (record.put_effect(), ScheduleInput::Scheduled(record.created_at)),
            Work::DeleteSchedule => (Some(delete()), ScheduleInput::Unscheduled),
            _ => return Ok(()),
        };
        if let Some(effect) = effect {
            ports.outbox.post(&effect).await?;
        }
        committed = commit(ports, Seen::Stored(record), &done, (), until).await?;
        if committed.is_none() && work == Work::PutSchedule {
            ports.outbox.post(&delete()).await?;
        }
    }
    Ok(())
}

/// A run that a fire starts.
pub(crate) struct FiredRun {
    /// The run. Its id comes from the schedule's name and the scheduled time, so a fire that comes twice makes one run.
    pub new: NewRun,
    /// The body.
    pub body: Json,
    /// The record of a schedule that fires once.
    pub once: Option<ScheduleRecord>,
}

/// The run that a fire starts; `None` where it starts none.
///
/// # Errors
/// An error of the store.
pub(crate) async fn run_of_fire(
    ports: &Ports,
    entry: &TaskEntry,
    fire: Fire,
    deadline: Timestamp,
) -> PortResult<Option<FiredRun>> {
    if until(fire.time, ports.clock.now()) > limits::HISTORY {
        tracing::warn!(schedule = fire.schedule, time = %fire.time, "a fire older than the history is dropped");
        return Ok(None);
    }
    loop {
        let Some((schedule, body, mut seen)) = asked_for(ports, entry, &fire.schedule).await? else {
            tracing::warn!(schedule = fire.schedule, "a fire of a schedule that is no more is dropped");
            return Ok(None);
        };
        // The usual schedule: nothing is asked or kept of its fires.
        if schedule.overlap() == Overlap::Skip || seen.record().paused {
            match admit(ports, &fire, &schedule, seen, deadline).await? {
                Admission::Run(admitted) => seen = Seen::Stored(*admitted),
                Admission::NoRun => return Ok(None),
                Admission::AskAgain => continue,
            }
        }
        let new = fired_run(&fire.schedule, &entry.name, fire.time);
        let once = match seen {
            Seen::Stored(record) if record.put.is_some() && schedule.fires_once() => Some(record),
            _ => None,
        };
        return Ok(Some(FiredRun { new, body, once }));
    }
}

/// A schedule that fires once is deleted when its run is there.
///
/// # Errors
/// An error of the scheduler or of the store.
pub(crate) async fn delete_used(ports: &Ports, once: Option<ScheduleRecord>, until: Timestamp) -> PortResult<()> {
    let Some(record) = once else { return Ok(()) };
    let used = ScheduleInput::Used(record.created_at);
    let committed = commit(ports, Seen::Stored(record), &used, (), until).await?;
    ensure_scheduled(ports, committed, until).await
}

/// The schedule of this name and the body of its runs, as the code declares it, whatever its record holds, or else as a
/// program put it.
async fn asked_for(
    ports: &Ports,
    entry: &TaskEntry,
    name: &str,
) -> PortResult<Option<(Schedule, Json, Seen<ScheduleRecord>)>> {
    if let Some(declared) = entry.schedules.iter().find(|schedule| schedule.name == name) {
        let fresh = ScheduleRecord::fresh(name, &entry.name, ports.clock.now());
        let (seen, _) = load_or_replace(ports, fresh).await?;
        return Ok(Some((declared.schedule.clone(), declared.body.clone(), seen)));
    }
    let stored = load::<ScheduleRecord>(ports, &ScheduleRecord::key_of(name)).await?;
    let Some(Stored { record, mut payloads }) = stored.filter(|stored| !stored.record.is_deleted) else {
        return Ok(None);
    };
    let body = payloads.take(slot::BODY).unwrap_or_default();
    Ok(record.put.clone().map(|schedule| (schedule, body, Seen::Stored(record))))
}

/// The decision about a fire of a schedule that is paused, or skips while running.
enum Admission {
    Run(Box<ScheduleRecord>),
    NoRun,
    /// Another fire was faster: this one is judged by that one's run.
    AskAgain,
}

async fn admit(
    ports: &Ports,
    fire: &Fire,
    schedule: &Schedule,
    seen: Seen<ScheduleRecord>,
    deadline: Timestamp,
) -> PortResult<Admission> {
    let run = fire_id(&fire.schedule, fire.time);
    let last_run = seen.record().last_run;
    let is_there = load::<RunRecord>(ports, &RunRecord::key_of(run)).await?.is_some();
    let is_unfinished = match last_run {
        Some(last) => is_unfinished(ports, last).await?,
        None => false,
    };
    let (time, schedule) = (fire.time, schedule.clone());
    let input = ScheduleInput::Fired { time, run, schedule, is_there, last_run, is_unfinished };
    Ok(match commit(ports, seen, &input, (), deadline).await? {
        Some(fired) if fired.work == Some(Work::StartRun) => Admission::Run(Box::new(fired.record)),
        Some(fired) if fired.record.last_run != last_run => Admission::AskAgain,
        _ => Admission::NoRun,
    })
}

/// Says whether the run of an earlier fire is unfinished. One that has no record is still to be made, by its fire that
/// is on its way: a record lives at least as long as a fire may.
async fn is_unfinished(ports: &Ports, run: Id) -> PortResult<bool> {
    Ok(match load::<RunRecord>(ports, &RunRecord::key_of(run)).await? {
        Some(stored) => !stored.record.phase.is_final(),
        None => ports.clock.now() <= later(run.time(), limits::HISTORY),
    })
}
