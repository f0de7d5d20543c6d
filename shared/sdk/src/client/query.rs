//! Reading runs: one, a page of them, a log.

use dacapo_core::{
    commit::{Stored, load, load_ended, read_record},
    port::LogEntry,
};
use dacapo_domain::{Id, Index, Machine, OwnedQuery, Query, RunRecord, RunView, State, StepRecord, StepView};
use serde::{Deserialize, Serialize};

use super::{Client, unknown_task};
use crate::{Error, ErrorKind};

/// Lines of one read of a log.
const LOG_PAGE: usize = 500;
/// Steps of one read: each may come with its value.
const STEPS_PAGE: usize = 100;
/// Reads for one page: a filter that few runs pass gives a short page and a cursor, not a long wait.
const READS: u32 = 10;
/// The version of a cursor's form.
const CURSOR_FORM: &str = "1";

/// The filter of a list of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFilter {
    /// Runs of this task; of all where none is named.
    pub task: Option<String>,
    /// Runs in this state.
    pub state: Option<State>,
    /// Runs of one page at most, 1 to 1,000.
    pub limit: usize,
    /// The place to go on from: a former page's.
    pub cursor: Option<String>,
}

/// A page of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The runs, newest first, with their payloads as far as they are stored with the record.
    pub runs: Vec<RunView>,
    /// Why runs of this page are left out that can't be read, one line a run: they were written by another version.
    pub unreadable: Vec<String>,
    /// The place where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

impl Client {
    /// A run as it stands.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, or the history has let it go.
    pub async fn state(&self, id: Id) -> Result<RunView, Error> {
        let stored = self.stored(id).await?;
        Ok(self.view(stored))
    }

    /// A page of runs, newest first.
    ///
    /// # Errors
    /// `Usage` for a limit that is not 1 to 1,000, `Refused` for a cursor of another list, `NotFound` for a task that
    /// isn't there and whose runs the history doesn't have either.
    pub async fn list(&self, filter: ListFilter) -> Result<Listed, Error> {
        if !(1..=1_000).contains(&filter.limit) {
            let text = format!("list a page of {} runs (allowed: 1 to 1000)", filter.limit);
            return Err(Error::new(ErrorKind::Usage, text));
        }
        let index = if filter.state == Some(State::Failed) { Index::Failed } else { Index::List };
        let below = filter.cursor.as_deref().map(|cursor| read_cursor(index, cursor)).transpose()?;
        let partitions = self.partitions(filter.task.as_deref()).await?;
        let mut query = Query { index, partitions, from: None, below, descending: true, limit: filter.limit };
        let (mut runs, mut unreadable) = (vec![], vec![]);
        for _ in 0..READS {
            query.limit = filter.limit - runs.len();
            let page = self.ports().records.query(&query).await?;
            unreadable.extend(page.unreadable.into_iter().map(|found| format!("{}: {}", found.key, found.problem)));
            for stored in page.records {
                match read_record::<RunRecord>(stored).map(|stored| self.view(stored)) {
                    Ok(view) if filter.state.is_none_or(|state| state == view.state) => runs.push(view),
                    Ok(_) => {}
                    Err(error) => unreadable.push(error.to_string()),
                }
            }
            query.below = page.last;
            if query.below.is_none() || runs.len() >= filter.limit {
                break;
            }
        }
        let cursor = query.below.map(|last| format!("{CURSOR_FORM}.{}.{last}", index.name()));
        Ok(Listed { runs, unreadable, cursor })
    }

    /// The partitions that hold a task's runs, or all runs: those of tasks that are no more are kept for their time.
    async fn partitions(&self, task: Option<&str>) -> Result<Vec<String>, Error> {
        let (manifest, former) = (self.app.manifest().await?, self.app.former_tasks().await?);
        let current = manifest.tasks().map(|(_, task)| task.name.as_str());
        let mut names = current.chain(former.iter().map(|task| task.name.as_str()));
        match task {
            None => Ok(names.map(RunRecord::partition).collect()),
            Some(task) if names.any(|name| name == task) => Ok(vec![RunRecord::partition(task)]),
            Some(task) => Err(unknown_task(&manifest, task)),
        }
    }

