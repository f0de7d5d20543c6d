use std::{sync::Arc, time::Duration};

use dacapo_core::attempt::EventAttempt;
use dacapo_domain::{AttemptError, Id};
use jiff::Timestamp;

use crate::{
    Error, EventRef, TaskError, TaskRef,
    client::{Client, Publish, StartBatch, StartRun},
};

/// The context of a handler of events, and what its `init` hook made. It is passed by value and cheap to clone.
pub struct EventContext<V = ()> {
    attempt: Arc<EventAttempt>,
    client: Client,
    init: Arc<V>,
}

impl EventContext {
    pub(crate) fn new(attempt: Arc<EventAttempt>) -> Self {
        let client = Client::of_handler(attempt.app(), attempt.origin().clone());
        Self { attempt, client, init: Arc::new(()) }
    }

    /// The same for a handler that asks for a value.
    pub(crate) fn with<V>(self, init: Arc<V>) -> EventContext<V> {
        EventContext { attempt: self.attempt, client: self.client, init }
    }
}

impl<V> Clone for EventContext<V> {
    fn clone(&self) -> Self {
        Self { attempt: self.attempt.clone(), client: self.client.clone(), init: self.init.clone() }
    }
}

impl<V> EventContext<V> {
    /// The value that the `init` hook made.
    #[must_use]
    pub fn init(&self) -> &V {
        &self.init
    }

    /// The value of a variable of the function, as [`RunContext::variable`](crate::RunContext::variable).
    ///
    /// # Errors
    /// `Usage` for one that the function's definition doesn't name.
    pub fn variable(&self, name: &str) -> Result<&str, Error> {
        self.attempt.app().variables().get(name)
    }

    /// The event's id.
    #[must_use]
    pub fn id(&self) -> Id {
        self.attempt.event().id
    }

    /// The event's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.attempt.event().name
    }

    /// The time at which the event was published.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.attempt.event().published_at
    }

    /// The time by which it was delayed on purpose.
    #[must_use]
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.attempt.event().delay_ms())
    }

    /// The trace that the event belongs to, as W3C's `traceparent`, and with it what this handler starts: the one it was
    /// published within, else that of the invocation where X-Ray records it.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        self.attempt.origin().traceparent().map(|traceparent| traceparent.to_string())
    }

    /// The number of this attempt of the handler at this event, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt.event().attempt
    }

    /// Time left of this handler's timeout.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.attempt.limit().remaining()
    }

    /// Sets another limit for this attempt, counted from its start, up to 60 s.
    ///
    /// # Errors
    /// `Usage` beyond that, or below a second.
    pub fn set_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.attempt.set_timeout(limit)
    }

    /// A run of a task, started when it is awaited. A second delivery of the event doesn't start it twice: it is
    /// named by event, handler, task, body, and how many alike came before.
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

    /// An event, published when it is awaited.
    pub fn publish<B>(&self, event: EventRef<B>, body: B) -> Publish {
        self.client.publish(event, body)
    }

    pub(crate) fn attempt_error(&self, error: TaskError) -> AttemptError {
        error.into_attempt_error(self.client.ports().clock.now())
    }
}
