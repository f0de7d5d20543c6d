//! The queues that a function sends to, as far as its definition tells.

use std::collections::BTreeSet;

use super::{FunctionEntry, Holds, Manifest, TaskEntry};
use crate::CONDUCTOR;

impl Manifest {
    /// The functions whose queues a function sends to; `None` where its definition doesn't say what it starts and publishes:
    /// any then.
    ///
    /// Beside what it says these are its own, for its retries; the conductor's, for what waits for its time; of a task
    /// those that handle its lifecycle events, those of the tasks that share its queue, since a permit is passed on to
    /// them, and those of the tasks that may wait for its runs, since its end wakes them.
    #[must_use]
    pub fn sent_to(&self, function: &FunctionEntry) -> Option<BTreeSet<&str>> {
        let sends = function.requires.sends.as_ref().filter(|_| !function.uses_all())?;
        let mut names: BTreeSet<&str> = [CONDUCTOR].into();
        names.extend(self.functions.iter().filter(|other| other.name == function.name).map(|own| &*own.name));
        let tasks = self.tasks().filter(|(_, task)| sends.tasks.contains(&task.name));
        names.extend(tasks.map(|(function, _)| &*function.name));
        let mut events = sends.events.clone();
        if let Holds::Task(task) = &function.holds {
            events.extend(task.policy.publishes.iter().map(|event| event.of_task(&task.name)));
            let wakes = self.tasks().filter(|(other, entry)| shares_queue(task, entry) || may_wait(other, entry, task));
            names.extend(wakes.map(|(function, _)| &*function.name));
        }
        let handles = |function: &&FunctionEntry| function.subscriptions().iter().any(|s| events.contains(&s.event));
        names.extend(self.functions.iter().filter(handles).map(|function| &*function.name));
        Some(names)
    }

    /// The first task that a function says it starts and that the app doesn't have: the function's crate, and the task.
    #[must_use]
    pub fn unknown_start(&self) -> Option<(&str, &str)> {
        self.functions.iter().find_map(|function| {
            let unknown = function.requires.sends.as_ref()?.tasks.iter().find(|name| self.task(name).is_none())?;
            Some((&*function.crate_name, &**unknown))
        })
    }
}

impl FunctionEntry {
    /// Is true where it may do all that a client may: it says that it uses one, or it is the conductor.
    #[must_use]
    pub fn uses_all(&self) -> bool {
        self.requires.uses_client || self.holds == Holds::Conductor
    }

    /// Is true where it may start an execution of the wait loop: for an attempt that continues, or for one that shared its
    /// process with what ended it.
    #[must_use]
    pub fn may_start_loop(&self) -> bool {
        matches!(&self.holds, Holds::Task(task) if task.may_continue || task.policy.batch > 1)
    }
}

fn shares_queue(task: &TaskEntry, other: &TaskEntry) -> bool {
    let queue = &task.policy.limits.queue;
    queue.is_some() && *queue == other.policy.limits.queue
}

/// Is true where runs of another task may wait for those of this one, which only who started them can.
fn may_wait(function: &FunctionEntry, other: &TaskEntry, task: &TaskEntry) -> bool {
    let sends = function.requires.sends.as_ref().filter(|_| !function.uses_all());
    other.may_continue && sends.is_none_or(|sends| sends.tasks.contains(&task.name))
}
