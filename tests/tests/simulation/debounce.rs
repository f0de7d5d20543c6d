//! Debounced calls of handlers under faults, at the very moments at which runs are due: what was called for last is
//! handled, none before its delay, and a run that has started keeps its body. Each seed is another history.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use dacapo::{Id, State, TaskContext, prelude::*};
use dacapo_test_kit::{Faults, Service, TestApp, Throttling};
use dacapo_tests::histories::{Play, all_are_right, dice};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const EDIT: TaskRef<Edit> = TaskRef::new("edit");
const INDEX: TaskRef<Edit> = TaskRef::new("index");
const PRINT: TaskRef<Edit> = TaskRef::new("print");

const DELAY: Duration = seconds(10);
const MAX_DELAY: Duration = seconds(40);

/// The keys: put off without end, up to a limit, of a task that is limited, and leading.
const KEYS: u64 = 4;
const BOUNDED: u64 = 1;
const LIMITED: u64 = 2;
const LEADING: u64 = 3;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Edit {
    key: u64,
    number: u32,
}

/// An edit's key and number.
type Numbered = (u64, u32);
/// The time at which a call for it began, and that of its acknowledgement, if it was acknowledged.
type Call = (Timestamp, Option<Timestamp>);

/// The doings of the handlers, as an outsider would have seen them.
#[derive(Default)]
struct Seen {
    /// The calls for an edit.
    calls: BTreeMap<Numbered, Vec<Call>>,
    /// The attempts at a run: of which edit, and when.
    attempts: BTreeMap<Id, Vec<(Numbered, Timestamp)>>,
}

type Witness = Arc<Mutex<Seen>>;

async fn edit(edit: Edit, cx: TaskContext, seen: Witness) -> Result<(), TaskError> {
    let of = (edit.key, edit.number);
    let call = {
        let mut seen = seen.lock().unwrap();
        let calls = seen.calls.entry(of).or_default();
        calls.push((cx.time(), None));
        calls.len() - 1
    };
    let task = if edit.key == LIMITED { PRINT } else { INDEX };
    let start = cx.run(task, edit).debounce(of.0.to_string(), DELAY);
    let start = match of.0 {
        BOUNDED => start.max_delay(MAX_DELAY),
        LEADING => start.leading(),
        _ => start,
    };
    start.await?;
    seen.lock().unwrap().calls.get_mut(&of).unwrap()[call].1 = Some(cx.time());
    Ok(())
}

async fn index(edit: Edit, cx: TaskContext, seed: u64, seen: Witness) -> Result<(), TaskError> {
    let of = (edit.key, edit.number);
    seen.lock().unwrap().attempts.entry(cx.run_id()).or_default().push((of, cx.time()));
    let roll = dice((seed, of, cx.attempt()));
    tokio::time::sleep(Duration::from_millis(roll % 50)).await;
    if roll.is_multiple_of(4) { Err(TaskError::retryable("not yet")) } else { Ok(()) }
}

fn app(seed: u64, faults: Faults, seen: &Witness) -> TestApp {
    let retry = Retry::attempts(12).min(seconds(20)).max(seconds(20));
    let (editing, indexing, printing) = (seen.clone(), seen.clone(), seen.clone());
    TestApp::with_these_faults(seed, faults)
        .with(task(EDIT, move |body, cx| edit(body, cx, editing.clone())).retry(retry))
        .with(task(INDEX, move |body, cx| index(body, cx, seed, indexing.clone())).retry(retry))
        .with(task(PRINT, move |body, cx| index(body, cx, seed, printing.clone())).retry(retry).concurrency(1))
}

