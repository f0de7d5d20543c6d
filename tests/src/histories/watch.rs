//! The rules that hold of the records after every step, whatever goes wrong, and those that hold where nothing does.

use std::time::Duration;

use dacapo_core::commit::{load, read_record};
use dacapo_domain::{Index, Phase, Query, RunRecord, Signal, TokenRecord, code, until};
use dacapo_test_kit::{Faults, TestApp};
use jiff::Timestamp;

/// The time by which the conductor may look later than a record asks for: it puts off what it can't repair.
const PUT_OFF: Duration = Duration::from_secs(65 * 60);
/// The time that whatever is due takes where nothing goes wrong: a message comes, and a wait loop waits whole seconds.
const PROMPT: Duration = Duration::from_secs(2);

/// The runs of a task as they are stored.
pub async fn runs(app: &TestApp, task: &str) -> Vec<RunRecord> {
    let (records, mut runs) = (&app.client().ports().records, vec![]);
    let partitions = vec![RunRecord::partition(task)];
    let mut query = Query { index: Index::List, partitions, from: None, below: None, descending: true, limit: 1_000 };
    loop {
        let page = records.query(&query).await.expect("the list of runs");
        runs.extend(page.records.into_iter().map(|run| read_record::<RunRecord>(run).expect("a run").record));
        query.below = page.last;
        if query.below.is_none() {
            return runs;
        }
    }
}

/// Tells the breaches of these runs as they stand between two steps.
pub async fn broken(app: &TestApp, runs: &[RunRecord], faults: &Faults) -> Vec<String> {
    let (now, mut broken) = (app.now(), vec![]);
    for run in runs {
        broken.extend(unwatched(run, now, faults));
        if is_calm(faults) {
            broken.extend(late(app, run, now).await);
        }
    }
    broken
}

/// Watched until settled: the conductor looks no later than a run could need repair, but for what it has put off itself.
fn unwatched(run: &RunRecord, now: Timestamp, faults: &Faults) -> Option<String> {
    let due = run.earliest_repair(now)?;
    let latest = due.max(now + PUT_OFF) + faults.skew * 2;
    match run.reconcile_at {
        Some(at) if at <= latest => None,
        at => Some(format!(
            "run {} is {:?}, due at {}, and is looked at {at:?}, after {latest}",
            run.id, run.phase, run.due_at
        )),
    }
}

/// Is true where nothing goes wrong but that replies are lost: then all is prompt.
fn is_calm(faults: &Faults) -> bool {
    let Faults { crash, throttle, duplicate, late, slow, .. } = *faults;
    crash + throttle + duplicate + late + slow == 0.0 && faults.throttling.is_none() && faults.skew.is_zero()
}

/// Tells of a run that is due and not done.
async fn late(app: &TestApp, run: &RunRecord, now: Timestamp) -> Option<String> {
    let is_late = match &run.phase {
        _ if run.is_paused() => false,
        Phase::Queued | Phase::Waiting => until(run.due_at, now) > PROMPT,
        Phase::Running { lease, .. } => !lease.is_live(now),
        Phase::Awaiting { signal: Signal::Token { name }, .. } => {
            let key = TokenRecord::key_of(run.id, name);
            let token = load::<TokenRecord>(app.client().ports(), &key).await.expect("a token");
            token.is_none_or(|token| token.record.is_over(now - PROMPT))
        }
        Phase::Awaiting { signal: Signal::Children { .. }, .. } => {
            let children = app.client().ports();
            let children = dacapo_core::commit::children_of(children, run.id).await.expect("children");
            let keys: Vec<_> = children.iter().map(|child| RunRecord::key_of(child.id)).collect();
            let found = app.client().ports().records.peek(&keys).await.expect("children");
            found.iter().all(|child| child.header.expires_at_s.is_some())
        }
        Phase::Ended(end) => until(end.at, now) > PROMPT && (end.hooks_pending || !run.unpublished.is_empty()),
        Phase::Parked { .. } => false,
    };
    let is_crashed = run.error.as_ref().is_some_and(|error| error.code == code::CRASHED);
    let found = |what: &str| format!("nothing goes wrong, and run {} {what} at {now}: {run:?}", run.id);
    match (is_late, is_crashed) {
        (true, _) => Some(found("is late")),
        (_, true) => Some(found("has crashed")),
        _ => None,
    }
}
