//! Runs that wait for their children, and aborts that reach them, with everything going wrong that may: each seed is
//! another history. The races that matter are made on purpose, by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use dacapo::{Client, Id, RunView, State, TaskContext, prelude::*};
use dacapo_test_kit::{Faults, TestApp};
use dacapo_tests::histories::{Play, all_are_right, dice, watch};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const FAMILY: TaskRef<Step, usize> = TaskRef::new("family");
const CHILD: TaskRef<u32, u32> = TaskRef::new("child");

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Step {
    Begin { number: u32, size: u32, depth: u32 },
    Ended { size: u32, depth: u32 },
}

/// The doings of the functions: what was called, and when.
#[derive(Default)]
struct Seen {
    woken: BTreeMap<(Id, u32), u32>,
    child_calls: BTreeMap<Id, Vec<Timestamp>>,
    broken: Vec<String>,
}

type Witness = Arc<Mutex<Seen>>;

/// Starts children and, down to a depth, families of its own; waits for all of them; then checks that all have ended.
async fn family(step: Step, cx: TaskContext, seed: u64, seen: Witness) -> Result<Outcome<Step, usize>, TaskError> {
    match step {
        Step::Begin { number, size, depth } => {
            let due = |child: u32| seconds(dice((seed, number, child)) % 90);
            let children: Vec<_> =
                (0..size).map(|child| cx.run(CHILD, number * 1_000 + child).after(due(child) + seconds(1))).collect();
            let children = cx.batch_of(children).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
            let below = Step::Begin { number: number + 500, size: size.min(3), depth: depth.saturating_sub(1) };
            let families = cx.batch(FAMILY, vec![below; usize::from(depth > 0)]).await?;
            let families = families.into_iter().collect::<Result<Vec<_>, _>>()?;
            // Others go on meanwhile: children may end before the run waits for them.
            tokio::time::sleep(Duration::from_millis(dice((seed, number)) % 50)).await;
            Ok(Continue::when_done((children, families), Step::Ended { size, depth }))
        }
        Step::Ended { size, depth } => {
            *seen.lock().unwrap().woken.entry((cx.run_id(), cx.attempt())).or_default() += 1;
            let mut children = cx.children(CHILD).await?;
            let mut found = 0;
            while let Some(child) = children.next().await? {
                found += 1;
                if !child.state.is_final() {
                    seen.lock().unwrap().broken.push(format!(
                        "{} woke while {} was {}",
                        cx.run_id(),
                        child.id,
                        child.state
                    ));
                }
            }
            let families = cx.children(FAMILY).await?.len();
            if (found, families) != (size, usize::from(depth > 0)) {
                seen.lock().unwrap().broken.push(format!("{} found {found} and {families} of {size}", cx.run_id()));
            }
            Ok(Done(families))
        }
    }
}

async fn child(number: u32, cx: TaskContext, seed: u64, seen: Witness) -> Result<u32, TaskError> {
    seen.lock().unwrap().child_calls.entry(cx.run_id()).or_default().push(cx.time());
    let roll = dice((seed, number, cx.attempt()));
    tokio::time::sleep(Duration::from_millis(roll % 20)).await;
    match roll % 9 {
        0 => Err(TaskError::retryable("not yet")),
        1 => Err(TaskError::terminal("never")),
        2 => panic!("what a pity"),
        _ => Ok(number),
    }
}

fn app(seed: u64, faults: Faults, seen: &Witness) -> TestApp {
    let (parents, children) = (seen.clone(), seen.clone());
    TestApp::with_these_faults(seed, faults)
        .with(task(FAMILY, move |step, cx| family(step, cx, seed, parents.clone())).retry(Retry::attempts(6)))
        .with(task(CHILD, move |number, cx| child(number, cx, seed, children.clone())).retry(Retry::attempts(4)))
}

/// One history, and what is wrong with it.
pub async fn history(play: &Play, faults: Faults) -> Vec<String> {
    let seen = Witness::default();
    let app = app(play.seed, play.faults(&faults), &seen);
    let mut rng = fastrand::Rng::with_seed(play.seed);
    let mut aborted: BTreeMap<Id, Timestamp> = BTreeMap::new();
    let mut started = vec![];
    for number in play.steps(8) {
        let size = if number == 0 { 130 } else { rng.u32(0..9) };
        let begin = Step::Begin { number, size, depth: rng.u32(0..3) };
        started.push(app.run(FAMILY, begin).await.unwrap().id());
        app.advance(seconds(rng.u64(0..60))).await;
        if rng.u8(0..3) == 0 {
            let id = started[rng.usize(0..started.len())];
            if app.abort(id, "enough").await.is_ok() {
                aborted.insert(id, app.now());
            }
        }
        app.advance(seconds(0)).await;
        for task in [FAMILY.name(), CHILD.name()] {
            let broken = watch::broken(&app, &watch::runs(&app, task).await, &faults).await;
            seen.lock().unwrap().broken.extend(broken);
        }
    }
    if !app.is_idle_within(days(10)).await {
        seen.lock().unwrap().broken.push("something is left to do after ten days".to_owned());
    }
    judge(&app, &seen, &aborted)
}

