//! Filters of runs: what they mean, and the indexes that they are read from.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FilterError, LIMIT, List, check};
use crate::{Id, Index, IndexEntry, Query, RunRecord, State, later};

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
    /// Checks that there may be such runs, and pages of them.
    ///
    /// # Errors
    /// For a limit out of range, times that are the wrong way round, and unfinished runs in a final state.
    pub fn check(&self) -> Result<(), FilterError> {
        check("runs", self.limit, self.since, self.until)?;
        match self.state.filter(|state| self.unfinished && state.is_final()) {
            Some(state) => Err(FilterError::Unfinished(state)),
            None => Ok(()),
        }
    }

    /// The list of these runs, where runs of all tasks are in these partitions.
    #[must_use]
    pub fn list(&self, tasks: Vec<String>) -> List {
        let name = format!("runs {:?}", Self { limit: 0, cursor: None, ..self.clone() });
        let asks = if self.unfinished { self.soonest(tasks).to_vec() } else { vec![self.newest(tasks)] };
        List { name, asks }
    }

    /// The ids between the bounds of time: from the first, included, to the second, not.
    fn ids(&self) -> (Option<Id>, Option<Id>) {
        let first_of = |at: Timestamp| Id::new(later(at, Duration::from_nanos(999_999)), 0);
        (self.since.map(first_of), self.until.map(first_of))
    }

    /// Is true of a run that the list has where it was found in this index: each run is in one of those that it is read
    /// from.
    #[must_use]
    pub fn has(&self, index: Index, run: &RunRecord, now: Timestamp) -> bool {
        let is_elsewhere = index == Index::Reconcile && run.is_put_off();
        !is_elsewhere && self.names(run, now)
    }

    /// Is true of a run of which all is true.
    fn names(&self, run: &RunRecord, now: Timestamp) -> bool {
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

    /// The questions for its first page, where those come first that are due soonest: of those that were due when they were
    /// last written, then of those that are put off.
    fn soonest(&self, tasks: Vec<String>) -> [Query; 2] {
        let ask = |index, partitions| Query {
            index,
            partitions,
            from: None,
            below: None,
            descending: false,
            limit: self.limit,
        };
        [ask(Index::Reconcile, vec![IndexEntry::DUE_RUNS.to_owned()]), ask(Index::Due, tasks)]
    }
}
