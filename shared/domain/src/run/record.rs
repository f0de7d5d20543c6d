//! What is stored of a run, its payloads apart.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Decision, Effect, State, due_look};
use crate::{Failure, Id, Moment, Version, limits};

/// The record of a run. Its body, inputs, result and logs are stored beside it, not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The execution id.
    pub id: Id,
    /// The task's name.
    pub name: String,
    /// Names the last write.
    pub version: Version,
    /// Where the run stands.
    pub state: State,
    /// What started it.
    pub trigger: Trigger,
    /// The run that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Id>,
    /// Hops of the chain of runs and events that leads here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hops: u32,
    /// What it can be found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The schedule that fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the next attempt or iteration is due. No handler starts before.
    pub due_at: Timestamp,
    /// The time asked for, where it was later than the creation; of a schedule's run the time it fired for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<Timestamp>,
    /// When the current iteration was first due, where it is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration_at: Option<Timestamp>,
    /// When its first attempt started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it became final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Not started by then, it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The iteration that runs or comes next, from 1.
    pub iteration: u32,
    /// The attempt at it, from 1.
    pub attempt: u32,
    /// Counts changes of body or due time before the start; older messages are dropped.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revision: u32,
    /// Who calls the handler.
    #[serde(default, skip_serializing_if = "Driver::is_queue")]
    pub driver: Driver,
    /// The loop's generation: 0 before the first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub generation: u32,
    /// The name of the loop's execution, where it is not made of run and generation (a direct start).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// Who may write the outcome of the attempt that executes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Somebody asked to abort the run while an attempt executed: the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort: Option<String>,
    /// Time spent in handlers so far, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero_ms")]
    pub handler_ms: u64,
    /// The last progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Why the last attempt failed, or the run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// The message of `Done` or of an abort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why the result was left out: its size in bytes, or that it can't be serialized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_left_out: Option<String>,
    /// When the conductor should look at the record: never later than it could need repair, plus a grace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_at: Option<Timestamp>,
    /// Looks in a row that found the queue busy.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub looks: u32,
    /// The end's hooks are still to run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owes: bool,
    /// When the record may be deleted, in Unix seconds, as DynamoDB's TTL wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<i64>,
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A client.
    Run,
    /// A schedule.
    Schedule,
    /// An event handler.
    Event,
    /// Another task.
    Child,
    /// A replay of an earlier run.
    Replay,
    /// A direct invocation of the Lambda, or a direct start of the loop.
    Direct,
}

/// Who calls the handler of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// Messages in its function's queue.
    #[default]
    Queue,
    /// The Step Functions execution of the record's generation.
    Loop,
}

impl Driver {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_queue(&self) -> bool {
        *self == Self::Queue
    }
}

/// The right to write an attempt's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// The version that the taking write left: it names the attempt's owner.
    pub token: Version,
    /// When the attempt started.
    pub since: Timestamp,
    /// When it ends: an ended lease means a dead attempt.
    pub until: Timestamp,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What the handler says.
    pub message: String,
    /// 0 to 1.
    pub fraction: f64,
}

/// What a message is for. One that doesn't match the record is acknowledged and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// The iteration it calls for.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
    /// The loop generation that was current.
    pub generation: u32,
    /// The revision of body and due time.
    pub revision: u32,
}

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its id.
    pub id: Id,
    /// The task's name.
    pub name: String,
    /// When it is due; now or earlier means at once.
    pub due_at: Timestamp,
    /// What starts it.
    pub trigger: Trigger,
    /// The run that starts it.
    pub parent_id: Option<Id>,
    /// Hops of the chain of runs and events that leads here.
    pub hops: u32,
    /// What it can be found by.
    pub tags: Vec<String>,
    /// Its idempotency key.
    pub key: Option<String>,
    /// The schedule that fired.
    pub schedule: Option<String>,
    /// How long after its due time it may start.
    pub ttl: Option<Duration>,
    /// The execution that drives it from its beginning: a direct start of the loop.
    pub execution: Option<String>,
}

impl Run {
    /// A new run and what carries it to its function. The effects follow once the record is stored.
    #[must_use]
    pub fn create(new: NewRun, moment: &Moment) -> Decision {
        let now = moment.now;
        let due_at = new.due_at.max(now);
        let later = due_at > now;
        let mut run = Self {
            id: new.id,
            name: new.name,
            version: moment.version(),
            state: if later { State::Scheduled } else { State::Submitted },
            trigger: new.trigger,
            parent_id: new.parent_id,
            hops: new.hops,
            tags: new.tags,
            key: new.key,
            created_at: now,
            due_at,
            scheduled_at: (later || new.schedule.is_some()).then_some(new.due_at),
            iteration_at: None,
            schedule: new.schedule,
            started_at: None,
            ended_at: None,
            expires_at: new.ttl.map(|ttl| due_at.saturating_add(ttl).unwrap_or(Timestamp::MAX)),
            iteration: 1,
            attempt: 1,
            revision: 0,
            driver: if new.execution.is_some() { Driver::Loop } else { Driver::Queue },
            generation: u32::from(new.execution.is_some()),
            execution: new.execution,
            lease: None,
            abort: None,
            handler_ms: 0,
            progress: None,
            error: None,
            message: None,
            result_left_out: None,
            watch_at: None,
            looks: 0,
            owes: false,
            ttl: None,
        };
        run.watch_at = due_look(&run, now);
        let effects = match run.driver {
            Driver::Queue => vec![Effect::carry(due_at, now)],
            Driver::Loop => vec![],
        };
        Decision { run, write: true, input: None, result: None, effects }
    }

    /// What a message about the record as it is now would be for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        Purpose {
            iteration: self.iteration,
            attempt: self.attempt,
            generation: self.generation,
            revision: self.revision,
        }
    }

    /// Whether an attempt executes, or its process died and the lease has not ended yet.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|lease| now < lease.until)
    }

    /// Whether a one-time schedule, not a message, brings it to its function.
    #[must_use]
    pub fn is_carried_by_schedule(&self, now: Timestamp) -> bool {
        self.driver == Driver::Queue && crate::until(now, self.due_at) > limits::MAX_QUEUE_DELAY
    }

    /// Whether the record has expired although the store may not have deleted it yet.
    #[must_use]
    pub fn is_gone(&self, now: Timestamp) -> bool {
        self.ttl.is_some_and(|ttl| ttl <= now.as_second())
    }

    /// The name of the execution that drives the run in its current generation.
    #[must_use]
    pub fn execution_name(&self) -> String {
        self.execution.clone().unwrap_or_else(|| format!("{}-{}", self.id, self.generation))
    }

    /// The state as it is told: becoming due writes nothing, so a scheduled run is `submitted` from its time on.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.state == State::Scheduled && self.due_at <= now { State::Submitted } else { self.state }
    }

    /// When the run first became due, if it has.
    #[must_use]
    pub fn submitted_at(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.scheduled_at.unwrap_or(self.created_at);
        (due <= now && self.state != State::Created).then_some(due)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero_ms(number: &u64) -> bool {
    *number == 0
}
