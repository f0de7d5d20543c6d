//! Work that is due, the fires of schedules first, taken from the database as far as there is room for it.

use std::borrow::Cow;

use dacapo_core::{
    commit::{PATIENCE, Seen, commit, load, load_or_replace},
    port::PortResult,
};
use dacapo_domain::{CONDUCTOR, DueFires, ScheduleInput, ScheduleRecord};
use jiff::Timestamp;

use super::{Engine, engine::earlier};
use crate::sqlite::{APP_DLQ, DueExecution, DueSchedule, ReceivedMessage, Rooms};

/// The beginning of a name that no queue has.
pub(super) const WAIT_LOOPS: &str = "loop/1 ";

/// Something to be done at once, by itself: it was taken, and nothing else gets it.
#[derive(Debug)]
pub enum Work {
    /// Messages of a queue, for one invocation.
    Messages {
        /// The queue: a function's, the conductor's, or the app's dead-letter queue.
        queue: String,
        /// The messages.
        batch: Vec<ReceivedMessage>,
    },
    /// An execution of a wait loop whose wait is over.
    Execution(DueExecution),
    /// The conductor's sweep of what is overdue.
    Sweep,
}

impl Work {
    /// The name of the room that it takes.
    #[must_use]
    pub fn room(&self) -> Cow<'_, str> {
        match self {
            Self::Messages { queue, .. } => queue.into(),
            Self::Execution(due) => wait_loops_of(&due.function).into(),
            Self::Sweep => CONDUCTOR.into(),
        }
    }
}

/// Names the room for the wait loops that call a function, where queues are named by their functions.
pub(super) fn wait_loops_of(function: &str) -> String {
    format!("{WAIT_LOOPS}{function}")
}

/// The work that was taken, and the time of the next.
#[derive(Debug)]
pub struct Turn {
    /// The work that was due and found room.
    pub work: Vec<Work>,
    /// The next time at which there is something to do, the past if something found no room; `None` if there never is.
    pub next: Option<Timestamp>,
}

impl Engine {
    /// Takes what is due now. `room` says of each room how many more invocations it takes.
    ///
    /// # Errors
    /// If the database can't be used; what was taken comes back when its visibility ends.
    pub async fn take(&self, room: impl Fn(&str) -> usize) -> PortResult<Turn> {
        let app = self.app();
        let queues = app.functions.keys().map(String::as_str).chain([CONDUCTOR, APP_DLQ]);
        let messages = |queue: &str| count(room(queue)).saturating_mul(app.batch_size(queue));
        let executions = app.functions.keys().map(|name| (name.clone(), count(room(&wait_loops_of(name)))));
        let rooms = Rooms {
            messages: queues.map(|queue| (queue.to_owned(), messages(queue))).collect(),
            executions: executions.collect(),
            orphans: count(room(CONDUCTOR)), // It is told of each.
        };
        let (now, due) = loop {
            let now = self.clock.now();
            let due = self.database.take_due(rooms.clone()).await?;
            due.unreadable.iter().for_each(|text| self.note(text.clone()));
            if due.schedules.is_empty() {
                break (now, due);
            }
            self.fire(due.schedules).await?;
        };
        let is_late = due.next.is_some_and(|next| next <= now);
        for (queue, room) in &rooms.messages {
            let taken = due.messages.iter().find(|(name, _)| name == queue).map_or(0, |(_, messages)| messages.len());
            self.admission.took(queue, taken, is_late && taken >= *room as usize);
        }
        let mut work = vec![];
        for (queue, messages) in due.messages {
            let batches = messages.chunks(app.batch_size(&queue) as usize);
            work.extend(batches.map(|batch| Work::Messages { queue: queue.clone(), batch: batch.to_vec() }));
        }
        work.extend(due.executions.into_iter().map(Work::Execution));
        let mut sweep = due.reconcile.map(|at| self.sweeps_at(at));
        if room(CONDUCTOR) > 0 && sweep.is_some_and(|at| at <= self.clock.now()) {
            self.has_swept();
            sweep = due.reconcile.map(|at| self.sweeps_at(at));
            work.push(Work::Sweep);
        }
        Ok(Turn { work, next: earlier(due.next, sweep) })
    }

    /// Fires schedules whose time has come.
    async fn fire(&self, due: Vec<DueSchedule>) -> PortResult<()> {
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
            if is_as_given
                && !plan.missed.is_empty()
                && let Err(error) = self.remember(&due, plan).await
            {
                self.note(format!("what schedule {} missed can't be kept with it: {error}", due.name));
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

        let (app, ports, now) = (self.app(), self.database.ports(), self.clock.now());
        let seen = match app.manifest.schedule(name) {
            Some((_, task, _)) => load_or_replace(&ports, ScheduleRecord::fresh(name, &task.name, now)).await?.0,
            None => match load::<ScheduleRecord>(&ports, &ScheduleRecord::key_of(name)).await? {
                Some(stored) => Seen::from(stored),
                None => return Ok(()), // Deleted meanwhile.
            },
        };
        commit(&ports, seen, &ScheduleInput::Missed(missed), (), now + PATIENCE).await?;
        Ok(())
    }
}

fn count(permits: usize) -> u32 {
    u32::try_from(permits).unwrap_or(u32::MAX)
}
