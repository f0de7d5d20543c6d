//! Starting runs.

use std::{future::IntoFuture, marker::PhantomData, time::Duration};

use dacapo_core::{commit::PATIENCE, debounce::start, read_traceparent};
use dacapo_domain::{
    Child, Decision, Id, Json, NewRun, RunRecord, TaskEntry, TraceParent, Trigger, When, later, limits, run::Key, slot,
};
use futures::future::BoxFuture;

use super::{
    Client,
    check::{check_body, check_chars, check_priority, check_spans, check_tags, unserializable},
    debounce::Calls,
};
use crate::{Error, ErrorKind, TaskError, TaskRef, payload::Codec};

/// A run to be started: it starts when this is awaited.
#[must_use = "a run starts when this is awaited"]
pub struct StartRun<O> {
    request: Request,
    output: Codec<O>,
}

/// The run that is asked for, whatever the type of its result.
struct Request {
    client: Client,
    task: Task,
    body: Result<Json, Error>,
    due: Option<When>,
    key: Option<String>,
    key_for: Duration,
    debounce: Calls,
    tags: Vec<String>,
    ttl: Option<Duration>,
    priority: Duration,
    replays: Option<Id>,
    traceparent: Option<TraceParent>,
}

/// The task of a run to be started.
enum Task {
    /// By a typed reference.
    Known(&'static str),
    /// By a name that may be unknown.
    Named(String),
}

/// A run that was started.
pub struct Started<O> {
    child: Child,
    deduplicated: bool,
    output: PhantomData<fn() -> O>,
}

impl<O> Started<O> {
    /// The run that was to be stored, and the one that there was before.
    pub(super) fn of(run: &RunRecord, found: Option<Id>) -> Self {
        let (id, deduplicated) = (found.unwrap_or(run.id), found.is_some());
        let started_by = run.parent_id.filter(|_| run.trigger == Trigger::Child);
        Self { child: Child { task: run.name.clone(), id, started_by }, deduplicated, output: PhantomData }
    }

    /// The run as one that is waited for.
    pub(crate) fn into_child(self) -> Child {
        self.child
    }

    /// The run's id.
    #[must_use]
    pub fn id(&self) -> Id {
        self.child.id
    }

    /// Is true where a run of the same key was there before, or has taken this call over: the id is that run's.
    #[must_use]
    pub fn is_deduplicated(&self) -> bool {
        self.deduplicated
    }
}

impl<O> std::fmt::Debug for Started<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started").field("id", &self.child.id).field("deduplicated", &self.deduplicated).finish()
    }
}

impl Client {
    /// Starts a run of a task: now, unless told otherwise.
    pub fn run<I, O>(&self, task: TaskRef<I, O>, body: I) -> StartRun<O> {
        let body = task.input.encode(&body).map_err(|error| unserializable("the body", &error));
        self.start(Task::Known(task.name()), body, task.output)
    }

    /// Starts a run of a task by its name, for programs that have no reference to it.
    pub fn run_by_name(&self, task: &str, body: Json) -> StartRun<serde_json::Value> {
        self.start(Task::Named(task.to_owned()), Ok(body), Codec::new())
    }

    fn start<O>(&self, task: Task, body: Result<Json, Error>, output: Codec<O>) -> StartRun<O> {
        let request = Request {
            client: self.clone(),
            task,
            body,
            due: None,
            key: None,
            key_for: limits::KEY_LIFE,
            debounce: Calls::default(),
            tags: vec![],
            ttl: None,
            priority: Duration::ZERO,
            replays: None,
            traceparent: None,
        };
        StartRun { request, output }
    }
}

impl<O> StartRun<O> {
    /// Starts it so much later.
    pub fn after(self, delay: impl Into<When>) -> Self {
        self.at(delay)
    }

    /// Starts it then: a timestamp, a duration, "1 hour", or milliseconds.
    pub fn at(mut self, when: impl Into<When>) -> Self {
        self.request.due = Some(when.into());
        self
    }