fn judge(app: &TestApp, seen: &Witness, aborted: &BTreeMap<Id, Timestamp>) -> Vec<String> {
    let seen = seen.lock().unwrap();
    let mut broken = seen.broken.clone();
    let families = app.runs_of(FAMILY);
    let runs: Vec<RunView> = families.iter().chain(&app.runs_of(CHILD)).cloned().collect();
    for run in &runs {
        if !run.state.is_final() {
            broken.push(format!("{} {} is {}", run.name, run.id, run.state));
        }
    }
    for run in families.iter().filter(|run| run.state == State::Completed) {
        // It wakes once: each attempt at what comes then is called once.
        let calls = seen.woken.iter().filter(|((id, _), _)| *id == run.id);
        if run.iteration != 2 || calls.clone().any(|(_, calls)| *calls > 1) {
            broken.push(format!("{} woke in iteration {}: {:?}", run.id, run.iteration, calls.collect::<Vec<_>>()));
        }
    }
    // What an aborted run has started ends with it, at every depth: nothing is called later than the conductor needs.
    let mut under: BTreeMap<Id, Timestamp> = aborted
        .iter()
        .filter(|(id, _)| families.iter().any(|run| run.id == **id && run.state == State::Aborted))
        .map(|(id, at)| (*id, *at))
        .collect();
    loop {
        let below: Vec<_> = runs
            .iter()
            .filter(|run| !under.contains_key(&run.id))
            .filter_map(|run| Some((run.id, *under.get(&run.parent_id?)?)))
            .collect();
        if below.is_empty() {
            break;
        }
        under.extend(below);
    }
    for (id, at) in &under {
        let late = seen.child_calls.get(id).into_iter().flatten().filter(|call| **call > *at + minutes(4));
        broken.extend(late.map(|call| format!("{id} was called at {call}, though aborted at {at}")));
    }
    broken
}

#[test]
fn families_hold_together_where_nothing_goes_wrong() {
    all_are_right(20, async |play| history(play, Faults::none()).await);
}

#[test]
fn families_hold_together_where_anything_may_go_wrong() {
    all_are_right(20, async |play| history(play, Faults::default()).await);
}

#[test]
fn families_hold_together_where_processes_keep_dying() {
    all_are_right(20, async |play| history(play, Faults { crash: 0.1, ..Faults::default() }).await);
}

/// The hazard "children first": all end while their parent is between two attempts, and nothing is left to wake it once it
/// waits.
#[tokio::test(start_paused = true)]
async fn children_first_all_have_ended_before_their_parent_waits_and_it_wakes() {
    const FIRST: TaskRef<bool, Vec<u32>> = TaskRef::new("first");
    async fn first(is_over: bool, cx: TaskContext) -> Result<Outcome<bool, Vec<u32>>, TaskError> {
        if is_over {
            return Ok(Done(cx.children(CHILD).await?.results().await?));
        }
        let children = cx.batch(CHILD, [1, 2]).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
        if cx.attempt() == 1 {
            return Err(TaskError::retryable("not yet").retry_at(hours(1)));
        }
        Ok(Continue::when_done(children, true))
    }
    for seed in 0..20 {
        let app = TestApp::with_faults(seed)
            .with(task(CHILD, async |number: u32, _: TaskContext| Ok(number)).retry(Retry::attempts(20)))
            .with(task(FIRST, first).retry(Retry::attempts(20)));
        app.run(FIRST, false).await.unwrap();
        app.run_until_idle().await;
        let run = app.run_of(FIRST);
        assert_eq!((run.state, run.iteration), (State::Completed, 2), "seed {seed}");
        assert_eq!(run.result.unwrap().text(), "[1,2]", "seed {seed}");
    }
}

/// The hazard "abort overwritten": a child is started while its parent's abort spreads, which doesn't find it.
#[tokio::test(start_paused = true)]
async fn abort_overwritten_child_that_is_started_while_the_abort_spreads_does_nothing() {
    const LATE: TaskRef<()> = TaskRef::new("late");
    for seed in 0..20 {
        let (client, called) = (Arc::new(Mutex::new(None::<Client>)), Arc::new(Mutex::new(BTreeSet::new())));
        let (given, calls) = (client.clone(), called.clone());
        let app = TestApp::with_faults(seed)
            .with(task(CHILD, move |number: u32, _: TaskContext| {
                calls.lock().unwrap().insert(number);
                async move { Ok(number) }
            }))
            .with(task(LATE, move |(): (), cx: TaskContext| {
                let client = given.lock().unwrap().clone().unwrap();
                async move {
                    // The first attempt is told; what a later one may start is as late.
                    let _ = client.abort(cx.run_id(), "enough").await;
                    cx.run(CHILD, cx.attempt()).await?;
                    Err::<(), _>(TaskError::retryable("not yet"))
                }
            }));
        *client.lock().unwrap() = Some(app.client().clone());
        let parent = app.run(LATE, ()).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(app.state(parent.id()).await.unwrap().state, State::Aborted, "seed {seed}");
        assert!(app.runs_of(CHILD).iter().all(|run| run.state == State::Aborted), "seed {seed}");
        assert!(called.lock().unwrap().is_empty(), "seed {seed}");
    }
}
