//! What is due, taken from the database as far as there is room for it.

use dacapo::port::PortResult;
use dacapo_domain::CONDUCTOR;

use super::Engine;
use crate::sqlite::{DueExecution, Received};

/// Something to be done at once, by itself: it was taken, and nobody else gets it.
#[derive(Debug)]
pub enum Work {
    /// Messages of a queue, for one invocation.
    Messages {
        /// The queue: a function's, the conductor's, or the app's dead-letter queue.
        queue: String,
        /// The messages.
        batch: Vec<Received>,
    },
    /// An execution of the loop whose wait is over.
    Execution(DueExecution),
    /// The conductor's look at what is overdue.
    Sweep,
}

impl Work {
    /// Names the room for executions of the loop, where queues are named by their functions.
    pub const LOOPS: &str = "loop/1";

    /// Whose room it takes.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            Self::Messages { queue, .. } => queue,
            Self::Execution(_) => Self::LOOPS,
            Self::Sweep => CONDUCTOR,
        }
    }
}

impl Engine {
    /// Takes what is due now. `room` says of a place how many more invocations it takes.
    ///
    /// # Errors
    /// If the database can't be used; what was taken comes back when its visibility ends.
    pub async fn take(&self, room: impl Fn(&str) -> usize) -> PortResult<Vec<Work>> {
        self.database.fire_timers().await?;
        self.fire_schedules().await?;
        let mut work = vec![];
        for queue in self.database.due_queues().await? {
            let size = self.functions.get(&queue).map_or(1, |function| function.batch_size());
            let wanted = u32::try_from(room(&queue)).unwrap_or(u32::MAX).saturating_mul(size);
            if wanted == 0 {
                continue;
            }
            let mut received = self.database.receive(&queue, wanted).await?.into_iter().peekable();
            while received.peek().is_some() {
                let batch = received.by_ref().take(size as usize).collect();
                work.push(Work::Messages { queue: queue.clone(), batch });
            }
        }
        let wanted = u32::try_from(room(Work::LOOPS)).unwrap_or(u32::MAX);
        if wanted > 0 {
            work.extend(self.database.due_executions(wanted).await?.into_iter().map(Work::Execution));
        }
        if room(CONDUCTOR) > 0 && self.next_sweep().await?.is_some_and(|at| at <= self.clock.now()) {
            self.has_swept();
            work.push(Work::Sweep);
        }
        Ok(work)
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
