//! The origin of a run or an event: the handler that starts or publishes it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use dacapo_domain::{EventMessage, Id, RunRecord, Trigger, limits};
use jiff::Timestamp;

use crate::{Error, ErrorKind};

/// A handler that starts runs and publishes events. What it starts is named by it and by the order of its calls,
/// so that a retry names the same and doesn't start it twice.
#[derive(Clone)]
pub struct Origin {
    /// What starts the runs that it starts.
    pub trigger: Trigger,
    /// The run that starts them, if one does.
    pub parent_id: Option<Id>,
    hops: u32,
    since: Timestamp,
    /// When what it starts would have been started at the earliest: the same for each try.
    named_at: Timestamp,
    name: String,
    calls: Arc<AtomicU32>,
}

impl Origin {
    pub(crate) fn of_run(run: &RunRecord) -> Self {
        Self {
            trigger: Trigger::Child,
            parent_id: Some(run.id),
            hops: run.hops,
            since: run.created_at,
            named_at: run.iteration_at.or(run.scheduled_at).unwrap_or(run.created_at),
            name: format!("{}/{}", run.id, run.iteration),
            calls: Arc::default(),
        }
    }

    pub(crate) fn of_event(event: &EventMessage, handler: &str) -> Self {
        Self {
            trigger: Trigger::Event,
            parent_id: None,
            hops: event.hops,
            since: event.published_at,
            named_at: event.due_at,
            name: format!("{}/{handler}", event.id),
            calls: Arc::default(),
        }
    }

    /// A hook of the same attempt. What it starts is named apart from what the handler does: not every attempt runs
    /// every hook, and the order of the handler's calls stays the same.
    #[must_use]
    pub fn of_hook(&self, hook: &str) -> Self {
        Self { name: format!("{}/{hook}", self.name), calls: Arc::default(), ..self.clone() }
    }

    /// The id of the next thing it starts.
    #[must_use]
    pub fn next_id(&self) -> Id {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        Id::new(self.named_at, dacapo_domain::hash128(&format!("{}/{call}", self.name)))
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
