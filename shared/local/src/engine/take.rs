//! Work that is due, taken from the database as far as there is room for it.

use std::collections::BTreeMap;

use dacapo_core::port::PortResult;
use dacapo_domain::CONDUCTOR;
use jiff::Timestamp;

use super::{Engine, engine::earlier};
use crate::sqlite::{APP_DLQ, DueExecution, ReceivedMessage};

/// Something to be done at once, by itself: it was taken, and nothing else gets it.
#[derive(Debug)]
pub enum Work {
    /// Messages of a queue, for one invocation.
    Messages {
        /// The queue: a function's, the conductor's, or the app's dead-letter queue.
        queue: String,
        /// The messages.
        batch: Vec<ReceivedMessage>,
    },
    /// An execution of a wait loop whose wait is over.
    Execution(DueExecution),
    /// The conductor's sweep of what is overdue.
    Sweep,
}

impl Work {
    /// Names the room for executions of wait loops, where queues are named by their functions.
    pub const WAIT_LOOPS: &str = "loop/1";

    /// The name of the room that it takes.
    #[must_use]
    pub fn room(&self) -> &str {
        match self {
            Self::Messages { queue, .. } => queue,
            Self::Execution(_) => Self::WAIT_LOOPS,
            Self::Sweep => CONDUCTOR,
        }
    }
}

/// The work that was taken, and the time of the next.
#[derive(Debug)]
pub struct Turn {
    /// The work that was due and found room.
    pub work: Vec<Work>,
    /// The next time at which there is something to do, the past if something found no room; `None` if there never is.
    pub next: Option<Timestamp>,
}

impl Engine {
    /// Takes what is due now. `room` says of each room how many more invocations it takes.
    ///
    /// # Errors
    /// If the database can't be used; what was taken comes back when its visibility ends.
    pub async fn take(&self, room: impl Fn(&str) -> usize) -> PortResult<Turn> {
        let queues = self.functions.keys().map(String::as_str).chain([CONDUCTOR, APP_DLQ]);
        let messages = |queue: &str| count(room(queue)).saturating_mul(self.batch_size(queue));
        let rooms: BTreeMap<_, _> = queues.map(|queue| (queue.to_owned(), messages(queue))).collect();
        let due = loop {
            let due = self.database.take_due(rooms.clone(), count(room(Work::WAIT_LOOPS))).await?;
            if due.schedules.is_empty() {
                break due;
            }
            self.fire(due.schedules).await?;
        };
        let mut work = vec![];
        for (queue, messages) in due.messages {
            let batches = messages.chunks(self.batch_size(&queue) as usize);
            work.extend(batches.map(|batch| Work::Messages { queue: queue.clone(), batch: batch.to_vec() }));
        }
        work.extend(due.executions.into_iter().map(Work::Execution));
        let mut sweep = due.reconcile.map(|at| self.sweeps_at(at));
        if room(CONDUCTOR) > 0 && sweep.is_some_and(|at| at <= self.clock.now()) {
            self.has_swept();
            sweep = due.reconcile.map(|at| self.sweeps_at(at));
            work.push(Work::Sweep);
        }
        Ok(Turn { work, next: earlier(due.next, sweep) })
    }

    /// Messages of a queue for one invocation, at most.
    fn batch_size(&self, queue: &str) -> u32 {
        self.functions.get(queue).map_or(1, |function| function.batch_size())
    }

    /// Does it. What fails is said, and comes back as it would on AWS.
    pub async fn perform(&self, work: Work) {
        let done = match work {
            Work::Messages { queue, batch } => self.deliver(&queue, &batch).await,
            Work::Execution(due) => self.call(due).await,
            Work::Sweep => self.sweep().await,
        };
        if let Err(error) = done {
            tracing::error!(%error, "the engine failed to store what came of its work");
        }
    }
}

fn count(permits: usize) -> u32 {
    u32::try_from(permits).unwrap_or(u32::MAX)
}
