//! The context that handlers and hooks of a run share.

use std::{sync::Arc, time::Duration};

use dacapo_core::{
    attempt::{ScheduledFire, TaskAttempt},
    hook::HookName,
    port::LogLevel,
};
use dacapo_domain::{AttemptError, Id, Json, Retry, RetryError, RunRecord, Trigger, code};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, EventRef, TaskError, TaskRef,
    client::{Client, Publish, StartBatch, StartRun},
    handler::IsResult,
    payload::encode,
};

use super::Children;

/// The run that a handler or a hook belongs to: what both [`TaskContext`](crate::TaskContext) and
/// [`HookContext`](crate::HookContext) can do.
#[derive(Clone)]
pub struct RunContext {
    pub(super) attempt: Arc<TaskAttempt>,
    record: Arc<RunRecord>,
    client: Client,
}

/// The facts that the handler is told.
impl RunContext {
    pub(crate) fn new(attempt: Arc<TaskAttempt>) -> Self {
        let record = Arc::new(attempt.run());
        let client = Client::of_handler(attempt.app(), attempt.origin().clone());
        Self { attempt, record, client }
    }

    /// The same for a hook of this name.
    pub(crate) fn of_hook(&self, hook: HookName) -> Self {
        Self { client: self.client.of_hook(&hook.origin()), ..self.clone() }
    }

    /// The execution id.
    #[must_use]
    pub fn run_id(&self) -> Id {
        self.record.id
    }

    /// The task's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// The value of a variable of the function: of its environment, or a secret. Secrets are read once, at the start of the
    /// process.
    ///
    /// # Errors
    /// `Usage` for one that the function's definition names by neither [`environment`](crate::Requires::environment) nor
    /// [`secret`](crate::Requires::secret).
    pub fn variable(&self, name: &str) -> Result<&str, Error> {
        self.attempt.app().variables().get(name)
    }

    /// The target of the call, as `task:send-welcome`.
    #[must_use]
    pub fn target(&self) -> String {
        format!("task:{}", self.record.name)
    }

    /// The body that the run was started with. It never changes, while the handler's input is each iteration's own.
    ///
    /// # Errors
    /// `BODY_MISMATCH`, terminal, if the body doesn't fit the type.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, TaskError> {
        let body = self.attempt.body().parse();
        body.map_err(|error| TaskError::terminal(error).code(code::BODY_MISMATCH))
    }

    /// The time at which this handler was called.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.attempt.called_at()
    }

    /// The time by which that was later than due.
    #[must_use]
    pub fn delay(&self) -> Duration {
        dacapo_domain::until(self.record.due_at, self.time())
    }

    /// The number of this try at the iteration, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.record.attempt
    }

    /// The number of this call for the run, retries apart, from 1: `continue` starts the next.
    #[must_use]
    pub fn iteration(&self) -> u32 {
        self.record.iteration
    }

    /// The trigger of the run.
    #[must_use]
    pub fn trigger(&self) -> Trigger {
        self.record.trigger
    }

    /// The tags that the run can be found by.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.record.tags
    }

    /// The run that started this one.
    #[must_use]
    pub fn parent(&self) -> Option<Id> {
        self.record.parent_id
    }

    /// The trace that the run belongs to, as W3C's `traceparent`, and with it what this handler starts: the one it was started
    /// within, else that of the invocation where X-Ray records it.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        self.attempt.origin().traceparent().map(|traceparent| traceparent.to_string())
    }

    /// The fire that started the run, the one before it and the next five: `None` where no schedule did, or where
    /// it is no more.
    ///
    /// # Errors
    /// Any [`Error`] of the store, which is asked only for a schedule that was made at run time.
    pub async fn fire(&self) -> Result<Option<ScheduledFire>, Error> {
        self.attempt.fire().await
    }
}

