//! The reasons why functions don't make an app.

/// A reason why functions don't make an app.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Two functions, or queues of theirs, would have one name on AWS, or one has a name that the app uses itself.
    #[error("{one} and {other} have one name on AWS, {name:?} (rename one of them)")]
    SameName {
        /// The name.
        name: String,
        /// The first, with its crate.
        one: String,
        /// The second, with its crate.
        other: String,
    },
    /// An event's handlers in one function could take longer than an invocation may.
    #[error(
        "the handlers of event {event:?} in {function} may take {seconds} s in all (allowed: 850 s; shorten their timeouts or split them over two crates)"
    )]
    TooLong {
        /// The event's name.
        event: String,
        /// The function.
        function: String,
        /// The sum of the timeouts, in seconds.
        seconds: u64,
    },
    /// Two tasks of one queue give it different limits.
    #[error("queue {queue:?}: task {one:?} gives it {of_one}, and task {other:?} {of_other} (let both say the same)")]
    Queue {
        /// The queue.
        queue: String,
        /// The first.
        one: String,
        /// The limits.
        of_one: String,
        /// The second.
        other: String,
        /// The limits.
        of_other: String,
    },
    /// A queue bears the name of a task that isn't in it: both would be paused by one name.
    #[error(
        "queue {queue:?} of task {task:?} bears the name of a task that has a queue of its own (give it another name)"
    )]
    QueueOfATask {
        /// The queue, and the task.
        queue: String,
        /// A task in the queue.
        task: String,
    },
    /// A declared schedule never fires again.
    #[error("task {task:?}: {why}")]
    NeverFires {
        /// The task.
        task: String,
        /// The schedule, and what is wrong with it.
        why: String,
    },
}

/// The manifest is larger than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the manifest has {bytes} bytes (allowed: {allowed}; declare schedules with smaller bodies, or split the app)")]
pub struct ManifestTooLarge {
    pub(super) bytes: usize,
    pub(super) allowed: usize,
}
