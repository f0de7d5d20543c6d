//! What is true of Dacapo: names, times, retries, and the life of a run. No I/O, no clock, no async.
//!
//! The shell around it reads the clock, rolls the dice and moves the bytes; every decision is here.

mod cron;
mod delivery;
mod duration;
mod every;
mod failure;
mod fire;
mod id;
mod invocation;
mod json;
pub mod limits;
mod manifest;
mod message;
pub mod ms;
mod name;
mod outcome;
mod retry;
pub mod run;
mod schedule;
mod when;
mod zone;

pub use cron::{Cron, CronError, CronField, CronProblem};
pub use delivery::{Delivery, DeliveryEffect, DeliveryFacts, DeliveryState, EventPolicy};
pub use duration::{days, hours, minutes, seconds};
pub use every::{Every, EveryError, EveryProblem};
pub use failure::{Failure, code};
pub use fire::{Fires, Missed, Neighbours, SkipReason, SkippedFire, SkippedFires, fire_id};
pub use id::{Id, IdError, Moment, Version, hash128};
pub use invocation::{Crash, Invocation, Start};
pub use json::Json;
pub use manifest::{CONDUCTOR, FunctionEntry, Holds, Manifest, ManifestError, ScheduleEntry, Subscription, TaskEntry};
pub use message::{DeliveryMessage, Ended, EventMessage, Fire, Message, RunMessage};
pub use name::{
    NameError, check_event_name, check_stack, check_task_name, is_event_name, is_task_name, same_slug, slug,
};
pub use outcome::{Failed, Outcome, RetryWish, Wait};
pub use retry::{Retry, RetryError};
pub use run::{
    Answer, Decision, Driver, Effect, Event, ExecutionEnd, Facts, Lease, LoopCall, Need, NewRun, Policy, Progress,
    Purpose, Run, RunRecord, State, Trigger, decide,
};
pub use schedule::{AWS_SCHEDULED_TIME, Overlap, Schedule, ScheduleError, Timetable, at, aws_at, cron, every};
pub use when::{When, WhenError, WhenProblem};
pub use zone::{TimeZoneError, time_zone};

/// The time from one moment to a later one, and none to an earlier one.
#[must_use]
pub fn until(from: jiff::Timestamp, to: jiff::Timestamp) -> std::time::Duration {
    std::time::Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
