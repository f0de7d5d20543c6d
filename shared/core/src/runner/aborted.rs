//! A run that starts although its parent was aborted.

use std::time::Duration;

use dacapo_domain::{AttemptEnd, AttemptOutcome, Input, RunRecord, Task, TaskEntry, Trigger};
use jiff::Timestamp;

use super::{EndedAttempt, Runner};
use crate::{
    commit::{Committed, commit_run, read_record, retry_until},
    port::PortResult,
};

impl Runner {
    /// The message of an abort that the run's parent was asked for before it knew of this run: read once it has started,
    /// so that either the abort finds it or it finds the abort.
    pub(super) async fn abort_of_parent(&self, run: &RunRecord, deadline: Timestamp) -> PortResult<Option<String>> {
        let is_first = (run.iteration, run.attempt) == (1, 1) && run.trigger == Trigger::Child;
        let Some(parent) = run.parent_id.filter(|_| is_first) else { return Ok(None) };
        let key = [RunRecord::key_of(parent)];
        let found = retry_until(self.ports(), deadline, || self.ports().records.peek(&key)).await?;
        let parent = found.into_iter().next().and_then(|stored| read_record::<RunRecord>(stored).ok());
        Ok(parent.and_then(|parent| parent.record.abort_of_children()))
    }

    /// Ends the attempt of a run whose parent was aborted, in place of its handler.
    pub(super) async fn end_aborted(
        &self,
        run: RunRecord,
        message: String,
        entry: &TaskEntry,
        deadline: Timestamp,
    ) -> PortResult<Option<EndedAttempt>> {
        let Some(token) = run.lease().map(|lease| lease.token) else { return Ok(None) };
        let task = Task::Known(&entry.policy);
        let told = commit_run(self.ports(), run, &Input::AbortRequested(message), task, deadline).await?;
        let Some(Committed { record, .. }) = told else { return Ok(None) };
        // A start that is owed is published with the end.
        let end = AttemptEnd { published: false, ..AttemptEnd::new(token, AttemptOutcome::Aborted, Duration::ZERO) };
        Ok(Some(EndedAttempt { run: record, end, policy: entry.policy.clone() }))
    }
}
