//! The truths of Dacapo: names, times, retries, and the life of every record. No I/O, no clock, no async.
//!
//! The shell around it reads the clock, rolls the dice and moves the bytes; every decision is here.

mod bulk;
mod child;
pub mod code;
mod cron;
mod debounce;
mod deferred_event;
pub mod delivery;
mod diagram;
mod effect;
mod every;
mod filter;
mod health;
mod idempotency_key;
mod join;
mod json;
mod lifecycle;
pub mod limits;
mod machine;
mod manifest;
mod measure;
mod merge_patch;
mod message;
mod name;
mod outcome;
mod outside;
pub mod permit;
mod price;
pub mod record;
mod retry;
pub mod run;
pub mod schedule;
mod stamp;
mod step;
mod text;
mod time;
mod token;
mod trace;
mod when;

pub use bulk::{Bulk, BulkAction, BulkPage, BulkTally};
pub use child::{Child, ChildrenError};
pub use cron::{Cron, CronError, CronField, CronProblem};
pub use debounce::{Debounce, DebounceError, Edge};
pub use deferred_event::{DeferredEvent, DeferredEventInput};
pub use delivery::{
    DeliveryFacts, DeliveryInput, DeliveryPhase, DeliveryRecord, DeliveryState, DeliveryStateError, DeliveryView,
    HandlerFailure, HandlerRecord, HandlerState, Subscribed,
};
pub use effect::{Effect, TIMERS};
pub use every::{Every, EveryError, EveryProblem};
pub use filter::{DeliveryFilter, FilterError, List, ListFilter};
pub use health::{Finding, Health, HealthFacts, TaskHealth};
pub use idempotency_key::{IdempotencyKey, IdempotencyKeyInput};
pub use join::{Gathering, Join, JoinRecord, Waiter, WaiterError};
pub use json::{Json, UnreadableJson};
pub use lifecycle::{LifecycleEvent, LifecycleEventError};
pub use machine::{Change, Decision, DecisionContext, Machine, Work};
pub use manifest::{
    APP_DLQ, FileSystem, FormerTask, FunctionEntry, Holds, Manifest, ManifestError, ManifestInput, ManifestRecord,
    ManifestTooLarge, Queue, Requirements, Right, ScheduleEntry, SecretSource, Sends, Subscription, TaskEntry, Vpc,
    function_dlq, ssm,
};
pub use measure::{Measured, Metric};
pub use merge_patch::{MergeError, merge_patch};
pub use message::{
    CrashReport, DeferredMessage, DeliveryMessage, EventMessage, ExecutionEnded, Fire, Invocation, Message,
    PoolMessage, RunMessage, Start, chosen_event_id,
};
pub use name::{
    BULK, CONDUCTOR, Id, IdError, NameError, check_event_name, check_stack, check_step_name, check_task_name,
    check_token_name, hash128, is_event_name, is_task_name, same_slug, slug,
};
pub use outcome::{AttemptError, AttemptOutcome, RecordedError, RetryHint, Wait};
pub use outside::{Outside, OutsideError, Sent};
pub use permit::{
    Holder, Limit, Limits, PausedQueues, PoolId, PoolInput, PoolRecord, QueuePaused, Rate, Released, TicketRecord,
};
pub use price::{PRICES_OF, Usage};
pub use record::{
    Claim, Created, Cursor, CursorError, Header, Index, IndexEntry, LogLine, OwnedQuery, Page, Payload, PayloadNotRead,
    Payloads, Query, RecordKey, Saved, StoredRecord, Unreadable, Version, Write, read_document, slot, sort_time,
};
pub use retry::{Retry, RetryError};
pub use run::{
    AttemptEnd, Cascade, FinalState, Input, Invoker, Lease, LogRoom, Logged, NewRun, Phase, Policy, Progress, Purpose,
    RunRecord, RunView, Signal, State, Steps, Task, Trigger, Update, WaitLoopAnswer, WaitLoopCall, WaitsFor,
};
pub use schedule::{
    AWS_SCHEDULED_TIME, AdjacentFires, DueFires, FireTimes, MissedFires, Overlap, Recurrence, Schedule, ScheduleError,
    ScheduleInput, SchedulePut, ScheduleRecord, SkipReason, SkippedFire, SkippedFires, at, aws_at, cron, declared,
    every, fire_id, fired_run, fired_run_bytes,
};
pub use step::{NewStep, StepRecord, StepView};
pub use text::cut;
pub use time::{
    SpanError, TimeZoneError, check_span, days, hours, is_fresh, later, minutes, ms, seconds, time_zone, until,
};
pub use token::{NewToken, Secret, TokenInput, TokenRecord, TokenState, TokenText, TokenTextError, check_token_value};
pub use trace::{TraceParent, TraceParentError};
pub use when::{When, WhenError, WhenProblem};
