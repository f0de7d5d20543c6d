//! The queues of a manifest: what tasks share their limits, and what they are.

use std::collections::BTreeMap;

use super::{Manifest, ManifestError, TaskEntry};
use crate::{Limit, Limits, PoolId, limits};

/// A queue: the one that tasks name, or a task's own, of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The tasks, of which there is one at least.
    pub tasks: Vec<String>,
    /// The limits that they share.
    pub limits: Limits,
    /// The pool of all their attempts together.
    pub pool: PoolId,
}

impl Manifest {
    /// All queues by name.
    #[must_use]
    pub fn queues(&self) -> BTreeMap<String, Queue> {
        let mut queues: BTreeMap<String, Queue> = BTreeMap::new();
        for (_, task) in self.tasks() {
            let limits = &task.policy.limits;
            let queue = queues.entry(limits.queue.clone().unwrap_or_else(|| task.name.clone()));
            let queue = queue.or_insert_with(|| Queue {
                tasks: vec![],
                limits: limits.clone(),
                pool: PoolId { scope: limits.scope(&task.name), key: None },
            });
            queue.tasks.push(task.name.clone());
        }
        queues
    }

    /// The limit of a pool. Where no task has it any more, a few at a time go on: they find that out.
    #[must_use]
    pub fn limit(&self, pool: &PoolId) -> Limit {
        let sharing = self.tasks().find(|(_, task)| task.policy.limits.scope(&task.name) == pool.scope);
        let removed = Limit { concurrency: Some(limits::POOL_PAGE), rate: None };
        sharing.map_or(removed, |(_, task)| task.policy.limits.of_pool(pool))
    }
}

/// Refuses tasks of one queue that give it different limits, and a queue that bears the name of a task with its own.
pub(super) fn check_queues<'a>(tasks: impl Iterator<Item = &'a TaskEntry>) -> Result<(), ManifestError> {
    let tasks: Vec<&TaskEntry> = tasks.collect();
    let mut queues: BTreeMap<&str, &TaskEntry> = BTreeMap::new();
    for task in &tasks {
        let Some(queue) = &task.policy.limits.queue else { continue };
        let first = queues.entry(queue).or_insert(task);
        if first.policy.limits != task.policy.limits {
            let (queue, one, other) = (queue.clone(), first.name.clone(), task.name.clone());
            let (of_one, of_other) = (first.policy.limits.to_string(), task.policy.limits.to_string());
            return Err(ManifestError::Queue { queue, one, of_one, other, of_other });
        }
    }
    let own = tasks.iter().filter(|task| task.policy.limits.queue.is_none());
    match own.filter_map(|task| queues.get_key_value(&*task.name)).next() {
        Some((queue, task)) => Err(ManifestError::QueueOfATask { queue: (*queue).to_owned(), task: task.name.clone() }),
        None => Ok(()),
    }
}
