//! The runs of a task, for a test to look at.

use dacapo::{RunView, TaskRef};
use dacapo_core::{commit::read_record, port::PortResult};
use dacapo_domain::{Index, Query, RunRecord, StoredRecord};

use crate::app::{TestApp, now};

/// Runs that are read at once.
const PAGE: usize = 1_000;

impl TestApp {
    /// The one run of a task.
    ///
    /// # Panics
    /// If the task has no run, or several: see [`runs_of`](Self::runs_of).
    #[must_use]
    pub fn run_of<I, O>(&self, task: TaskRef<I, O>) -> RunView {
        let name = task.name();
        let mut runs = self.runs_of(task);
        match (runs.pop(), runs.len()) {
            (Some(run), 0) => run,
            (None, _) => panic!("task {name:?} has no run"),
            (Some(_), others) => panic!("task {name:?} has {} runs (use `runs_of`)", others + 1),
        }
    }

    /// All runs of a task, oldest first.
    ///
    /// # Panics
    /// If the test's database fails.
    #[must_use]
    pub fn runs_of<I, O>(&self, task: TaskRef<I, O>) -> Vec<RunView> {
        let (ports, mut runs) = (self.client().ports(), vec![]);
        let partitions = vec![RunRecord::partition(task.name())];
        let mut query =
            Query { index: Index::List, partitions, from: None, below: None, descending: true, limit: PAGE };
        loop {
            let page = now(ports.records.query(&query));
            runs.extend(page.records);
            query.below = page.last;
            if query.below.is_none() {
                break;
            }
        }
        let read = |stored: StoredRecord| -> PortResult<_> {
            let stored = read_record::<RunRecord>(stored)?;
            Ok((stored.record.created_at, RunView::new(&stored.record, stored.payloads, self.now())))
        };
        let runs = runs.into_iter().map(read).collect::<PortResult<Vec<_>>>();
        let mut runs = runs.unwrap_or_else(|error| panic!("{error}"));
        runs.sort_by_key(|(created_at, run)| (*created_at, run.id));
        runs.into_iter().map(|(_, run)| run).collect()
    }
}