    /// A run's log entries, in the order they were made.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn logs(&self, id: Id) -> Result<Vec<LogEntry>, Error> {
        self.stored(id).await?;
        let key = RunRecord::key_of(id);
        let mut entries: Vec<LogEntry> = vec![];
        loop {
            let after = entries.last().map(LogEntry::sort);
            let page = self.ports().records.read_log(&key, after.as_deref(), LOG_PAGE).await?;
            let is_last = page.len() < LOG_PAGE;
            for line in &page {
                entries.push(LogEntry::of(line)?);
            }
            if is_last {
                return Ok(entries);
            }
        }
    }

    /// The log entries before the one of this place, at most so many, in the order they were made; the last ones where no
    /// place is given.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn logs_before(&self, id: Id, before: Option<&str>, limit: usize) -> Result<Vec<LogEntry>, Error> {
        self.stored(id).await?;
        let mut lines = self.ports().records.read_log_back(&RunRecord::key_of(id), before, limit).await?;
        lines.reverse();
        Ok(lines.iter().map(LogEntry::of).collect::<Result<_, _>>()?)
    }

    /// A run's steps, by the times at which they were done; those of one instant by name.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn steps(&self, id: Id) -> Result<Vec<StepView>, Error> {
        let run = self.stored(id).await?.record;
        let (owner, kind) = (RunRecord::key_of(id), StepRecord::KIND.to_owned());
        let mut query = OwnedQuery { owner, kind, after: None, limit: STEPS_PAGE };
        let mut steps = vec![];
        if !run.steps.may_exist() && run.lease().is_none() {
            return Ok(steps);
        }
        loop {
            let page = self.ports().records.owned(&query).await?;
            query.after = page.last().filter(|_| page.len() == STEPS_PAGE).map(|last| last.header.key.id.clone());
            for stored in page {
                steps.push(StepView::from(read_record::<StepRecord>(stored)?.record));
            }
            if query.after.is_none() {
                steps.sort_by_key(|step| step.at);
                return Ok(steps);
            }
        }
    }

    pub(super) async fn stored(&self, id: Id) -> Result<Stored<RunRecord>, Error> {
        load(self.ports(), &RunRecord::key_of(id)).await?.ok_or_else(|| unknown_run(id))
    }

    /// A run once it has ended, as far as its store waits for that.
    pub(super) async fn ended(&self, id: Id) -> Result<RunView, Error> {
        let stored = load_ended(self.ports(), &RunRecord::key_of(id)).await?;
        Ok(self.view(stored.ok_or_else(|| unknown_run(id))?))
    }

    pub(super) fn view(&self, stored: Stored<RunRecord>) -> RunView {
        RunView::new(&stored.record, stored.payloads, self.ports().clock.now())
    }
}

fn unknown_run(id: Id) -> Error {
    let text = format!("find run {id} (a finished run is kept for its task's `history`, 14 days by default)");
    Error::new(ErrorKind::NotFound, text)
}

/// The sort text that a page's runs are below.
fn read_cursor(index: Index, cursor: &str) -> Result<String, Error> {
    let mut parts = cursor.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(CURSOR_FORM), Some(name), Some(last)) if name == index.name() && last.parse::<Id>().is_ok() => {
            Ok(last.to_owned())
        }
        _ => {
            let text = format!("read the cursor {cursor:?} (take it from the page before, unchanged)");
            Err(Error::new(ErrorKind::Refused, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_of_another_list_or_form_is_refused() {
        let id = "01JD0000000000000000000000";
        assert_eq!(read_cursor(Index::List, &format!("1.list.{id}")).unwrap(), id);
        for cursor in ["", id, "1.list.", "1.list.next", &format!("1.failed.{id}"), &format!("2.list.{id}")] {
            assert_eq!(read_cursor(Index::List, cursor).unwrap_err().kind(), ErrorKind::Refused, "{cursor:?}");
        }
    }
}
