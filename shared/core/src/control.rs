//! Control of runs from outside: an input with the policy of the run's task as it is deployed, and an abort with all that
//! it ends.

use dacapo_domain::{Index, Input, Policy, Query, RunRecord, Task, Trigger, Work};
use futures::future::{BoxFuture, join_all};
use jiff::Timestamp;

use crate::{
    App, Error, ErrorKind,
    commit::{Committed, commit_run, read_record},
    lifecycle::settle,
};

/// Children that are read, and aborted, at once.
const PAGE: usize = 100;
const AT_ONCE: usize = 16;

/// Commits an input from outside. Only code in Lambda judges a lease, so a run that executes is told, not ended. `None`
/// where the record is gone.
///
/// # Errors
/// An error of the store.
pub async fn change(
    app: &App,
    seen: RunRecord,
    input: &Input,
    until: Timestamp,
) -> Result<Option<Committed<RunRecord>>, Error> {
    let policy = match app.task(&seen.name).await {
        Ok(task) => task.map_or_else(Policy::of_removed, |task| task.policy),
        Err(error) if error.kind() == ErrorKind::NotDeployed => Policy::of_removed(),
        Err(error) => return Err(error),
    };
    let committed = commit_run(app.ports(), seen, input, Task::Known(&policy), until).await?;
    if let Some(Committed { record, work: Some(Work::PublishLifecycle), .. }) = &committed
        && let Err(error) = settle(app, record, until).await
    {
        tracing::warn!(run = %record.id, %error, "a lifecycle event is left to the conductor");
    }
    Ok(committed)
}

/// Ends a run, or tells the attempt that executes, and whatever it has started at every depth. What is not reached by
/// `until` is left to the conductor. `None` where the record is gone.
///
/// # Errors
/// An error of the store about the run itself.
pub fn abort<'a>(
    app: &'a App,
    seen: RunRecord,
    message: String,
    until: Timestamp,
) -> BoxFuture<'a, Result<Option<Committed<RunRecord>>, Error>> {
    Box::pin(async move {
        let aborted = change(app, seen, &Input::AbortRequested(message), until).await?;
        if let Some(Committed { record, changed: true, .. }) = &aborted
            && let Err(error) = abort_children(app, record, until).await
        {
            tracing::warn!(run = %record.id, %error, "children of an aborted run are left to the conductor");
        }
        Ok(aborted)
    })
}

/// Aborts the children of a run whose abort was asked for, as far as an index has them by now.
///
/// # Errors
/// The first error of the store, after all were tried; `Transient` where `until` came first.
pub async fn abort_children(app: &App, parent: &RunRecord, until: Timestamp) -> Result<(), Error> {
    let Some(message) = parent.pending_cascade().and_then(|_| parent.abort_of_children()) else { return Ok(()) };
    let partitions = vec![RunRecord::partition_of_children(parent.id)];
    let mut query = Query { index: Index::Parent, partitions, from: None, below: None, descending: false, limit: PAGE };
    let mut failed = Ok(());
    loop {
        let page = app.ports().records.query(&query).await?;
        let records = page.records.into_iter().filter_map(|stored| read_record::<RunRecord>(stored).ok());
        let children: Vec<RunRecord> = records.map(|stored| stored.record).filter(is_to_end).collect();
        for some in children.chunks(AT_ONCE) {
            if app.ports().clock.now() > until {
                return Err(Error::new(ErrorKind::Transient, "abort all children in time (the conductor goes on)"));
            }
            for aborted in join_all(some.iter().map(|child| abort(app, child.clone(), message.clone(), until))).await {
                failed = failed.and(aborted.map(drop));
            }
        }
        match page.last {
            Some(last) => query = query.after(last),
            None => return failed,
        }
    }
}

/// A replay has its parent by another right. One that was told already tells its own children.
fn is_to_end(child: &RunRecord) -> bool {
    child.trigger == Trigger::Child && !child.phase.is_final() && child.abort().is_none()
}
