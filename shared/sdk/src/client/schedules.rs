//! Schedules: declared ones, and those made at run time.

use std::collections::BTreeMap;

use dacapo_core::{
    commit::{PATIENCE, Seen, Stored, commit, load, read_record},
    ensure_scheduled,
};
use dacapo_domain::{
    FireTimes, Index, Json, Manifest, Payloads, Query, Recurrence, Schedule, ScheduleInput, SchedulePut,
    ScheduleRecord, SkippedFires, TaskEntry, fired_run_bytes, limits, slot,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Client,
    check::{check_body, unserializable},
    suggestion,
};
use crate::{Error, ErrorKind, TaskRef};

/// Characters of a schedule's name, at most.
const NAME_CHARS: usize = 128;
/// Records of one read.
const PAGE: usize = 1_000;
/// Fires that are told at once, at most.
const UPCOMING: usize = 1_000;
/// Fires that a schedule's state tells.
const NEXT: usize = 5;

/// The schedules of an app, as a program uses them.
pub struct ScheduleClient {
    client: Client,
}

/// A schedule as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleState {
    /// The name, unique in the app.
    pub name: String,
    /// The task it starts.
    pub task: String,
    /// The times of its fires.
    pub schedule: Schedule,
    /// The body of its runs.
    pub body: Json,
    /// Is true where the task's code declares it; else it was made at run time.
    pub declared: bool,
    /// Is true while it is paused.
    pub paused: bool,
    /// The time at which it was made: `every` counts from here.
    pub created_at: Timestamp,
    /// The next five fires; none while it is paused.
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
    /// `Usage` for a schedule that is refused, or a body that its runs could not be started with, `Refused` for the name
    /// of a declared one, `NotFound` for a task that isn't deployed.
    pub async fn put<I, O>(
        &self,
        name: &str,
        task: TaskRef<I, O>,
        schedule: Schedule,
        body: I,
    ) -> Result<ScheduleState, Error> {
        let body = task.input.encode(&body).map_err(|error| unserializable("the body", &error))?;
        self.store(name, task.name(), schedule, body).await
    }

    /// The same for a task by its name.
    ///
    /// # Errors
    /// As [`put`](Self::put), and `Refused` for a task that is private.
    pub async fn put_by_name(
        &self,
        name: &str,
        task: &str,
        schedule: Schedule,
        body: Json,
    ) -> Result<ScheduleState, Error> {
        if self.client.task_by_name(task).await?.private {
            let text = format!("schedule task {task:?} by name: it is private ({})", TaskEntry::PRIVATE_REMEDY);
            return Err(Error::new(ErrorKind::Refused, text));
        }
        self.store(name, task, schedule, body).await
    }

    async fn store(&self, name: &str, task: &str, schedule: Schedule, body: Json) -> Result<ScheduleState, Error> {
        check_name(name)?;
        check_body("the body", &body)?;
        let ports = self.client.ports();
        ports.clock.synchronize().await?;
        let now = ports.clock.now();
        let recurrence = schedule.check().map_err(Error::usage)?;
        recurrence.since(now).map_err(Error::usage)?;
        self.client.task_by_name(task).await?;
        let bytes = fired_run_bytes(name, task, &body);
        limits::check_bytes("a schedule's run", bytes, limits::MESSAGE_BYTES).map_err(Error::usage)?;
        if self.client.manifest().await?.schedule(name).is_some() {
            let text =
                format!("put schedule {name:?}: it is declared in code (choose another name, or change the code)");
            return Err(Error::new(ErrorKind::Refused, text));
        }
        let stored = self.stored(name).await?;
        let fresh = || Seen::Fresh(ScheduleRecord::fresh(name, task, now), Payloads::none());
        let put = SchedulePut { task: task.to_owned(), schedule: absolute(&schedule, &recurrence, now)?, body };
        let input = ScheduleInput::Put(put);
        let committed = commit(ports, stored.map_or_else(fresh, Seen::from), &input, (), now + PATIENCE).await?;
        ensure_scheduled(ports, committed, now + PATIENCE).await?;
        self.get(name).await
    }

    /// A schedule as it stands.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name.
    pub async fn get(&self, name: &str) -> Result<ScheduleState, Error> {
        let manifest = self.client.manifest().await?;
        match self.found(&manifest, name, self.stored(name).await?)? {
            Some(state) => Ok(state),
            None => Err(self.missing(&manifest, name).await?),
        }
    }

    /// All schedules, by name.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn list(&self) -> Result<Vec<ScheduleState>, Error> {
        let manifest = self.client.manifest().await?;
        let mut stored = self.all().await?;
        for declared in manifest.tasks().flat_map(|(_, task)| &task.schedules) {
            stored.entry(declared.name.clone()).or_default();
        }
        let state = |(name, stored): (String, Option<_>)| self.found(&manifest, &name, stored).transpose();
        stored.into_iter().filter_map(state).collect()
    }

    /// The records of all schedules, by name.
    async fn all(&self) -> Result<BTreeMap<String, Option<Stored<ScheduleRecord>>>, Error> {
        let partitions = vec![ScheduleRecord::PARTITION.to_owned()];
        let mut query =
            Query { index: Index::List, partitions, from: None, below: None, descending: false, limit: PAGE };
        let mut all = BTreeMap::new();
        loop {
            let page = self.client.ports().records.query(&query).await?;
            for dacapo_domain::Unreadable { key, problem, .. } in page.unreadable {
                tracing::warn!(record = key, problem, "a schedule is left out of the list");
            }
            for stored in page.records {
                let (key, is_partial) = (stored.header.key.clone(), stored.payloads.is_partial());
                match read_record::<ScheduleRecord>(stored) {
                    Ok(_) if is_partial => {
                        let whole = load::<ScheduleRecord>(self.client.ports(), &key).await?;
                        all.extend(whole.map(|stored| (stored.record.name.clone(), Some(stored))));
                    }
                    Ok(stored) => drop(all.insert(stored.record.name.clone(), Some(stored))),
                    Err(error) => tracing::warn!(%error, "a schedule is left out of the list"),
                }
            }
            let Some(last) = page.last else { return Ok(all) };
            query = query.after(last);
        }
    }

    async fn stored(&self, name: &str) -> Result<Option<Stored<ScheduleRecord>>, Error> {
        Ok(load(self.client.ports(), &ScheduleRecord::key_of(name)).await?)
    }

    /// The next fires of a schedule, whether it is paused or not.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name, `Usage` for more than 1,000.
    pub async fn upcoming(&self, name: &str, count: usize) -> Result<Vec<Timestamp>, Error> {
        if count > UPCOMING {
            let text = format!("tell the next {count} fires of schedule {name:?} (allowed: up to {UPCOMING})");
            return Err(Error::new(ErrorKind::Usage, text));
        }
        let state = self.get(name).await?;
        let fires = state.schedule.check().and_then(|recurrence| recurrence.since(state.created_at));
        let fires = fires.map_err(Error::usage)?;
        Ok(fires.after(self.client.ports().clock.now()).take(count).collect())
    }

    /// Pauses a schedule: its fires make no run. A deploy doesn't resume it.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name.
    pub async fn pause(&self, name: &str) -> Result<ScheduleState, Error> {
        self.change(name, ScheduleInput::Paused).await
    }

    /// Resumes a paused schedule. Fires that it missed are not made up for.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name.
    pub async fn resume(&self, name: &str) -> Result<ScheduleState, Error> {
        self.change(name, ScheduleInput::Resumed).await
    }

    async fn change(&self, name: &str, input: ScheduleInput) -> Result<ScheduleState, Error> {
        let (ports, state) = (self.client.ports(), self.get(name).await?);
        let fresh = || Seen::Fresh(ScheduleRecord::fresh(name, &state.task, state.created_at), Payloads::none());
        let seen = self.stored(name).await?.map_or_else(fresh, Seen::from);
        commit(ports, seen, &input, (), ports.clock.now() + PATIENCE).await?;
        self.get(name).await
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
        let Some(stored) = self.stored(name).await? else { return Ok(()) };
        let until = ports.clock.now() + PATIENCE;
        let committed = commit(ports, stored, &ScheduleInput::Deleted, (), until).await?;
        Ok(ensure_scheduled(ports, committed, until).await?)
    }

    fn found(
        &self,
        manifest: &Manifest,
        name: &str,
        stored: Option<Stored<ScheduleRecord>>,
    ) -> Result<Option<ScheduleState>, Error> {
        let now = self.client.ports().clock.now();
        let (record, mut payloads) = stored.map(|stored| (stored.record, stored.payloads)).unzip();
        if let Some((_, task, declared)) = manifest.schedule(name) {
            let made = Timestamp::from_millisecond(manifest.made_ms).ok().filter(|_| manifest.made_ms > 0);
            let record = record.unwrap_or_else(|| ScheduleRecord::fresh(name, &task.name, made.unwrap_or(now)));
            return Ok(Some(state(record, true, declared.schedule.clone(), declared.body.clone(), now)));
        }
        let body = payloads.as_mut().and_then(|payloads| payloads.take(slot::BODY)).unwrap_or_default();
        let put = record.filter(|record| !record.is_deleted).and_then(|record| Some((record.put.clone()?, record)));
        Ok(put.map(|(schedule, record)| state(record, false, schedule, body, now)))
    }

    async fn missing(&self, manifest: &Manifest, name: &str) -> Result<Error, Error> {
        let all = self.all().await?;
        let put = |stored: &&Stored<ScheduleRecord>| stored.record.put.is_some() && !stored.record.is_deleted;
        let mut known: Vec<&str> = all.values().flatten().filter(put).map(|stored| &*stored.record.name).collect();
        known.extend(manifest.tasks().flat_map(|(_, task)| &task.schedules).map(|schedule| &*schedule.name));
        Ok(Error::new(ErrorKind::NotFound, format!("find a schedule named {name:?}{}", suggestion(name, &known))))
    }
}

/// A schedule's state: what the table keeps of it, and when it fires with what, as the code or a program says.
fn state(record: ScheduleRecord, declared: bool, schedule: Schedule, body: Json, now: Timestamp) -> ScheduleState {
    let next = if record.paused { vec![] } else { next_fires(&schedule, record.created_at, now) };
    let ScheduleRecord { name, task, paused, created_at, skipped, .. } = record;
    ScheduleState { name, task, schedule, body, declared, paused, created_at, next, skipped }
}

/// The next five; none of a schedule that is over.
fn next_fires(schedule: &Schedule, created: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    let fires: Option<FireTimes> = schedule.check().and_then(|recurrence| recurrence.since(created)).ok();
    fires.map(|fires| fires.after(now).take(NEXT).collect()).unwrap_or_default()
}

/// A schedule that fires once is kept with its time, so that "in an hour" stays the same hour.
fn absolute(schedule: &Schedule, recurrence: &Recurrence, now: Timestamp) -> Result<Schedule, Error> {
    match recurrence {
        Recurrence::At(when) => Ok(dacapo_domain::at(when.resolve(now).map_err(Error::usage)?)),
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
