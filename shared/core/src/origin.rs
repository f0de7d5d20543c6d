//! The origin of a run or an event: the handler that starts or publishes it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use dacapo_domain::{EventMessage, Id, Json, RunRecord, TraceParent, Trigger, hash128, limits};
use jiff::Timestamp;

use crate::{Error, ErrorKind};

/// A handler that starts runs and publishes events. What it starts is named by it, by task or event, by the body, and by
/// how many alike came before: a retry names the same and starts nothing twice, and one that branches differently
/// loses nothing. A body that differs from try to try is started again.
#[derive(Clone)]
pub struct Origin {
    /// The trigger of the runs that it starts.
    pub trigger: Trigger,
    /// The run that starts them, if one does.
    pub parent_id: Option<Id>,
    hops: u32,
    traceparent: Option<TraceParent>,
    since: Timestamp,
    /// The time in the ids of what it starts: the same for each try.
    named_at: Timestamp,
    name: String,
    /// The number of starts that were alike, by the hash of what was started.
    alike: Arc<Mutex<HashMap<u128, u32>>>,
}

impl Origin {
    pub(crate) fn of_run(run: &RunRecord) -> Self {
        Self {
            trigger: Trigger::Child,
            parent_id: Some(run.id),
            hops: run.hops,
            traceparent: run.traceparent,
            since: run.created_at,
            named_at: run.iteration_at.or(run.scheduled_at).unwrap_or(run.created_at),
            name: format!("{}/{}", run.id, run.iteration),
            alike: Arc::default(),
        }
    }

    pub(crate) fn of_event(event: &EventMessage, handler: &str) -> Self {
        Self {
            trigger: Trigger::Event,
            parent_id: None,
            hops: event.hops,
            traceparent: event.traceparent,
            since: event.published_at,
            named_at: event_time(event),
            name: format!("{}/{}/{handler}", event.id, event.name),
            alike: Arc::default(),
        }
    }

    /// The same within a trace, unless it is in one.
    #[must_use]
    pub(crate) fn within(self, invocation: Option<TraceParent>) -> Self {
        Self { traceparent: self.traceparent.or(invocation), ..self }
    }

    /// The trace that it belongs to, as does what it starts.
    #[must_use]
    pub fn traceparent(&self) -> Option<TraceParent> {
        self.traceparent
    }

    /// A hook of the same attempt. What it starts is named apart from what the handler does: not every attempt runs
    /// every hook.
    #[must_use]
    pub fn of_hook(&self, hook: &str) -> Self {
        Self { name: format!("{}/{hook}", self.name), alike: Arc::default(), ..self.clone() }
    }

    /// The id of a run or an event that it starts: of a task or an event of this name, with this body.
    #[must_use]
    pub fn next_id(&self, target: &str, body: &Json) -> Id {
        let started = hash128(&format!("{}/{target}/{}", target.len(), body.text()));
        let mut alike = self.alike.lock().unwrap_or_else(PoisonError::into_inner);
        let count = alike.entry(started).or_default();
        *count += 1;
        Id::new(self.named_at, hash128(&format!("{}/{started:032x}/{count}", self.name)))
    }

    /// Hops of what it starts now.
    ///
    /// # Errors
    /// `Refused` past the longest chain.
    pub fn hops(&self, now: Timestamp) -> Result<u32, Error> {
        if dacapo_domain::until(self.since, now) > limits::HOP_WINDOW {
            return Ok(1);
        }
        if self.hops >= limits::HOPS {
            let text = format!(
                "go on with a chain of {} runs and events that start each other within 15 minutes (let the chain wait, or break the circle)",
                limits::HOPS
            );
            return Err(Error::new(ErrorKind::Refused, text));
        }
        Ok(self.hops + 1)
    }
}

/// The time in the ids of what an event starts. Its id's own is the same where a handler that is tried again publishes it
/// again; a deferred event is on record with the time it was due at, and an id that its publisher chose has no time.
fn event_time(event: &EventMessage) -> Timestamp {
    let is_deferred = dacapo_domain::until(event.published_at, event.due_at) > limits::MAX_QUEUE_DELAY;
    let id_time = event.id.time();
    if is_deferred || id_time == Timestamp::UNIX_EPOCH { event.due_at } else { id_time }
}
