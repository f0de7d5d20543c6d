//! Lists of runs: by what they have in common, newest first, or by when they are due.

use std::time::Duration;

use dacapo_core::commit::read_record;
use dacapo_domain::{Id, Index, IndexEntry, Machine, Query, RunRecord, RunView, State, later, sort_time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Client,
    pages::{Found, List, check_limit},
    unknown_task,
};
use crate::Error;

/// The runs of a page where the filter doesn't say.
const LIMIT: usize = 20;
/// The time by which the conductor looks at all runs that are due: no lease, and no pause of its own, is longer.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(2 * 3_600);

/// The filter of a list of runs: those of which all of it is true. Each field that isn't named is true of all.
///
/// Parent, schedule, tag, the state "failed", and else the task have an index each, and the first of these that is named
/// is the one that is read, between the bounds of time: its page takes the same time at a thousand runs and at ten
/// million. What is named beside it is looked for on its pages, which may be short then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ListFilter {
    /// Runs of this task, which may be one that is deployed no more.
    pub task: Option<String>,
    /// Runs in this state.
    pub state: Option<State>,
    /// Runs that bear this tag now.
    pub tag: Option<String>,
    /// Runs that this run has started, and replays of it.
    pub parent: Option<Id>,
    /// Runs that this schedule has started.
    pub schedule: Option<String>,
    /// Runs created then or later, to the millisecond. A run that a handler starts counts as created when its
    /// iteration, or event, was due.
    pub since: Option<Timestamp>,
    /// Runs created before then.
    pub until: Option<Timestamp>,
    /// Unfinished runs alone, those that are due soonest first, instead of the newest first: those that were due when
    /// they were last written, then those that are put off.
    pub unfinished: bool,
    /// Runs of one page at most, 1 to 1,000.
    pub limit: usize,
    /// The place to go on from: a former page's.
    pub cursor: Option<String>,
}

/// A page of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// The runs, newest first or by when they are due, with their payloads as far as they are stored with the record.
    pub runs: Vec<RunView>,
    /// Why runs of this page are left out that can't be read, one line a run: they were written by another version.
    pub unreadable: Vec<String>,
    /// The place where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

impl Default for ListFilter {
    /// All runs, 20 a page.
    fn default() -> Self {
        Self {
            task: None,
            state: None,
            tag: None,
            parent: None,
            schedule: None,
            since: None,
            until: None,
            unfinished: false,
            limit: LIMIT,
            cursor: None,
        }
    }
}

impl ListFilter {
    /// # Errors
    /// `Usage` for what no run can be.
    fn check(&self) -> Result<(), Error> {
        let Self { since, until, limit, .. } = self;
        check_limit("runs", *limit)?;
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            return Err(Error::usage(format_args!("list runs since {since} until {until} (since is the earlier one)")));
        }
        match self.state.filter(|state| self.unfinished && state.is_final()) {
            Some(state) => {
                Err(Error::usage(format_args!("list unfinished runs that are {state} (leave out one of both)")))
            }
            None => Ok(()),
        }
    }

    /// What tells its list from all others.
    fn name(&self) -> String {
        format!("runs {:?}", Self { limit: 0, cursor: None, ..self.clone() })
    }

    /// The ids between the bounds of time: from the first, included, to the second, not.
    fn ids(&self) -> (Option<Id>, Option<Id>) {
        let first_of = |at: Timestamp| Id::new(later(at, Duration::from_nanos(999_999)), 0);
        (self.since.map(first_of), self.until.map(first_of))
    }

    /// Is true of a run that the list has.
    fn has(&self, run: &RunRecord, now: Timestamp) -> bool {
        let (from, below) = self.ids();
        self.task.as_ref().is_none_or(|task| run.name == *task)
            && self.state.is_none_or(|state| run.state_at(now) == state)
            && self.tag.as_ref().is_none_or(|tag| run.tags.contains(tag))
            && self.parent.is_none_or(|parent| run.parent_id == Some(parent))
            && self.schedule.as_ref().is_none_or(|schedule| run.schedule.as_ref() == Some(schedule))
            && from.is_none_or(|from| run.id >= from)
            && below.is_none_or(|below| run.id < below)
            && !(self.unfinished && run.phase.is_final())
    }

    /// The question for its first page, where the newest come first.
    fn newest(&self, tasks: Vec<String>) -> Query {
        let (index, partitions) = match self {
            Self { parent: Some(parent), .. } => (Index::Parent, vec![RunRecord::partition_of_children(*parent)]),
            Self { schedule: Some(schedule), .. } => (Index::Parent, vec![RunRecord::partition_of_schedule(schedule)]),
            Self { tag: Some(tag), .. } => (Index::Tag, vec![RunRecord::partition_of_tag(tag)]),
            Self { state: Some(State::Failed), .. } => (Index::Failed, tasks),
            _ => (Index::List, tasks),
        };
        let (from, below) = self.ids();
        let (from, below) = (from.map(|id| id.to_string()), below.map(|id| id.to_string()));
        Query { index, partitions, from, below, descending: true, limit: self.limit }
    }

    /// The questions for its first page, where those come first that are due soonest: of those that the conductor looks
    /// at soon, then of those that are put off.
    fn soonest(&self, tasks: Vec<String>, now: Timestamp) -> [Query; 2] {
        let below = Some(sort_time(later(now, LOOKED_AT_WITHIN)));
        let ask = |index, partitions| Query {
            index,
            partitions,
            from: None,
            below: None,
            descending: false,
            limit: self.limit,
        };
        let due = Query { below, ..ask(Index::Reconcile, vec![IndexEntry::RECONCILED.to_owned()]) };
        [due, ask(Index::Due, tasks)]
    }
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
        filter.check()?;
        let (now, tasks) = (self.ports().clock.now(), self.partitions(filter.task.as_deref()).await?);
        let asks = if filter.unfinished { filter.soonest(tasks, now).to_vec() } else { vec![filter.newest(tasks)] };
        let list = List { name: filter.name(), asks };
        let found = self.page(list, filter.limit, filter.cursor.as_deref(), |index, stored| {
            if stored.header.key.kind != RunRecord::KIND {
                return Ok(None); // The conductor's index has every kind.
            }
            let stored = read_record::<RunRecord>(stored)?;
            let is_elsewhere = index == Index::Reconcile && stored.record.is_put_off();
            Ok((!is_elsewhere && filter.has(&stored.record, now)).then(|| self.view(stored)))
        });
        let Found { items: mut runs, unreadable, cursor } = found.await?;
        if filter.unfinished {
            runs.sort_by_key(|run| run.due_at);
        }
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
}
