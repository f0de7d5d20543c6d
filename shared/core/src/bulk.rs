//! The built-in task that does something to all records that a filter names: a page after the other, at no more than a
//! rate, and from where it stood after a crash.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dacapo_domain::{
    AttemptError, AttemptOutcome, Bulk, BulkAction, BulkPage, DeliveryFilter, DeliveryRecord, Id, Json, ListFilter,
    Machine, NewRun, Payload, RecordKey, RunRecord, RunView, State, StoredRecord, TaskEntry, Trigger, Wait, code,
    hash128, later, slot,
};
use futures::future::{BoxFuture, join_all};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use crate::{
    App, Error, ErrorKind,
    attempt::TaskAttempt,
    commit::{PATIENCE, Stored, create, load, read_record},
    control, dead_letter,
    function::ErasedTask,
    hook::HookName,
    list::{Found, list_deliveries, list_runs},
    port::PortResult,
};

/// Records of one page, at most, and those that something is done to at once.
const PAGE: u32 = 100;
const AT_ONCE: usize = 16;
/// Records that are counted by one read.
const COUNTED: usize = 1_000;
/// The time after which an iteration goes on with the next: well within the conductor's own limit.
const ITERATION: Duration = Duration::from_secs(20);

/// The task.
pub(crate) struct BulkTask;

/// A record that something is done to.
enum Target {
    Run(Box<Stored<RunRecord>>),
    Delivery(Box<DeliveryRecord>),
}

impl Target {
    fn read(stored: StoredRecord) -> PortResult<Self> {
        Ok(match &*stored.header.key.kind {
            RunRecord::KIND => Self::Run(Box::new(read_record(stored)?)),
            _ => Self::Delivery(Box::new(read_record(stored)?.record)),
        })
    }

    fn key(&self) -> RecordKey {
        match self {
            Self::Run(run) => RunRecord::key_of(run.record.id),
            Self::Delivery(delivery) => delivery.key(),
        }
    }
}

/// The number of records that an action is for, as they are now.
///
/// # Errors
/// As of their list.
pub async fn count(app: &App, action: &BulkAction) -> Result<u64, Error> {
    let (mut count, mut cursor) = (0, None);
    loop {
        let page = page(app, action, COUNTED, cursor).await?;
        count += page.items.len() as u64;
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(count);
        }
    }
}

/// A page of the records that an action is for.
async fn page(app: &App, action: &BulkAction, limit: usize, cursor: Option<String>) -> Result<Found<Target>, Error> {
    match action {
        BulkAction::Abort { runs, .. } | BulkAction::Replay { runs } => {
            let page = list_runs(app, &ListFilter { limit, cursor, ..runs.clone() }).await?;
            let items = page
                .items
                .into_iter()
                .filter(|run| action.is_for(&run.record))
                .map(Box::new)
                .map(Target::Run)
                .collect();
            Ok(Found { items, unreadable: page.unreadable, cursor: page.cursor })
        }
        BulkAction::Redrive { deliveries } => {
            let page = list_deliveries(app, &DeliveryFilter { limit, cursor, ..deliveries.clone() }).await?;
            let items = page.items.into_iter().map(|stored| Target::Delivery(Box::new(stored.record))).collect();
            Ok(Found { items, unreadable: page.unreadable, cursor: page.cursor })
        }
    }
}

#[async_trait]
impl ErasedTask for BulkTask {
    fn entry(&self) -> TaskEntry {
        TaskEntry::bulk()
    }

    async fn call(self: Arc<Self>, input: Json, attempt: Arc<TaskAttempt>) -> AttemptOutcome {
        let worked = match input.parse::<Bulk>() {
            Ok(bulk) => work(bulk, &attempt).await,
            Err(error) => Err(Error::usage(format_args!("read the input of a bulk run: {error}"))),
        };
        worked.unwrap_or_else(|error| {
            let failed = if error.is_terminal() { AttemptError::terminal } else { AttemptError::retryable };
            AttemptOutcome::Failed(failed(code::ERROR, error.to_string()))
        })
    }

    async fn handle_failure(&self, error: AttemptError, _: Arc<TaskAttempt>) -> AttemptError {
        error
    }

    fn end_hooks(&self, _: &RunView) -> Vec<HookName> {
        vec![]
    }

    async fn run_end_hook(&self, _: HookName, _: Arc<TaskAttempt>, _: RunView) {}
}

/// Works for one iteration. Each page is stored before anything is done to it, with the counts until then: after a crash it
/// is gone through again, and each of its records is counted once.
async fn work(mut bulk: Bulk, attempt: &Arc<TaskAttempt>) -> Result<AttemptOutcome, Error> {
    let begun = Instant::now();
    loop {
        if attempt.is_aborted().await? {
            return Ok(AttemptOutcome::Aborted);
        }
        let asked = Instant::now();
        let targets = match bulk.page.take() {
            Some(page) => left_of(attempt.app(), page, &mut bulk).await?,
            None => begin_page(&mut bulk, attempt).await?,
        };
        let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        act_on(targets, &mut bulk, attempt).await?;
        bulk.page = None;
        if bulk.ends() {
            let result = Json::of(&bulk.tally).map_err(|error| error.to_string());
            return Ok(AttemptOutcome::Done { result, message: Some(bulk.words()) });
        }
        attempt.progress(bulk.words(), bulk.fraction()).await?;
        sleep_until(asked + Duration::from_secs(1) * count / bulk.per_second.max(1)).await;
        if begun.elapsed() >= ITERATION {
            let input = Json::of(&bulk).map_err(Error::usage)?;
            return Ok(AttemptOutcome::Continue { input, wait: Wait::After(Duration::ZERO) });
        }
    }
}

