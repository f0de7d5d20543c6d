//! The places of a run in the indexes: what it is found by.

use std::collections::BTreeSet;

use super::{FinalState, Phase, RunRecord};
use crate::{Id, Index, IndexEntry, sort_time};

impl RunRecord {
    /// The partition of a task's runs in the indexes.
    #[must_use]
    pub fn partition(task: &str) -> String {
        format!("run/{task}")
    }

    /// The partition of the runs that a run has started.
    #[must_use]
    pub fn partition_of_children(parent: Id) -> String {
        format!("run/{parent}")
    }

    /// The partition of the runs that a schedule has started.
    #[must_use]
    pub fn partition_of_schedule(schedule: &str) -> String {
        format!("schedule/{schedule}")
    }

    /// The partition of the runs that bear a tag.
    #[must_use]
    pub fn partition_of_tag(tag: &str) -> String {
        format!("run/{tag}")
    }

    /// Is true of an unfinished run that nothing is to be done about for now: it is due later than it was made or last
    /// tried, waits between two iterations or for a permit, or is paused. All others are due, or execute.
    #[must_use]
    pub fn is_put_off(&self) -> bool {
        match &self.phase {
            Phase::Ended(_) | Phase::Running { .. } => false,
            _ if self.is_paused() => true,
            Phase::Parked { .. } | Phase::Waiting | Phase::Awaiting { .. } => true,
            Phase::Queued => self.attempt > 1 || self.started_at.is_none() && self.due_at > self.created_at,
        }
    }

    /// All places but the conductor's. An ordinary run has one, in the list of its task; each other is for what a run has
    /// beyond that.
    pub(super) fn places(&self) -> Vec<IndexEntry> {
        let id = self.id.to_string();
        let at = |index, partition| IndexEntry { index, partition, sort: id.clone() };
        let mut places = vec![at(Index::List, Self::partition(&self.name))];
        if matches!(&self.phase, Phase::Ended(end) if end.state == FinalState::Failed) {
            places.push(at(Index::Failed, Self::partition(&self.name)));
        }
        places.extend(self.parent_id.map(|parent| at(Index::Parent, Self::partition_of_children(parent))));
        let schedule = self.schedule.as_deref();
        places.extend(schedule.map(|schedule| at(Index::Parent, Self::partition_of_schedule(schedule))));
        let tags: BTreeSet<&String> = self.tags.iter().collect();
        places.extend(tags.into_iter().map(|tag| at(Index::Tag, Self::partition_of_tag(tag))));
        if self.is_put_off() {
            let (index, partition) = (Index::Due, Self::partition(&self.name));
            places.push(IndexEntry { index, partition, sort: format!("{}/{id}", sort_time(self.due_at)) });
        }
        places
    }
}
