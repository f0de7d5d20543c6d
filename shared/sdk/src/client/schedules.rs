//! Schedules: declared ones, and those made at run time.

use dacapo_domain::{Fires, Json, Manifest, Schedule, SkippedFires, Timetable, slug};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Client,
    known::suggestion,
    run::{too_large, unserializable},
};
use crate::{
    Error, ErrorKind, TaskRef,
    port::{ScheduleItem, SchedulePut},
};

/// Characters of a schedule's name, at most.
const NAME_CHARS: usize = 128;
/// Fires that a schedule's state tells.
const NEXT: usize = 5;

/// What a program does with schedules.
pub struct ScheduleClient {
    client: Client,
}

/// A schedule as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleState {
    /// Its name, unique in the app.
    pub name: String,
    /// The task it starts.
    pub task: String,
    /// When it fires.
    pub schedule: Schedule,
    /// What its runs are started with.
    pub body: Json,
    /// Whether the task's code declares it; else it was made at run time.
    pub declared: bool,
    /// Whether it is paused.
    pub paused: bool,
    /// When it was made: `every` counts from here.
    pub created_at: Timestamp,
    /// Its next five fires; none while it is paused.
    pub next: Vec<Timestamp>,
    /// Fires that made no run, and why: the last 100.
    pub skipped: SkippedFires,
}

impl ScheduleClient {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Creates a schedule, or replaces the one of this name. Putting the same again changes nothing.
    ///
    /// # Errors
    /// `Usage` for a schedule that is refused, `Refused` for the name of a declared one.
    pub async fn put<I, O>(
        &self,
        name: &str,
        task: TaskRef<I, O>,
        schedule: Schedule,
        body: I,
    ) -> Result<ScheduleState, Error> {
        let body = task.input.encode(&body).map_err(|error| unserializable(&error))?;
        self.store(name, task.name(), schedule, body).await
    }

    /// The same for a task by its name.
    ///
    /// # Errors
    /// As [`put`](Self::put), and `NotFound` or `Refused` for a task that is unknown or private.
    pub async fn put_by_name(
        &self,
        name: &str,
        task: &str,
        schedule: Schedule,
        body: Json,
    ) -> Result<ScheduleState, Error> {
        if self.client.task_by_name(task).await?.private {
            let text = format!("schedule task {task:?} by name: it is private");
            return Err(Error::new(ErrorKind::Refused, text));
        }
        self.store(name, task, schedule, body).await
    }

    async fn store(&self, name: &str, task: &str, schedule: Schedule, body: Json) -> Result<ScheduleState, Error> {
        check_name(name)?;
        too_large("a schedule's body", body.bytes())?;
        let ports = self.client.ports();
        let now = ports.clock.now();
        let timetable = schedule.check().map_err(Error::usage)?;
        timetable.since(now).map_err(Error::usage)?;
        if self.client.manifest().await?.schedule(name).is_some() {
            let text =
                format!("put schedule {name:?}: it is declared in code (choose another name, or change the code)");
            return Err(Error::new(ErrorKind::Refused, text));
        }
        loop {
            let kept = ports.store.schedule(name).await?;
            let former = kept.as_ref().and_then(|kept| kept.put.as_ref());
            let same_rhythm = former.is_some_and(|former| former.schedule == schedule)
                && kept.as_ref().is_some_and(|kept| kept.task == task);
            let put = SchedulePut { schedule: schedule.clone(), body: body.clone() };
            if let Some(kept) = kept.as_ref().filter(|kept| same_rhythm && kept.put.as_ref() == Some(&put)) {
                return state(kept, None, now);
            }
            if !same_rhythm {
                // A replaced `every` fires at once and counts anew, so only another rhythm replaces it.
                ports.schedules.put(name, &slug(task), &absolute(&schedule, &timetable, now)?).await?;
            }
            let mut next = kept.clone().unwrap_or_else(|| ScheduleItem::of(name, task, now));
            next.version = ports.clock.moment().version();
            task.clone_into(&mut next.task);
            next.put = Some(SchedulePut { schedule: absolute(&schedule, &timetable, now)?, body: body.clone() });
            if !same_rhythm {
                next.created_at = now;
            }
            if ports.store.save_schedule(kept.as_ref(), &next).await? {
                return state(&next, None, now);
            }
        }
    }

    /// A schedule as it stands.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name.
    pub async fn get(&self, name: &str) -> Result<ScheduleState, Error> {
        let manifest = self.client.manifest().await?;
        let kept = self.client.ports().store.schedule(name).await?;
        match self.found(&manifest, name, kept.as_ref())? {
            Some(state) => Ok(state),
            None => Err(self.missing(&manifest, name).await?),
        }
    }

