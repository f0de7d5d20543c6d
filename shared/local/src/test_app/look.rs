//! What a test looks at.

use dacapo_core::{
    RunRecord, TaskRef,
    port::{ListFilter, Stored},
};

use super::{TestApp, app::now};

/// Runs that are read at once.
const PAGE: usize = 1_000;

impl TestApp {
    /// The one run of a task.
    ///
    /// # Panics
    /// If the task has no run, or several: see [`runs_of`](Self::runs_of).
    #[must_use]
    pub fn run_of<I, O>(&self, task: TaskRef<I, O>) -> RunRecord {
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
    pub fn runs_of<I, O>(&self, task: TaskRef<I, O>) -> Vec<RunRecord> {
        let (ports, mut runs, mut cursor) = (self.ports(), vec![], None);
        loop {
            let filter = ListFilter { task: Some(task.name().to_owned()), state: None, limit: PAGE, cursor };
            let page = now(ports.store.list(&filter));
            runs.extend(page.runs);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        runs.sort_by_key(|stored| (stored.run.created_at, stored.run.id));
        let read = |Stored { run, body, input, result }| RunRecord::new(&run, body, input, result, ports.clock.now());
        runs.into_iter().map(read).collect()
    }
}
