//! Starting runs.

use std::{future::IntoFuture, marker::PhantomData, time::Duration};

use dacapo_core::commit::{Creation, PATIENCE, create_run};
use dacapo_domain::{
    Child, Decision, Id, Json, NewRun, RunRecord, Trigger, When, check_span, later, limits, run::Key, slot,
};
use futures::future::BoxFuture;

use super::Client;
use crate::{Error, ErrorKind, TaskError, TaskRef, payload::Codec};

/// A run to be started: it starts when this is awaited.
#[must_use = "a run starts when this is awaited"]
pub struct StartRun<O> {
    client: Client,
    task: Task,
    body: Result<Json, Error>,
    due: Option<When>,
    key: Option<String>,
    key_for: Duration,
    tags: Vec<String>,
    ttl: Option<Duration>,
    priority: Duration,
    replays: Option<Id>,
    output: Codec<O>,
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
    /// The run that was to be stored, and what was found.
    pub(super) fn of(run: &RunRecord, created: Creation<RunRecord>) -> Self {
        let (id, deduplicated) = match created {
            Creation::New => (run.id, false),
            Creation::Exists(found) => (found.id, true),
        };
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

    /// Is true where a run of the same key was there before: the id is that run's.
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
        StartRun {
            client: self.clone(),
            task,
            body,
            due: None,
            key: None,
            key_for: limits::KEY_LIFE,
            tags: vec![],
            ttl: None,
            priority: Duration::ZERO,
            replays: None,
            output,
        }
    }
}

impl<O> StartRun<O> {
    /// Starts it so much later.
    pub fn after(self, delay: impl Into<When>) -> Self {
        self.at(delay)
    }

    /// Starts it then: a timestamp, a duration, "1 hour", or milliseconds.
    pub fn at(mut self, when: impl Into<When>) -> Self {
        self.due = Some(when.into());
        self
    }

    /// Starts it once: a second call with the key gives the first run's id. 1 to 256 characters, per task.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Keeps the key for so long instead of 30 days: 1 s to 3,650 days.
    pub fn key_for(mut self, duration: Duration) -> Self {
        self.key_for = duration;
        self
    }

    /// The tags that the run can be found by: up to 10 tags of 1 to 128 characters.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Lets the run expire if it has not started so long after it was due, instead of the time that its task says: 1 s to
    /// 3,650 days.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The head start among the runs that wait for a place of their task, in whole seconds up to a year: it stands in line as
    /// if it had been due so much earlier. Its task has `concurrency` or a rate limit.
    pub fn priority(mut self, head_start: Duration) -> Self {
        self.priority = head_start;
        self
    }

    /// Starts it, and waits for its typed result: for programs. A handler that waits for a child continues instead.
    ///
    /// # Errors
    /// As of the start, or as [`Client::wait`].
    pub async fn and_wait(self) -> Result<O, TaskError> {
        let (client, output) = (self.client.clone(), self.output);
        let started = self.start().await?;
        client.result_of(started.id(), output).await
    }

    /// The same with a result of any type: for a batch of several tasks.
    pub fn untyped(self) -> StartRun<serde_json::Value> {
        let Self { client, task, body, due, key, key_for, tags, ttl, priority, replays, output: _ } = self;
        StartRun { client, task, body, due, key, key_for, tags, ttl, priority, replays, output: Codec::new() }
    }

    /// The client that starts it.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Links the run to the one it repeats.
    pub(super) fn replays(mut self, id: Id) -> Self {
        self.replays = Some(id);
        self
    }

    async fn start(self) -> Result<Started<O>, Error> {
        let (client, run) = (self.client.clone(), self.prepare().await?);
        let until = later(client.ports().clock.now(), PATIENCE);
        let created = create_run(client.ports(), &run, until).await?;
        Ok(Started::of(&run.record, created))
    }

