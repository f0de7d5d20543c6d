//! The truths of Dacapo: names, times, retries, and the life of every record. No I/O, no clock, no async.
//!
//! The shell around it reads the clock, rolls the dice and moves the bytes; every decision is here.

mod context;
mod cron;
mod deferred_event;
pub mod delivery;
mod diagram;
mod duration;
mod effect;
mod every;
mod id;
mod idempotency_key;
mod invocation;
mod json;
pub mod limits;
mod machine;
mod manifest;
mod message;
pub mod ms;
mod name;
mod outcome;
pub mod record;
mod recorded_error;
mod retry;
pub mod run;
pub mod schedule;
mod skip;
mod when;
mod zone;

pub use context::{DecisionContext, Version};
pub use cron::{Cron, CronError, CronField, CronProblem};
pub use deferred_event::{DeferredEvent, DeferredEventInput};
pub use delivery::{DeliveryFacts, DeliveryInput, DeliveryPhase, DeliveryRecord, HandlerFailure, Subscribed};
pub use duration::{days, hours, minutes, seconds};
pub use effect::Effect;
pub use every::{Every, EveryError, EveryProblem};
pub use id::{Id, IdError, hash128};
pub use idempotency_key::{IdempotencyKey, IdempotencyKeyInput};
pub use invocation::{CrashReport, Invocation, Start};
pub use json::Json;
pub use machine::{Change, Decision, Machine, Work};
pub use manifest::{
    CONDUCTOR, FormerTask, FunctionEntry, Holds, Manifest, ManifestError, ManifestInput, ManifestRecord, ScheduleEntry,
    Subscription, TaskEntry,
};
pub use message::{DeferredMessage, DeliveryMessage, EventMessage, ExecutionEnded, Fire, Message, RunMessage};
pub use name::{
    NameError, check_event_name, check_stack, check_task_name, is_event_name, is_task_name, same_slug, slug,
};
pub use outcome::{AttemptError, AttemptOutcome, RetryHint, Wait};
pub use record::{
    Claim, Created, Header, Index, IndexEntry, LogLine, Page, Payload, Payloads, Query, RecordKey, Saved, StoredRecord,
    Write, slot, sort_time,
};
pub use recorded_error::{RecordedError, code};
pub use retry::{Retry, RetryError};
pub use run::{
    FinalState, Input, Invoker, Lease, NewRun, Phase, Policy, Progress, Purpose, RunRecord, RunView, State, Task,
    Trigger, WaitLoopAnswer, WaitLoopCall,
};
pub use schedule::{
    AWS_SCHEDULED_TIME, AdjacentFires, DueFires, FireTimes, MissedFires, Overlap, Recurrence, Schedule, ScheduleError,
    ScheduleInput, SchedulePut, ScheduleRecord, SkipReason, SkippedFire, SkippedFires, at, aws_at, cron, every,
    fire_id,
};
pub use when::{When, WhenError, WhenProblem};
pub use zone::{TimeZoneError, time_zone};

/// The time from one moment to a later one, and none to an earlier one.
#[must_use]
pub fn until(from: jiff::Timestamp, to: jiff::Timestamp) -> std::time::Duration {
    std::time::Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