    /// All schedules, by name.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self) -> Result<Vec<ScheduleState>, Error> {
        let manifest = self.client.manifest().await?;
        let kept = self.client.ports().store.schedules().await?;
        let mut names: Vec<&str> = kept.iter().filter(|kept| kept.put.is_some()).map(|kept| &*kept.name).collect();
        names.extend(manifest.tasks().flat_map(|(_, task)| &task.schedules).map(|schedule| &*schedule.name));
        names.sort_unstable();
        names.dedup();
        let state = |name| self.found(&manifest, name, kept.iter().find(|kept| kept.name == name)).transpose();
        names.into_iter().filter_map(state).collect()
    }

    /// The next fires of a schedule, whether it is paused or not.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name.
    pub async fn upcoming(&self, name: &str, count: usize) -> Result<Vec<Timestamp>, Error> {
        let state = self.get(name).await?;
        let fires = state.schedule.check().and_then(|timetable| timetable.since(state.created_at));
        let fires = fires.map_err(Error::usage)?;
        Ok(fires.after(self.client.ports().clock.now()).take(count).collect())
    }

    /// Pauses a schedule: its fires make no run. A deploy doesn't resume it.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name.
    pub async fn pause(&self, name: &str) -> Result<ScheduleState, Error> {
        self.set_paused(name, true).await
    }

    /// Resumes a paused schedule. Fires that it missed are not made up for.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name.
    pub async fn resume(&self, name: &str) -> Result<ScheduleState, Error> {
        self.set_paused(name, false).await
    }

    async fn set_paused(&self, name: &str, paused: bool) -> Result<ScheduleState, Error> {
        let ports = self.client.ports();
        loop {
            let state = self.get(name).await?;
            let kept = ports.store.schedule(name).await?;
            if state.paused == paused {
                return Ok(state);
            }
            let mut next = kept.clone().unwrap_or_else(|| ScheduleItem::of(name, &state.task, state.created_at));
            next.version = ports.clock.moment().version();
            next.paused = paused;
            if ports.store.save_schedule(kept.as_ref(), &next).await? {
                return self.get(name).await;
            }
        }
    }

    /// Deletes a schedule that was made at run time.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name, `Refused` for a declared one.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        if self.get(name).await?.declared {
            let text =
                format!("delete schedule {name:?}: it is declared in code (remove it there and deploy, or pause it)");
            return Err(Error::new(ErrorKind::Refused, text));
        }
        let ports = self.client.ports();
        ports.schedules.delete(name).await?;
        ports.store.delete_schedule(name).await?;
        Ok(())
    }

    fn found(
        &self,
        manifest: &Manifest,
        name: &str,
        kept: Option<&ScheduleItem>,
    ) -> Result<Option<ScheduleState>, Error> {
        let now = self.client.ports().clock.now();
        if let Some((_, task, declared)) = manifest.schedule(name) {
            let made = Timestamp::from_millisecond(manifest.made_ms).ok().filter(|_| manifest.made_ms > 0);
            let kept = kept.cloned().unwrap_or_else(|| ScheduleItem::of(name, &task.name, made.unwrap_or(now)));
            let put = SchedulePut { schedule: declared.schedule.clone(), body: declared.body.clone() };
            return state(&kept, Some(put), now).map(Some);
        }
        match kept {
            Some(kept) if kept.put.is_some() => state(kept, None, now).map(Some),
            _ => Ok(None),
        }
    }

    async fn missing(&self, manifest: &Manifest, name: &str) -> Result<Error, Error> {
        let kept = self.client.ports().store.schedules().await?;
        let mut known: Vec<&str> = kept.iter().filter(|kept| kept.put.is_some()).map(|kept| &*kept.name).collect();
        known.extend(manifest.tasks().flat_map(|(_, task)| &task.schedules).map(|schedule| &*schedule.name));
        Ok(Error::new(ErrorKind::NotFound, format!("find a schedule named {name:?}{}", suggestion(name, &known))))
    }
}

/// A schedule's state, from what the table keeps of it and, for a declared one, what the code says.
fn state(kept: &ScheduleItem, declared: Option<SchedulePut>, now: Timestamp) -> Result<ScheduleState, Error> {
    let is_declared = declared.is_some();
    let put = declared.or_else(|| kept.put.clone());
    let Some(SchedulePut { schedule, body }) = put else {
        return Err(Error::new(ErrorKind::NotFound, format!("read schedule {:?}: it has no rule", kept.name)));
    };
    let next = if kept.paused { vec![] } else { next_fires(&schedule, kept.created_at, now) };
    Ok(ScheduleState {
        name: kept.name.clone(),
        task: kept.task.clone(),
        schedule,
        body,
        declared: is_declared,
        paused: kept.paused,
        created_at: kept.created_at,
        next,
        skipped: kept.skipped.clone(),
    })
}

/// The next five; none of a schedule that is over.
fn next_fires(schedule: &Schedule, created: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    let fires: Option<Fires> = schedule.check().and_then(|timetable| timetable.since(created)).ok();
    fires.map(|fires| fires.after(now).take(NEXT).collect()).unwrap_or_default()
}

/// A schedule that fires once is kept with its time, so that "in an hour" stays the same hour.
fn absolute(schedule: &Schedule, timetable: &Timetable, now: Timestamp) -> Result<Schedule, Error> {
    match timetable {
        Timetable::At(when) => Ok(dacapo_domain::at(when.resolve(now).map_err(Error::usage)?)),
        _ => Ok(schedule.clone()),
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let chars = name.chars().count();
    if (1..=NAME_CHARS).contains(&chars) {
        return Ok(());
    }
    let text = format!("use a schedule's name of {chars} characters (allowed: 1 to {NAME_CHARS})");
    Err(Error::new(ErrorKind::Usage, text))
}
