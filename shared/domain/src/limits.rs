//! The numbers that bound everything, each with its source.

use std::time::Duration;

/// Characters of a task's name, at most.
pub const TASK_NAME_CHARS: usize = 64;
/// Characters of an event's name, at most.
pub const EVENT_NAME_CHARS: usize = 128;
/// Characters of an app's name, at most: with [`STAGE_CHARS`] and [`SLUG_BYTES`] it fills Lambda's 64.
pub const APP_CHARS: usize = 20;
/// Characters of a stage's name, at most.
pub const STAGE_CHARS: usize = 10;
/// Bytes of a slug, at most: `{app}-{stage}-{slug}` names a Lambda function, whose name ends at 64.
pub const SLUG_BYTES: usize = 64 - APP_CHARS - STAGE_CHARS - 2;
/// Characters of an idempotency key, at most.
pub const KEY_CHARS: usize = 256;
/// Tags of one run, at most.
pub const TAGS: usize = 10;
/// Characters of one tag, at most.
pub const TAG_CHARS: usize = 128;

/// Characters of a token's name, at most.
pub const TOKEN_NAME_CHARS: usize = 256;

/// Characters of a step's name, at most.
pub const STEP_NAME_CHARS: usize = 256;

/// Bytes of a whole message, metadata included, at most: SQS's limit; the same for the input of a `continue`, the value
/// of a step, and what a run's stored data come to.
pub const MESSAGE_BYTES: usize = 1_048_576;
/// Bytes of the body of a run that is started by `start-execution`: Step Functions' limit of an input.
pub const START_EXECUTION_BYTES: usize = 262_144;
/// Bytes of the manifest of an app, at most: each function reads it once a minute while it publishes or lists.
pub const MANIFEST_BYTES: usize = 4 * 1024 * 1024;
/// Levels of lists and objects in a body, at most: readers of JSON end somewhere between 127 and 1,000.
pub const JSON_LEVELS: usize = 128;
/// Bytes of a result that is kept with its run; a larger one is left out and the record says so.
pub const RESULT_BYTES: usize = 65_536;
/// Bytes of a text that is kept with a record, at most: the message of an error, of an abort, of progress or of an end.
pub const TEXT_BYTES: usize = 8 * 1024;
/// Bytes of an error's chain of causes, at most.
pub const STACK_BYTES: usize = 16 * 1024;
/// Bytes of a backtrace in it, at most: its first frames matter.
pub const BACKTRACE_BYTES: usize = 4 * 1024;
/// Bytes of an error's code, at most.
pub const CODE_BYTES: usize = 128;
/// Bytes of one log entry, at most.
pub const LOG_ENTRY_BYTES: usize = 32 * 1024;
/// Log entries of one iteration, at most.
pub const LOG_ENTRIES: u32 = 1_000;
/// Bytes of all logs of one run, at most.
pub const LOG_BYTES: u64 = 100 * 1024 * 1024;

/// The shortest timeout of an attempt.
pub const MIN_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest timeout of an attempt: Lambda's own, since November 2026.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// The longest limit that `set_timeout` may set where a task doesn't say.
pub const USUAL_MAX_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// The time that the runner needs after it has stopped a handler, so that the failure can still be recorded.
pub const RECORDING: Duration = Duration::from_secs(5);
/// The latest time at which the runner stops a handler.
pub const RUNNER_STOPS: Duration = MAX_TIMEOUT.saturating_sub(RECORDING);
/// The timeout of the Lambda of event handlers.
pub const EVENTS_TIMEOUT: Duration = Duration::from_secs(900);
/// The timeout of the conductor's Lambda, whose next sweep comes after a minute.
pub const CONDUCTOR_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest timeout of an event handler.
pub const MAX_EVENT_TIMEOUT: Duration = Duration::from_secs(60);
/// The age past which a failed delivery is dropped where its handler's retry policy doesn't say.
pub const EVENT_AGE: Duration = Duration::from_secs(14 * 86_400);
/// The time by which a lease outlasts its attempt's own limit.
pub const LEASE_MARGIN: Duration = Duration::from_secs(10);

/// The most hooks that one end has: `on_max_iterations`, `on_failure`, `on_complete`, of the app and of the task.
pub const END_HOOKS: u32 = 6;
/// The longest limit of one hook of the end; that of an attempt, where it is shorter.
pub const END_HOOK: Duration = Duration::from_secs(60);
/// The time that hooks have after a panic or a timeout, at most: within the margin of the attempt's lease.
pub const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// The time before the invocation's deadline that is left for storing the outcome.
pub const OUTCOME_MARGIN: Duration = Duration::from_secs(2);

/// The shortest wait of a `continue`, apart from none.
pub const MIN_WAIT: Duration = Duration::from_secs(1);
/// The longest single wait of a `continue`: what fits into a Step Functions execution's year.
pub const MAX_WAIT: Duration = Duration::from_secs(355 * 86_400);
/// The longest delay of an SQS message; beyond, a one-time schedule carries it.
pub const MAX_QUEUE_DELAY: Duration = Duration::from_secs(15 * 60);

/// Rounds after which an execution hands over to a successor, well below its 25,000 events.
pub const LOOP_ROUNDS: u32 = 2_000;
/// Events of its history after which it does so where its calls were retried or crashed: what one more round may take,
/// with all its retries, still fits.
pub const LOOP_EVENTS: u32 = 20_000;
/// Events of a round: two of its wait, five of its call, two of what comes next.
pub const ROUND_EVENTS: u32 = 9;
/// Events of a try beyond a round's first: scheduled, started, failed.
pub const TRY_EVENTS: u32 = 3;
/// Tries that a crash counts as: the retries of a call that came to nothing are not told, and to tell of it takes five
/// events more.
pub const CRASH_TRIES: u32 = 134;
/// The life of an execution before it hands over: its year, less a day.
pub const LOOP_LIFE: Duration = Duration::from_secs(364 * 86_400);