/// The questions and requests of the handler.
impl RunContext {
    /// Time left of this attempt's timeout.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.attempt.limit().remaining()
    }

    /// Is true once less than a fifth of the timeout is left: 6 s at the default of 30 s, 180 s at 15 min.
    #[must_use]
    pub fn is_close_to_timeout(&self) -> bool {
        self.is_close_to_timeout_within(self.attempt.limit().get() / 5)
    }

    /// Is true once less than this is left of the timeout.
    #[must_use]
    pub fn is_close_to_timeout_within(&self, left: Duration) -> bool {
        self.remaining() < left
    }

    /// Is true once an abort was asked for: read from the store, at most once a second.
    ///
    /// # Errors
    /// Any [`Error`] of the store.
    pub async fn is_aborted(&self) -> Result<bool, Error> {
        self.attempt.is_aborted().await
    }

    /// Says how far the run is: in words, of which 8 KiB are kept, and as a fraction from 0 to 1. Calls faster than one a
    /// second are merged; the last is stored within a second, without another call. A fraction that is not within 0 to
    /// 1 counts as the nearest that is, and as 0 where it is no number; the run's log says so once.
    ///
    /// # Errors
    /// `Refused` where the attempt has lost its lease, as one that is taken for dead, or the run has ended; any
    /// [`Error`] of the store.
    pub async fn progress(&self, message: impl Into<String>, fraction: f64) -> Result<(), Error> {
        self.attempt.progress(message.into(), fraction).await
    }

    /// Sets another limit for this attempt, counted from its start, up to the task's `max_timeout`.
    ///
    /// # Errors
    /// `Usage` beyond that, below a second, or in a hook after a panic, a timeout or the end of the run; `Refused` where
    /// the attempt has lost its lease; any [`Error`] of the store.
    pub async fn set_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.attempt.set_timeout(limit).await
    }

    /// Keeps an entry with the run, in this iteration's log. Where no data belongs to it, pass `()`. Of an entry of
    /// more than 32 KiB the texts are cut, and data that doesn't fit is left out; it says so. An iteration keeps
    /// 1,000 entries over all its attempts, a run 100 MiB of them; one last entry says that later ones are left out.
    ///
    /// # Errors
    /// Any [`Error`] of the store.
    pub async fn log_info(&self, message: impl Into<String>, data: impl Serialize) -> Result<(), Error> {
        self.attempt.log(LogLevel::Info, message.into(), loggable(&data), None).await
    }

    /// Keeps an entry of an error with the run, with the error's chain of causes.
    ///
    /// # Errors
    /// Any [`Error`] of the store.
    pub async fn log_error(
        &self,
        message: impl Into<String>,
        data: impl Serialize,
        error: impl Into<TaskError>,
    ) -> Result<(), Error> {
        let recorded = error.into().recorded();
        let error = std::iter::once(recorded.message).chain(recorded.stack).collect::<Vec<_>>().join("\n");
        self.attempt.log(LogLevel::Error, message.into(), loggable(&data), Some(error)).await
    }

    /// Retries some work in place, within this attempt: until it succeeds, fails with a terminal error, or the
    /// policy has no attempt left. It gives up early where the next try would come after the attempt's timeout.
    ///
    /// # Errors
    /// The last try's.
    ///
    /// # Example: three tries
    ///
    /// ```
    /// # use dacapo::prelude::*;
    /// # async fn fetch(_: &str) -> Result<String, std::io::Error> { Ok(String::new()) }
    /// async fn import(url: String, cx: TaskContext) -> Result<usize, TaskError> {
    ///     let page = cx.retry(Retry::attempts(3), async || Ok(fetch(&url).await?)).await?;
    ///     Ok(page.len())
    /// }
    /// ```
    pub async fn retry<T, W>(&self, policy: Retry, work: impl FnMut() -> W) -> Result<T, TaskError>
    where
        W: Future<Output: IsResult<Value = T>>,
    {
        retry(&self.attempt, policy, work).await
    }

    /// A run of a task, started when it is awaited, as a child of this run. A retry of this attempt doesn't start
    /// it twice: it is named by this run, the iteration, the task, the body, and how many alike came before. A body that
    /// differs from try to try is started again: give it a `key` then.
    pub fn run<I, O>(&self, task: TaskRef<I, O>, body: I) -> StartRun<O> {
        self.client.run(task, body)
    }

    /// Up to 1,000 runs of a task, started when this is awaited: each as by [`run`](Self::run).
    pub fn batch<I, O>(&self, task: TaskRef<I, O>, bodies: impl IntoIterator<Item = I>) -> StartBatch<O> {
        self.client.batch(task, bodies)
    }

    /// Up to 1,000 runs, each with its own key, tags or time, started when this is awaited.
    pub fn batch_of<O>(&self, runs: impl IntoIterator<Item = StartRun<O>>) -> StartBatch<O> {
        self.client.batch_of(runs)
    }

    /// The runs of a task that this run has waited for last, by [`Continue::when_done`](crate::Continue::when_done), in
    /// the order they were given: each is read when it is asked for.
    ///
    /// # Errors
    /// Any [`Error`] of the store.
    pub async fn children<I, O>(&self, task: TaskRef<I, O>) -> Result<Children<O>, Error> {
        let ids = self.attempt.children(task.name()).await?;
        Ok(Children::new(self.client.clone(), task.output, ids))
    }

    /// An event, published when it is awaited.
    pub fn publish<B>(&self, event: EventRef<B>, body: B) -> Publish {
        self.client.publish(event, body)
    }

    /// Is true of the input of a run that has none but its body.
    pub(crate) fn is_body(&self, input: &Json) -> bool {
        self.iteration() == 1 && input == self.attempt.body()
    }

    /// Says whether this is the first call of a hook for this attempt.
    pub(crate) fn begins(&self, hook: HookName) -> bool {
        self.attempt.begins(hook)
    }

    pub(crate) fn attempt_error(&self, error: TaskError) -> AttemptError {
        error.into_attempt_error(self.client.ports().clock.now())
    }
}