    /// Starts it once: a second call with the key gives the first run's id. 1 to 256 characters, per task.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.request.key = Some(key.into());
        self
    }

    /// Keeps the key for so long instead of 30 days: 1 s to 3,650 days.
    pub fn key_for(mut self, duration: Duration) -> Self {
        self.request.key_for = duration;
        self
    }

    /// Makes one run of many calls: it starts once there was no call with the key for the delay, with the last call's body.
    ///
    /// Each call gives the id of the run that stands for it. The first one makes the run, with its tags, `ttl` and
    /// `priority`; a later one replaces the body, and the delay begins anew, while the run hasn't started. Where it has,
    /// the next call makes another. The key has 1 to 256 characters, per task, and is apart from those of
    /// [`key`](Self::key); the delay is 1 ms to 355 days. See [`max_delay`](Self::max_delay) and [`leading`](Self::leading).
    ///
    /// # Example: one search index for many edits
    ///
    /// ```
    /// # use dacapo::{Client, Error, Id, TaskRef, minutes, seconds};
    /// # const INDEX: TaskRef<String> = TaskRef::new("index");
    /// async fn edited(client: &Client, document: &str, text: String) -> Result<Id, Error> {
    ///     let index = client.run(INDEX, text).debounce(document, seconds(30)).max_delay(minutes(10));
    ///     Ok(index.await?.id())
    /// }
    /// ```
    pub fn debounce(mut self, key: impl Into<String>, delay: Duration) -> Self {
        self.request.debounce.of = Some((key.into(), delay));
        self
    }

    /// Ends a burst of debounced calls so long after its first one, however many come: the delay or longer, up to 355 days.
    /// That of the first call counts.
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.request.debounce.max_delay = Some(max_delay);
        self
    }

    /// Starts the run of a debounce at the first call instead of the last. The others are absorbed: whatever the run has
    /// come to, the next one starts once there was no call for the delay, or `max_delay` is over.
    pub fn leading(mut self) -> Self {
        self.request.debounce.is_leading = true;
        self
    }

    /// The tags that the run can be found by: up to 10 tags of 1 to 128 characters.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.request.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Lets the run expire if it has not started so long after it was due, instead of the time that its task says: 1 s to
    /// 3,650 days.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.request.ttl = Some(ttl);
        self
    }

    /// The head start among the runs that wait for a place of their task, in whole seconds up to a year: it stands in line as
    /// if it had been due so much earlier. Its task has `concurrency` or a rate limit.
    pub fn priority(mut self, head_start: Duration) -> Self {
        self.request.priority = head_start;
        self
    }

    /// Makes it a part of a trace: W3C's `traceparent`. Without this, what a handler starts is a part of its own run's. A text
    /// that is none is left out, with a warning in the log.
    pub fn traceparent(mut self, traceparent: &str) -> Self {
        self.request.traceparent = read_traceparent(traceparent);
        self
    }

    /// Starts it, and waits for its typed result: for programs. A handler that waits for a child continues instead.
    ///
    /// # Errors
    /// As of the start, or as [`Client::wait`].
    pub async fn and_wait(self) -> Result<O, TaskError> {
        let (client, output) = (self.request.client.clone(), self.output);
        let started = self.start().await?;
        client.result_of(started.id(), output).await
    }

    /// The same with a result of any type: for a batch of several tasks.
    pub fn untyped(self) -> StartRun<serde_json::Value> {
        StartRun { request: self.request, output: Codec::new() }
    }

    /// The client that starts it.
    pub(super) fn client(&self) -> &Client {
        &self.request.client
    }

    /// Links the run to the one it repeats.
    pub(super) fn replays(mut self, id: Id) -> Self {
        self.request.replays = Some(id);
        self
    }

    async fn start(self) -> Result<Started<O>, Error> {
        let (client, run) = (self.request.client.clone(), self.prepare().await?);
        let until = later(client.ports().clock.now(), PATIENCE);
        let found = start(&client.app, &run, until).await?;
        Ok(Started::of(&run.record, found))
    }

    /// The run as it is to be stored.
    pub(super) async fn prepare(self) -> Result<Decision<RunRecord>, Error> {
        let asked = self.request;
        let client = asked.client;
        let ports = client.ports();
        let body = asked.body?;
        check_body("the body", &body)?;
        let name = match asked.task {
            Task::Known(name) => name.to_owned(),
            Task::Named(name) => {
                if client.task_by_name(&name).await?.private && asked.replays.is_none() {
                    let text = format!("start task {name:?} by name: it is private ({})", TaskEntry::PRIVATE_REMEDY);
                    return Err(Error::new(ErrorKind::Refused, text));
                }
                name
            }
        };
        client.app.check_start(&name)?;
        check_chars("a key", asked.key.as_deref())?;
        let calls = asked.debounce.check(asked.key.is_some(), asked.due.is_some())?;
        check_spans(asked.key_for, asked.ttl)?;
        let priority_s = check_priority(&client, &name, asked.priority).await?;
        check_tags(&asked.tags)?;
        ports.clock.synchronize().await?;
        let cx = ports.clock.decision_context();
        let due_at = match asked.due {
            Some(when) => when.resolve(cx.now).map_err(Error::usage)?,
            None => cx.now,
        };
        let origin = client.origin.as_ref();
        let named = origin.filter(|_| asked.key.is_none());
        let id = named.map_or_else(|| ports.clock.id_at(cx.now), |origin| origin.next_id(&name, &body));
        let trigger = match asked.replays {
            Some(_) => Trigger::Replay,
            None => origin.map_or(Trigger::Run, |origin| origin.trigger),
        };
        let (key, due_at) = match calls {
            Some(calls) => calls.first(cx.now).map(|(key, due_at)| (Some(key), due_at))?,
            None => {
                let until = later(cx.now, asked.key_for);
                (asked.key.map(|text| Key { text, until, debounce: None }), due_at)
            }
        };
        let new = NewRun {
            parent_id: asked.replays.or(origin.and_then(|origin| origin.parent_id)),
            hops: origin.map_or(Ok(0), |origin| origin.hops(cx.now))?,
            traceparent: asked.traceparent.or_else(|| origin?.traceparent()),
            tags: asked.tags,
            key,
            ttl: asked.ttl,
            priority_s,
            ..NewRun::at(id, &name, due_at, trigger)
        };
        let decision = RunRecord::create(new, &cx);
        decision.record.check_size(&body).map_err(Error::usage)?;
        Ok(decision.with(slot::BODY, body))
    }
}

impl<O: 'static> IntoFuture for StartRun<O> {
    type Output = Result<Started<O>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
