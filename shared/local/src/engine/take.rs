//! What is due, taken from the database as far as there is room for it.

use dacapo::port::PortResult;
use dacapo_domain::CONDUCTOR;
use futures::{future::try_join_all, try_join};

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
        // Asked at once, they share the database's turn; it takes them in this order.
        let ((), queues, executions, sweep) = try_join!(
            async { try_join!(self.database.fire_timers(), self.fire_schedules()).map(|_| ()) },
            self.database.due_queues(),
            self.take_executions(room(Work::LOOPS)),
            self.next_sweep(),
        )?;
        let queues = queues.into_iter().map(|queue| {
            let places = room(&queue);
            self.take_messages(queue, places)
        });
        let mut work: Vec<Work> = try_join_all(queues).await?.into_iter().flatten().collect();
        work.extend(executions.into_iter().map(Work::Execution));
        if room(CONDUCTOR) > 0 && sweep.is_some_and(|at| at <= self.clock.now()) {
            self.has_swept();
            work.push(Work::Sweep);
        }
        Ok(work)
    }

    /// Takes messages of a queue for so many invocations.
    async fn take_messages(&self, queue: String, places: usize) -> PortResult<Vec<Work>> {
        let size = self.functions.get(&queue).map_or(1, |function| function.batch_size());
        let wanted = u32::try_from(places).unwrap_or(u32::MAX).saturating_mul(size);
        if wanted == 0 {
            return Ok(vec![]);
        }
        let received = self.database.receive(&queue, wanted).await?;
        let batches = received.chunks(size as usize);
        Ok(batches.map(|batch| Work::Messages { queue: queue.clone(), batch: batch.to_vec() }).collect())
    }

    async fn take_executions(&self, places: usize) -> PortResult<Vec<DueExecution>> {
        if places == 0 {
            return Ok(vec![]);
        }
        self.database.due_executions(u32::try_from(places).unwrap_or(u32::MAX)).await
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