/// The data of a log entry. An entry is never lost for data that can't be serialized, or that no reader of JSON takes: it
/// says so instead.
fn loggable(data: &impl Serialize) -> Option<Json> {
    let data = match encode(data).map(|data| data.check().map(|()| data)) {
        Ok(Ok(data)) => Ok(data),
        Ok(Err(error)) => Json::of(&format!("the data is left out: {error}")),
        Err(error) => Json::of(&format!("the data can't be serialized: {error}")),
    };
    data.ok().filter(|data| data.text() != "null")
}

/// Retries some work within an attempt.
async fn retry<T, W>(attempt: &TaskAttempt, policy: Retry, mut work: impl FnMut() -> W) -> Result<T, TaskError>
where
    W: Future<Output: IsResult<Value = T>>,
{
    match policy.check() {
        // In place, the timeout ends what is tried again at once.
        Ok(()) | Err(RetryError::NoWait) => {}
        Err(error) => return Err(TaskError::terminal(error)),
    }
    let clock = &attempt.app().ports().clock;
    let first = clock.now();
    let (mut tries, steps) = (0, attempt.used_steps());
    loop {
        tries += 1;
        let error = match work().await.into_result() {
            Err(error) if !error.is_terminal() && tries < policy.max_attempts() => error,
            result => return result,
        };
        let cx = clock.decision_context();
        let by_policy = dacapo_domain::later(cx.now, policy.delay(tries, cx.unit_interval()));
        let due_at = error.asked_for(cx.now).unwrap_or(by_policy);
        let pause = dacapo_domain::until(cx.now, due_at);
        let is_too_old = policy.max_age().is_some_and(|age| dacapo_domain::until(first, due_at) > age);
        if is_too_old || pause >= attempt.limit().remaining() {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        attempt.retry_steps(&steps);
    }
}