    /// The run as it is to be stored.
    pub(super) async fn prepare(self) -> Result<Decision<RunRecord>, Error> {
        let client = self.client;
        let ports = client.ports();
        let body = self.body?;
        check_body("the body", &body)?;
        let name = match self.task {
            Task::Known(name) => name.to_owned(),
            Task::Named(name) => {
                if client.task_by_name(&name).await?.private && self.replays.is_none() {
                    let text = format!("start task {name:?} by name: it is private");
                    return Err(Error::new(ErrorKind::Refused, text));
                }
                name
            }
        };
        check_chars("a key", self.key.as_deref())?;
        check_spans(self.key_for, self.ttl)?;
        let priority_s = check_priority(&client, &name, self.priority).await?;
        check_tags(&self.tags)?;
        ports.clock.synchronize().await?;
        let cx = ports.clock.decision_context();
        let due_at = match self.due {
            Some(when) => when.resolve(cx.now).map_err(Error::usage)?,
            None => cx.now,
        };
        let origin = client.origin.as_ref();
        let named = origin.filter(|_| self.key.is_none());
        let id = named.map_or_else(|| ports.clock.new_id(), |origin| origin.next_id(&name, &body));
        let trigger = match self.replays {
            Some(_) => Trigger::Replay,
            None => origin.map_or(Trigger::Run, |origin| origin.trigger),
        };
        let until = later(cx.now, self.key_for);
        let new = NewRun {
            parent_id: self.replays.or(origin.and_then(|origin| origin.parent_id)),
            hops: origin.map_or(Ok(0), |origin| origin.hops(cx.now))?,
            tags: self.tags,
            key: self.key.map(|text| Key { text, until }),
            ttl: self.ttl,
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

pub(super) fn unserializable(what: &str, error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Usage, format!("serialize {what} as JSON: {error}"))
}

/// Bodies are read by others: handlers, the command line, AWS's own tools.
pub(super) fn check_body(what: &str, body: &Json) -> Result<(), Error> {
    body.check().map_err(|error| Error::usage(format_args!("use {what}: {error}")))
}

/// Checks the length of an idempotency key, or of an event's id.
pub(super) fn check_chars(what: &str, text: Option<&str>) -> Result<(), Error> {
    let (chars, allowed) = (text.map_or(1, |text| text.chars().count()), limits::KEY_CHARS);
    if (1..=allowed).contains(&chars) {
        return Ok(());
    }
    Err(Error::usage(format_args!("use {what} of {chars} characters (allowed: 1 to {allowed})")))
}

/// Checks a head start, which means nothing to a task without a line.
async fn check_priority(client: &Client, task: &str, priority: Duration) -> Result<u32, Error> {
    if priority.is_zero() {
        return Ok(0);
    }
    let seconds = u32::try_from(priority.as_secs()).ok().filter(|_| priority.subsec_nanos() == 0);
    let Some(seconds) = seconds.filter(|seconds| *seconds <= limits::MAX_PRIORITY_S) else {
        let text =
            format!("give a run a priority of {priority:?} (allowed: whole seconds up to {})", limits::MAX_PRIORITY_S);
        return Err(Error::usage(text));
    };
    let policy = client.app.task(task).await?.map(|task| task.policy);
    match policy {
        Some(policy) if policy.limits.is_none() => {
            let text =
                format!("give a run of task {task:?} a priority: the task has no `concurrency` and no rate limit");
            Err(Error::usage(text))
        }
        _ => Ok(seconds),
    }
}

fn check_spans(key_for: Duration, ttl: Option<Duration>) -> Result<(), Error> {
    let spans = check_span("key_for", key_for).and_then(|()| ttl.map_or(Ok(()), |ttl| check_span("ttl", ttl)));
    spans.map_err(|error| Error::usage(format!("start a run with a {error}")))
}

pub(crate) fn check_tags(tags: &[String]) -> Result<(), Error> {
    if tags.len() > limits::TAGS {
        let text = format!("give a run {} tags (allowed: up to {})", tags.len(), limits::TAGS);
        return Err(Error::new(ErrorKind::Usage, text));
    }
    for tag in tags {
        let chars = tag.chars().count();
        if !(1..=limits::TAG_CHARS).contains(&chars) {
            let text = format!("use tag {tag:?} of {chars} characters (allowed: 1 to {})", limits::TAG_CHARS);
            return Err(Error::new(ErrorKind::Usage, text));
        }
    }
    Ok(())
}