pub async fn history(play: &Play, faults: Faults) -> Vec<String> {
    let seen = Witness::default();
    let app = app(play.seed, play.faults(&faults), &seen);
    for number in play.steps(40) {
        let roll = dice((play.seed, number));
        // Mostly at the moment at which a call before is due.
        let wait = [DELAY, DELAY, DELAY * 2, seconds(3)][usize::try_from(roll % 4).unwrap()];
        app.run(EDIT, Edit { key: roll / 5 % KEYS, number }).await.unwrap();
        app.advance(wait).await;
    }
    app.run_until_idle().await;
    let mut broken = judge(&seen.lock().unwrap());
    let mut leading: Vec<Timestamp> = app
        .runs_of(INDEX)
        .iter()
        .filter(|run| run.body.as_ref().is_some_and(|body| body.parse::<Edit>().unwrap().key == LEADING))
        .map(|run| run.created_at)
        .collect();
    leading.sort();
    if leading.windows(2).any(|two| two[0] + DELAY > two[1]) {
        broken.push(format!("leading runs were made within one delay: {leading:?}"));
    }
    broken
}

fn judge(seen: &Seen) -> Vec<String> {
    let mut broken = vec![];
    let runs: Vec<_> = seen.attempts.values().map(|attempts| attempts[0]).collect();
    for (run, attempts) in &seen.attempts {
        let bodies: BTreeSet<_> = attempts.iter().map(|(of, _)| of).collect();
        if bodies.len() > 1 {
            broken.push(format!("run {run} was given another body after its start: {bodies:?}"));
        }
    }
    for (of, started) in runs.iter().filter(|(of, _)| of.0 != LEADING) {
        let by_delay = seen.calls[of].iter().any(|(begun, _)| *begun + DELAY <= *started);
        let mut of_key = seen.calls.iter().filter(|(call, _)| call.0 == of.0).flat_map(|(_, calls)| calls);
        let by_limit = of.0 == BOUNDED && of_key.any(|(begun, _)| *begun + MAX_DELAY <= *started);
        if !by_delay && !by_limit {
            broken.push(format!("{of:?} started at {started}, before its delay: {:?}", seen.calls[of]));
        }
    }
    // A handler that is tried again makes the same call: what stood for it the first time stands for it still.
    for (of, calls) in seen.calls.iter().filter(|(of, _)| of.0 != LEADING) {
        let is_handled = calls.iter().any(|(begun, _)| {
            runs.iter().any(|(other, started)| {
                let is_later = seen.calls[other].iter().any(|(_, until)| until.is_none_or(|until| until >= *begun));
                other.0 == of.0 && started >= begun && (other == of || is_later)
            })
        });
        if !is_handled && calls.iter().any(|(_, acknowledged)| acknowledged.is_some()) {
            broken.push(format!("{of:?}, called for at {calls:?}, was not handled, nor one that came after it"));
        }
    }
    broken
}

#[test]
fn debounced_calls_are_handled_whatever_goes_wrong() {
    all_are_right(90, async |play| history(play, Faults::default()).await);
}

#[test]
fn debounced_calls_are_handled_where_replies_are_lost() {
    all_are_right(50, async |play| history(play, Faults { lost_reply: 0.3, ..Faults::none() }).await);
}

#[test]
fn debounced_calls_are_handled_where_nothing_goes_wrong() {
    all_are_right(20, async |play| history(play, Faults::none()).await);
}

/// A call counts by when it was made: the table throttles it until the delay is over.
#[tokio::test(start_paused = true)]
async fn leading_call_within_the_delay_is_absorbed_though_its_answer_takes_longer() {
    let call = async |number: u32, cx: TaskContext| {
        tokio::time::sleep(Duration::from_millis(1_940)).await;
        cx.run(INDEX, Edit { key: LEADING, number }).debounce("3", DELAY).leading().await?;
        Ok(())
    };
    const CALL: TaskRef<u32> = TaskRef::new("call");
    let throttling =
        Throttling { service: Service::DynamoDb, share: 1.0, lasts: Duration::from_millis(50), every: DELAY };
    let app = TestApp::with_these_faults(1, Faults { throttling: Some(throttling), ..Faults::none() })
        .with(task(CALL, call))
        .with(task(INDEX, async |_: Edit, _: TaskContext| Ok(())));
    app.advance(Duration::from_millis(59)).await;
    app.run(INDEX, Edit { key: LEADING, number: 1 }).debounce("3", DELAY).leading().await.unwrap();
    app.run(CALL, 2).after(seconds(8)).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(CALL).state, State::Completed);
    assert_eq!(app.run_of(INDEX).body.unwrap().parse::<Edit>().unwrap().number, 1);
}