/// The next page, once it is stored what it holds.
async fn begin_page(bulk: &mut Bulk, attempt: &TaskAttempt) -> Result<Vec<Target>, Error> {
    let (app, limit) = (attempt.app(), bulk.per_second.clamp(1, PAGE) as usize);
    let page = page(app, &bulk.action, limit, bulk.cursor.take()).await?;
    if bulk.is_first_pass() {
        page.unreadable.into_iter().for_each(|why| bulk.tally.refuse(why));
    }
    bulk.cursor = page.cursor;
    if !page.items.is_empty() {
        let keys = page.items.iter().map(|target| target.key().to_string()).collect();
        bulk.page = Some(BulkPage { begun_at: app.ports().clock.now(), keys });
        let input = Json::of(bulk).map_err(Error::usage)?;
        attempt.update(None, &[(slot::INPUT, input)]).await?;
    }
    Ok(page.items)
}

/// The rest of a page that was begun before a crash. What is redriven already is counted; what is aborted or replayed
/// already is found to be so when it is done again.
async fn left_of(app: &App, page: BulkPage, bulk: &mut Bulk) -> Result<Vec<Target>, Error> {
    let keys: Vec<RecordKey> = page.keys.iter().filter_map(|key| RecordKey::from_text(key)).collect();
    let found = app.ports().records.peek(&keys).await?;
    let is_found = |key: &&RecordKey| found.iter().any(|stored| stored.header.key == **key);
    keys.iter().filter(|key| !is_found(key)).for_each(|key| bulk.tally.refuse(format!("{key}: its history is over")));
    let mut left = vec![];
    for stored in found {
        match Target::read(stored) {
            Ok(Target::Delivery(delivery)) if page.has_redriven(&delivery) => bulk.tally.done += 1,
            Ok(target) => left.push(target),
            Err(error) => bulk.tally.refuse(error.to_string()),
        }
    }
    Ok(left)
}

/// Does it to all of a page, some at once.
async fn act_on(targets: Vec<Target>, bulk: &mut Bulk, attempt: &TaskAttempt) -> Result<(), Error> {
    let mut left = targets.into_iter().peekable();
    while left.peek().is_some() {
        let some: Vec<Target> = left.by_ref().take(AT_ONCE).collect();
        let acts = some.into_iter().map(|target| act(target, &bulk.action, attempt));
        for acted in join_all(acts).await {
            match acted {
                Ok(()) => bulk.tally.done += 1,
                Err(error) if error.is_terminal() || error.kind() == ErrorKind::NotFound => {
                    bulk.tally.refuse(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn act<'a>(target: Target, action: &'a BulkAction, attempt: &'a TaskAttempt) -> BoxFuture<'a, Result<(), Error>> {
    let app = attempt.app();
    let until = later(app.ports().clock.now(), PATIENCE);
    Box::pin(async move {
        match (target, action) {
            (Target::Run(run), BulkAction::Abort { message, .. }) => abort(app, run.record, message, until).await,
            (Target::Run(run), _) => replay(app, &attempt.run(), *run).await,
            (Target::Delivery(delivery), _) => dead_letter::redrive(app, *delivery, until).await.map(drop),
        }
    })
}

/// Aborts a run, or finds that it was aborted before.
async fn abort(app: &App, seen: RunRecord, message: &str, until: Timestamp) -> Result<(), Error> {
    let refused = |kind, id: Id, why: &str| Err(Error::new(kind, format!("abort run {id}: {why}")));
    let (id, now) = (seen.id, app.ports().clock.now());
    match control::abort(app, seen, message.to_owned(), until).await?.map(|aborted| aborted.record) {
        None => refused(ErrorKind::NotFound, id, "its history is over"),
        Some(run) if run.abort().is_some() || run.state_at(now) == State::Aborted => Ok(()),
        Some(run) => refused(ErrorKind::Refused, id, &format!("it is {}", run.state_at(now))),
    }
}

/// Starts a run like another one. Its id comes from both, so that one that is replayed again by the same bulk run is
/// replayed once.
async fn replay(app: &App, bulk: &RunRecord, seen: Stored<RunRecord>) -> Result<(), Error> {
    let (ports, Stored { record, mut payloads }) = (app.ports(), seen);
    let refused = |why: &str| Error::new(ErrorKind::Refused, format!("replay run {}: {why}", record.id));
    if app.task(&record.name).await?.is_none() {
        return Err(refused(&format!("task {:?} is deployed no more", record.name)));
    }
    if payloads.get(slot::BODY) == Payload::Apart {
        let whole = load::<RunRecord>(ports, &RunRecord::key_of(record.id)).await?;
        payloads = whole.ok_or_else(|| refused("its history is over"))?.payloads;
    }
    let id = Id::new(BulkAction::first_made(bulk.created_at), hash128(&format!("{}/{}", bulk.id, record.id)));
    let cx = ports.clock.decision_context();
    let new = NewRun { parent_id: Some(record.id), ..NewRun::at(id, &record.name, cx.now, Trigger::Replay) };
    let decision = RunRecord::create(new, &cx).with(slot::BODY, payloads.take(slot::BODY).unwrap_or_default());
    create(ports, &decision, later(cx.now, PATIENCE)).await?;
    Ok(())
}
