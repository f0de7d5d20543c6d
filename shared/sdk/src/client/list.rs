//! Lists of runs: by what they have in common, newest first, or by when they are due.

use dacapo_core::{
    commit::Stored,
    list::{Found, list_runs},
};
use dacapo_domain::{BULK, ListFilter, RunRecord, RunView};

use super::{Client, unknown_task};
use crate::Error;

/// A page of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// The runs, newest first or by when they are due, with their payloads as far as they are stored with the record.
    pub runs: Vec<RunView>,
    /// The reasons why runs of this page are left out that can't be read, one line a run: another version wrote them.
    pub unreadable: Vec<String>,
    /// The place where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

impl Client {
    /// A page of runs, newest first, or, of unfinished ones, by when they are due.
    ///
    /// # Errors
    /// `Usage` for a limit that is not 1 to 1,000, or a filter that no run can pass; `Refused` for a cursor of another
    /// list; `NotFound` for a task that isn't there and whose runs the history doesn't have either.
    ///
    /// # Example: the runs of a tag that failed since a time
    ///
    /// ```
    /// use dacapo::{Client, Error, ListFilter, State};
    ///
    /// async fn failed(client: &Client, tag: &str, since: jiff::Timestamp) -> Result<Vec<dacapo::Id>, Error> {
    ///     let (tag, state, since) = (Some(tag.to_owned()), Some(State::Failed), Some(since));
    ///     let mut filter = ListFilter { tag, state, since, ..ListFilter::default() };
    ///     let mut failed = vec![];
    ///     loop {
    ///         let page = client.list(filter.clone()).await?;
    ///         failed.extend(page.runs.iter().map(|run| run.id));
    ///         filter.cursor = page.cursor;
    ///         if filter.cursor.is_none() {
    ///             return Ok(failed);
    ///         }
    ///     }
    /// }
    /// ```
    pub async fn list(&self, filter: ListFilter) -> Result<Listed, Error> {
        let Found { items, unreadable, cursor } = self.found(&filter).await?;
        let mut runs: Vec<RunView> = items.into_iter().map(|stored| self.view(stored)).collect();
        if filter.unfinished {
            runs.sort_by_key(|run| run.due_at);
        }
        Ok(Listed { runs, unreadable, cursor })
    }

    async fn found(&self, filter: &ListFilter) -> Result<Found<Stored<RunRecord>>, Error> {
        self.check_task(filter).await?;
        list_runs(&self.app, filter).await
    }

    /// Checks that the app has, or had, the task that a filter names.
    pub(super) async fn check_task(&self, filter: &ListFilter) -> Result<(), Error> {
        let Some(task) = filter.task.as_deref().filter(|task| *task != BULK) else { return Ok(()) };
        let (manifest, former) = (self.app.manifest().await?, self.app.former_tasks().await?);
        let is_known = manifest.task(task).is_some() || former.iter().any(|former| former.name == task);
        if is_known { Ok(()) } else { Err(unknown_task(&manifest, task)) }
    }
}