/// The grace after which the conductor reconciles a run that its queue calls.
pub const QUEUE_GRACE: Duration = Duration::from_secs(60);
/// The same for a run whose lease ended: its attempt's, or that of the hooks of its end.
pub const LEASE_GRACE: Duration = Duration::from_secs(20);
/// The same for a run that its wait loop calls: the loop has first claim.
pub const LOOP_GRACE: Duration = Duration::from_secs(15 * 60);
/// The time by which the steps and tokens of an attempt outlive a run that ends with it: they are stored with an expiry,
/// which moves only where the run goes on for longer.
pub const STEPS_OUTLIVE: Duration = Duration::from_secs(2 * 86_400);
/// The time before the steps and tokens of an unfinished run expire at which their expiry is moved.
pub const STEPS_GRACE: Duration = Duration::from_secs(86_400);
/// The time by which it is moved: the longest wait, and a month.
pub const STEPS_LIFE: Duration = Duration::from_secs(386 * 86_400);
/// The interval at which a long timed wait is reconciled: the event that says its execution ended is best effort.
pub const WAIT_GRACE: Duration = Duration::from_secs(86_400);
/// The longest that the conductor puts off a record whose queue has a backlog.
pub const MAX_RECONCILE_DELAY: Duration = Duration::from_secs(3_600);

/// The conductor's pause before it reconciles a record again: doubled each time, at most an hour.
#[must_use]
pub fn reconcile_pause(count: u32) -> Duration {
    (QUEUE_GRACE * 2_u32.saturating_pow(count.min(16))).min(MAX_RECONCILE_DELAY)
}

/// The age from which a fire counts as missed by the embedded engine: it was down, or the machine asleep.
pub const MISSED_AFTER: Duration = Duration::from_secs(60);
/// Fires of a schedule that made no run and are remembered, at most.
pub const SKIPPED_FIRES: usize = 100;

/// Receives after which a message is taken for one that kills its function, and goes to the app's dead-letter queue.
///
/// Messages are acknowledged whatever came of them, so that only a process that died, or Lambda's throttling, leaves
/// one to be received again. AWS advises at least five, because throttled receives count too; more would only keep a
/// message that kills its process away from the conductor.
pub const MAX_RECEIVES: u32 = 5;
/// The time that a task's received message is hidden: three times Lambda's longest timeout, whatever the task's own, so
/// that a raised timeout never blocks a deploy.
pub const TASK_VISIBILITY: Duration = Duration::from_secs(3 * MAX_TIMEOUT.as_secs());
/// The same for event functions, whose Lambdas time out after 900 s.
pub const EVENT_VISIBILITY: Duration = Duration::from_secs(960);
/// The same for the conductor.
pub const CONDUCTOR_VISIBILITY: Duration = Duration::from_secs(360);
/// The time that a message stays in its queue: SQS's longest.
pub const MESSAGE_RETENTION: Duration = Duration::from_secs(14 * 86_400);

/// The shortest span that an option takes: `ttl`, `key_for`, `max_duration`, `history`.
pub const MIN_SPAN: Duration = Duration::from_secs(1);
/// The longest one: ten years.
pub const MAX_SPAN: Duration = Duration::from_secs(3_650 * 86_400);
/// Runs of one batch, at most.
pub const BATCH: usize = 1_000;
/// Messages that one invocation takes without a window in which they gather, at most:
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html>
pub const INVOCATION_MESSAGES: u32 = 10;
/// The time that a finished run is kept where its task doesn't say.
pub const HISTORY: Duration = Duration::from_secs(14 * 86_400);
/// The time that an idempotency key is kept where the call doesn't say.
pub const KEY_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// Hops of a chain of runs and events that start each other, at most.
pub const HOPS: u32 = 100;
/// The time for which a hop count is carried on.
pub const HOP_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Characters of a queue's name, at most.
pub const QUEUE_CHARS: usize = 64;
/// The largest `concurrency`: all permits of a pool are in one record.
pub const MAX_CONCURRENCY: u32 = 1_000;
/// The shortest and the longest time of a `rate_limit`.
pub const RATE_PER: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(31 * 86_400);
/// The longest head start of a `priority`: a year.
pub const MAX_PRIORITY_S: u32 = 365 * 86_400;
/// The time between two such writes for a queue without limits that was resumed.
pub const RELEASE_EVERY: Duration = Duration::from_secs(1);
/// Runs that are handed a permit in one write, at most.
pub const POOL_PAGE: u32 = 100;
/// The time after which the conductor reconciles a pool that nothing has called for.
pub const POOL_RECONCILE: Duration = Duration::from_secs(3_600);

/// A message is larger than allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("store {what} of {bytes} bytes, metadata included (allowed: {allowed}; keep what is large in S3)")]
pub struct TooLarge {
    what: &'static str,
    bytes: usize,
    allowed: usize,
}

/// Checks the bytes of a whole message, metadata included.
///
/// # Errors
/// If they are more than allowed.
pub const fn check_bytes(what: &'static str, bytes: usize, allowed: usize) -> Result<(), TooLarge> {
    if bytes <= allowed { Ok(()) } else { Err(TooLarge { what, bytes, allowed }) }
}
