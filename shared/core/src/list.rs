//! The pages of a list: of runs, of deliveries.

use std::collections::VecDeque;

use dacapo_domain::{
    BULK, Cursor, CursorError, DeliveryFilter, DeliveryRecord, Index, List, ListFilter, Machine, Query, RunRecord,
    StoredRecord,
};

use crate::{
    App, Error, ErrorKind,
    commit::{Stored, read_record},
    port::{PortResult, Ports},
};

/// Reads for one page: a filter that few records pass gives a short page and a cursor, not a long wait.
const READS: u32 = 10;

/// A page of a list.
pub struct Found<T> {
    /// The rows of the page.
    pub items: Vec<T>,
    /// Problems with what could not be read, one line each.
    pub unreadable: Vec<String>,
    /// The place where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

/// A page of runs, each with the payloads that are stored with it.
///
/// # Errors
/// `Usage` for a filter that can't be used, `Refused` for a cursor of another list, an error of the store.
pub async fn list_runs(app: &App, filter: &ListFilter) -> Result<Found<Stored<RunRecord>>, Error> {
    filter.check().map_err(Error::usage)?;
    let (now, tasks) = (app.ports().clock.now(), partitions(app, filter.task.as_deref()).await?);
    let read = |index, stored: StoredRecord| {
        if stored.header.key.kind != RunRecord::KIND {
            return Ok(None); // What was written by a former version is in no partition of its kind.
        }
        let stored = read_record::<RunRecord>(stored)?;
        Ok(filter.has(index, &stored.record, now).then_some(stored))
    };
    page(app.ports(), filter.list(tasks), filter.limit, filter.cursor.as_deref(), read).await
}

/// A page of deliveries, each with the payloads that are stored with it.
///
/// # Errors
/// As [`list_runs`].
pub async fn list_deliveries(app: &App, filter: &DeliveryFilter) -> Result<Found<Stored<DeliveryRecord>>, Error> {
    filter.check().map_err(Error::usage)?;
    let read = |_, stored| {
        let stored = read_record::<DeliveryRecord>(stored)?;
        Ok(filter.has(&stored.record).then_some(stored))
    };
    page(app.ports(), filter.list(), filter.limit, filter.cursor.as_deref(), read).await
}

/// The partitions that hold a task's runs, or all runs: those of tasks that are no more are kept for their time.
async fn partitions(app: &App, task: Option<&str>) -> Result<Vec<String>, Error> {
    if let Some(task) = task {
        return Ok(vec![RunRecord::partition(task)]);
    }
    let (manifest, former) = (app.manifest().await?, app.former_tasks().await?);
    let current = manifest.tasks().map(|(_, task)| task.name.as_str());
    let names = current.chain(former.iter().map(|task| task.name.as_str())).chain([BULK]);
    Ok(names.map(RunRecord::partition).collect())
}

/// A page of a list: what is read of its records, but for those that are none of it.
async fn page<T>(
    ports: &Ports,
    list: List,
    limit: usize,
    cursor: Option<&str>,
    read: impl Fn(Index, StoredRecord) -> PortResult<Option<T>>,
) -> Result<Found<T>, Error> {
    let name = list.name.clone();
    let (mut asks, mut place) = after(list, cursor)?;
    let mut found = Found { items: vec![], unreadable: vec![], cursor: None };
    let mut reads = 0;
    while let Some(ask) = asks.pop_front() {
        if reads == READS || found.items.len() >= limit {
            found.cursor = Some(Cursor::new(&name, ask.index, place).to_string());
            break;
        }
        reads += 1;
        let page = ports.records.query(&Query { limit: limit - found.items.len(), ..ask.clone() }).await?;
        found.unreadable.extend(page.unreadable.into_iter().map(|it| format!("{}: {}", it.key, it.problem)));
        for stored in page.records {
            match read(ask.index, stored) {
                Ok(item) => found.items.extend(item),
                Err(error) => found.unreadable.push(error.to_string()),
            }
        }
        place.clone_from(&page.last);
        if let Some(last) = page.last {
            asks.push_front(ask.after(last));
        }
    }
    Ok(found)
}

/// The questions that are left, and where the first of them begins.
fn after(list: List, cursor: Option<&str>) -> Result<(VecDeque<Query>, Option<String>), Error> {
    let mut asks = VecDeque::from(list.asks);
    let Some(cursor) = cursor else { return Ok((asks, None)) };
    let refused = |error| Error::new(ErrorKind::Refused, format!("read the cursor {cursor:?}: {error}"));
    let Cursor { index, place, .. } = Cursor::read(cursor, &list.name).map_err(refused)?;
    while asks.front().is_some_and(|ask| ask.index != index) {
        asks.pop_front();
    }
    let first = asks.pop_front().ok_or_else(|| refused(CursorError::NotOne))?;
    asks.push_front(match place.clone() {
        Some(place) => first.after(place),
        None => first,
    });
    Ok((asks, place))
}
