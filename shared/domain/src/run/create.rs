//! A new run.

use std::time::Duration;

use jiff::Timestamp;

use super::{Invoker, Key, Phase, RunRecord};
use crate::{Decision, DecisionContext, Id, Trigger};

/// The parts of a new run.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// The id.
    pub id: Id,
    /// The task's name.
    pub name: String,
    /// The time at which it is due; now or earlier means at once.
    pub due_at: Timestamp,
    /// The trigger.
    pub trigger: Trigger,
    /// The run that starts it.
    pub parent_id: Option<Id>,
    /// Hops of the chain of runs and events that leads here.
    pub hops: u32,
    /// The tags that it can be found by.
    pub tags: Vec<String>,
    /// The idempotency key.
    pub key: Option<Key>,
    /// The schedule that fired.
    pub schedule: Option<String>,
    /// The time after its due time for which it may start.
    pub ttl: Option<Duration>,
    /// The execution that calls it from its beginning: a direct start of the wait loop.
    pub execution: Option<String>,
}

impl NewRun {
    /// A run of a task that is due then, without tags, key, parent or schedule.
    #[must_use]
    pub fn at(id: Id, task: &str, due_at: Timestamp, trigger: Trigger) -> Self {
        Self {
            id,
            name: task.to_owned(),
            due_at,
            trigger,
            parent_id: None,
            hops: 0,
            tags: vec![],
            key: None,
            schedule: None,
            ttl: None,
            execution: None,
        }
    }
}

impl RunRecord {
    /// A new run and what brings it to its function.
    #[must_use]
    pub fn create(new: NewRun, cx: &DecisionContext) -> Decision<Self> {
        let now = cx.now;
        let due_at = new.due_at.max(now);
        let invoker = match new.execution {
            Some(execution) => Invoker::WaitLoop { generation: 1, execution: Some(execution) },
            None => Invoker::Queue,
        };
        let mut run = Self {
            id: new.id,
            name: new.name,
            version: cx.version(),
            phase: Phase::Queued,
            trigger: new.trigger,
            parent_id: new.parent_id,
            hops: new.hops,
            tags: new.tags,
            key: new.key,
            created_at: now,
            due_at,
            scheduled_at: (due_at > now || new.schedule.is_some()).then_some(new.due_at),
            iteration_at: None,
            schedule: new.schedule,
            started_at: None,
            start_by: new.ttl.map(|ttl| due_at.saturating_add(ttl).unwrap_or(Timestamp::MAX)),
            iteration: 1,
            attempt: 1,
            revision: 0,
            invoker,
            handler_ms: 0,
            progress: None,
            error: None,
            reconcile_at: None,
            reconcile_count: 0,
            expires_at_s: None,
        };
        run.reconcile_at = run.earliest_repair(now);
        let effects = if run.invoker.is_queue() { vec![run.deliver(now)] } else { vec![] };
        Decision::store(run, effects)
    }
}
