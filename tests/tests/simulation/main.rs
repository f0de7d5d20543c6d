//! The guarantees of the product, under a virtual clock, with everything going wrong that may: processes that die
//! between any two effects, calls refused, replies lost, messages doubled and late. Each seed is another history.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod throttled;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use dacapo::{Id, RunView, State, TaskContext, prelude::*};
use dacapo_test_kit::{Faults, TestApp};
use dacapo_tests::histories::{all_are_right, dice};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const WORK: TaskRef<Job, u32> = TaskRef::new("work");
const CHILD: TaskRef<u32> = TaskRef::new("child");
const TICK: TaskRef<()> = TaskRef::new("tick");
const NEWS: EventRef<u32> = EventRef::new("news");

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Job {
    number: u32,
    rounds: u32,
}

/// The doings of the functions, as an outsider would have seen them.
#[derive(Default)]
struct Seen {
    /// Calls of the handler: a run's iteration and attempt, and when.
    calls: BTreeMap<(Id, u32, u32), Vec<Timestamp>>,
    /// Times that a run's `on_complete` ran.
    completed: BTreeMap<Id, u32>,
    /// Lifecycle events that came to their subscriber.
    told: BTreeSet<(Id, String)>,
    /// Events that a handler took without failing.
    handled: BTreeSet<u32>,
    /// Values that a run's handler got of its step.
    marks: BTreeMap<Id, BTreeSet<u64>>,
    /// Tokens that handlers gave away.
    tokens: Vec<String>,
    broken: Vec<String>,
}

type Witness = Arc<Mutex<Seen>>;

async fn work(job: Job, cx: TaskContext, seed: u64, seen: Witness) -> Result<Outcome<Job, u32>, TaskError> {
    seen.lock().unwrap().calls.entry((cx.run_id(), cx.iteration(), cx.attempt())).or_default().push(cx.time());
    let roll = dice((seed, job.number, cx.iteration(), cx.attempt()));
    let mark = cx.step("mark", async || Ok(dice((cx.run_id(), cx.iteration(), cx.attempt(), cx.time())))).await?;
    seen.lock().unwrap().marks.entry(cx.run_id()).or_default().insert(mark);
    cx.update_output(BTreeMap::from([(cx.iteration(), cx.attempt())])).await?;
    cx.progress(format!("iteration {}", cx.iteration()), 0.5).await?;
    // Others go on meanwhile: a second message about this run, the conductor, an abort.
    tokio::time::sleep(std::time::Duration::from_millis(roll % 50)).await;
    if roll % 7 == 0 {
        cx.run(CHILD, job.number).after(minutes(roll % 40)).await?;
        cx.publish(NEWS, job.number).await?;
    }
    match roll % 11 {
        0 => return Err(TaskError::retryable("not yet")),
        1 if roll.is_multiple_of(3) => return Err(TaskError::terminal("never")),
        2 => panic!("what a pity"),
        3 if cx.is_aborted().await? => return Ok(Aborted),
        _ => {}
    }
    let next = Job { rounds: job.rounds.saturating_sub(1), ..job };
    if job.rounds > 0 && roll.is_multiple_of(4) {
        let token = cx.token(format!("{}", job.rounds)).timeout(seconds(1 + roll % 5_000)).await?;
        if cx.told::<u32>(token.name()).await?.is_none() {
            seen.lock().unwrap().tokens.push(token.to_string());
            return Ok(Continue::when_told(token, next));
        }
    }
    match job.rounds {
        0 => Ok(Done(job.number)),
        1 => Ok(Continue(next)),
        _ => Ok(Continue::after(seconds(roll % 7_000), next)),
    }
}

/// A subscriber to a task's life.
fn hears(event: EventRef<RunView>, seen: &Witness) -> EventHandler {
    let seen = seen.clone();
    on(event, move |run: RunView, cx: EventContext| {
        seen.lock().unwrap().told.insert((run.id, cx.name().to_owned()));
        async { Ok::<_, TaskError>(()) }
    })
}

fn app(seed: u64, faults: Faults, seen: &Witness) -> TestApp {
    let (working, ending, hearing) = (seen.clone(), seen.clone(), seen.clone());
    TestApp::with_these_faults(seed, faults)
        .with(task(WORK, move |job, cx| work(job, cx, seed, working.clone())).retry(Retry::attempts(6)).on_complete(
            move |record: RunView, _| {
                *ending.lock().unwrap().completed.entry(record.id).or_default() += 1;
                async { Ok(()) }
            },
        ))
        .with(task(CHILD, async |_: u32, _: TaskContext| Ok(())))
        .with(task(TICK, async |(): (), _: TaskContext| Ok(())).schedule(cron("0 * * * ? *"), ()))
        .with([
            hears(lifecycle::started(WORK), seen),
            hears(lifecycle::completed(WORK), seen),
            hears(lifecycle::failed(WORK), seen),
            hears(lifecycle::aborted(WORK), seen),
            hears(lifecycle::completed(CHILD), seen),
            hears(lifecycle::failed(CHILD), seen),
            hears(lifecycle::aborted(CHILD), seen),
        ])
        .with(on(NEWS, move |number: u32, cx: EventContext| {
            let hearing = hearing.clone();
            async move {
                if dice((seed, number, cx.attempt())).is_multiple_of(4) {
                    return Err(TaskError::retryable("not now"));
                }
                hearing.lock().unwrap().handled.insert(number);
                Ok(())
            }
        }))
}

/// One history, and what is wrong with it.
async fn history(seed: u64, faults: Faults) -> Vec<String> {
    let seen = Witness::default();
    let app = app(seed, faults, &seen);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut started: BTreeMap<Id, Timestamp> = BTreeMap::new();
    let mut aborted: BTreeMap<Id, State> = BTreeMap::new();
    let mut ended: BTreeMap<Id, State> = BTreeMap::new();
    let mut paused: BTreeMap<Id, Pauses> = BTreeMap::new();
    let mut broken = vec![];
    for number in 0..25 {
        let job = Job { number, rounds: rng.u32(0..5) };
        let due = app.now() + seconds(if rng.bool() { 0 } else { rng.u64(1..5_000) });
        match app.run(WORK, job).at(due.max(app.now() + std::time::Duration::from_millis(1))).await {
            Ok(run) => drop(started.insert(run.id(), due)),
            Err(error) => broken.push(format!("a run could not be started: {error}")),
        }
        if number % 3 == 0
            && let Err(error) = app.publish(NEWS, 1_000 + number).after(seconds(rng.u64(1..4_000))).await
        {
            broken.push(format!("an event could not be published: {error}"));
        }
        app.advance(seconds(rng.u64(0..1_200))).await;
        if rng.u8(0..4) == 0 {
            let ids: Vec<Id> = started.keys().copied().collect();
            let id = ids[rng.usize(0..ids.len())];
            if let Ok(record) = app.abort(id, "enough").await {
                aborted.insert(id, record.state);
            }
        }
        if rng.bool() {
            // A second completion, a late one, and one of a run that has ended are refused.
            let token = seen.lock().unwrap().tokens.pop();
            if let Some(token) = token {
                let _ = app.complete(token, number).await;
            }
        }
        pause_one(&app, &mut rng, &started, &mut paused).await;
        watch_ends(&app, &mut ended, &mut broken);
    }
    app.run_until_idle().await;
    for pauses in paused.values_mut() {
        resume(&app, pauses).await;
    }
    app.run_until_idle().await;
    watch_ends(&app, &mut ended, &mut broken);
    judge(&app, &seen, &started, &aborted, &ended, &mut broken);
    judge_pauses(&seen, &paused, &mut broken);
    broken
}

/// The times at which a run was paused and resumed.
struct Pauses {
    run: Id,
    since: Option<Timestamp>,
    over: Vec<(Timestamp, Timestamp)>,
}

/// Pauses a run, or resumes one that is paused.
async fn pause_one(
    app: &TestApp,
    rng: &mut fastrand::Rng,
    started: &BTreeMap<Id, Timestamp>,
    paused: &mut BTreeMap<Id, Pauses>,
) {
    let ids: Vec<Id> = started.keys().copied().collect();
    let run = ids[rng.usize(0..ids.len())];
    let pauses = paused.entry(run).or_insert(Pauses { run, since: None, over: vec![] });
    if pauses.since.is_some() {
        resume(app, pauses).await;
    } else if rng.u8(0..3) == 0 && app.client().pause(run).await.is_ok() {
        pauses.since = Some(app.now());
    }
}

async fn resume(app: &TestApp, pauses: &mut Pauses) {
    let Some(since) = pauses.since.take() else { return };
    // It is refused where the run was aborted, or the attempt that executed ended it.
    let _ = app.client().resume(pauses.run).await;
    pauses.over.push((since, app.now()));
}

/// Nothing of a paused run starts.
fn judge_pauses(seen: &Witness, paused: &BTreeMap<Id, Pauses>, broken: &mut Vec<String>) {
    for ((id, iteration, attempt), times) in &seen.lock().unwrap().calls {
        let pauses = paused.get(id).into_iter().flat_map(|pauses| &pauses.over);
        for (since, until) in pauses {
            if times.iter().any(|time| since < time && time < until) {
                broken.push(format!("{id} ran iteration {iteration}, attempt {attempt} while it was paused"));
            }
        }
    }
}

/// Guarantee 3: a final state never changes.
fn watch_ends(app: &TestApp, ended: &mut BTreeMap<Id, State>, broken: &mut Vec<String>) {
    for run in app.runs_of(WORK) {
        match ended.get(&run.id) {
            Some(state) if *state != run.state => broken.push(format!("{} was {state} and is {}", run.id, run.state)),
            None if run.state.is_final() => drop(ended.insert(run.id, run.state)),
            _ => {}
        }
    }
}

fn judge(
    app: &TestApp,
    seen: &Witness,
    started: &BTreeMap<Id, Timestamp>,
    aborted: &BTreeMap<Id, State>,
    ended: &BTreeMap<Id, State>,
    broken: &mut Vec<String>,
) {
    let seen = seen.lock().unwrap();
    broken.extend(seen.broken.iter().cloned());
    let children = app.runs_of(CHILD);
    for id in started.keys() {
        match ended.get(id) {
            // Guarantee 1: a run whose id was returned ends.
            None => {
                broken.push(format!("{id} has not ended: {:?}", app.runs_of(WORK).iter().find(|run| run.id == *id)))
            }
            // Guarantee 6: `on_complete` runs at least once.
            Some(_) if !seen.completed.contains_key(id) => broken.push(format!("{id} ended without `on_complete`")),
            Some(state) => {
                // Guarantee 3: an aborted run is never completed by a later iteration.
                if aborted.get(id) == Some(&State::Aborted) && *state != State::Aborted {
                    broken.push(format!("{id} was aborted and became {state}"));
                }
            }
        }
    }
    for ((id, iteration, attempt), times) in &seen.calls {
        // Guarantee 2: an attempt is taken once.
        if times.len() > 1 {
            broken.push(format!("{id} ran iteration {iteration}, attempt {attempt} at {times:?}"));
        }
        // Guarantee 4: a handler never starts before its time.
        if started.get(id).is_some_and(|due| times.iter().any(|time| time < due)) {
            broken.push(format!("{id} ran at {times:?}, before {}", started[id]));
        }
    }
    // What a function subscribes to of a run's life is told at least once, also where the process dies in between.
    for run in app.runs_of(WORK).iter().chain(&children).filter(|run| run.state.is_final()) {
        let starts = run.started_at.filter(|_| run.name == WORK.name()).map(|_| "started".to_owned());
        for moment in starts.into_iter().chain([run.state.to_string()]) {
            if !seen.told.contains(&(run.id, format!("task.{moment}:{}", run.name))) {
                broken.push(format!("{} is {moment}, which was not told", run.id));
            }
        }
    }
    // The first value of a step counts, for every attempt and iteration.
    for (id, marks) in seen.marks.iter().filter(|(_, marks)| marks.len() > 1) {
        broken.push(format!("{id} got {marks:?} of one step"));
    }
    // No update of the output is lost.
    for run in app.runs_of(WORK) {
        let output: BTreeMap<u32, u32> = run.output.map(|output| output.parse().unwrap()).unwrap_or_default();
        if !(1..run.iteration).all(|iteration| output.contains_key(&iteration)) {
            broken.push(format!("{} is in iteration {} with {output:?} as its output", run.id, run.iteration));
        }
    }
    for child in &children {
        if !child.state.is_final() {
            broken.push(format!("child {} is {}", child.id, child.state));
        }
    }
    // Guarantee 5: an event is delivered to its subscriber at least once.
    for number in (0..25).filter(|number| number % 3 == 0).map(|number| 1_000 + number) {
        if !seen.handled.contains(&number) {
            broken.push(format!("event {number} was not delivered"));
        }
    }
    // The same fire makes one run, and none is lost.
    let ticks = app.runs_of(TICK);
    let fires: BTreeSet<Timestamp> = ticks.iter().filter_map(|tick| tick.scheduled_at).collect();
    let hours = (app.now().as_second() - dacapo_test_kit::START.parse::<Timestamp>().unwrap().as_second()) / 3_600;
    if ticks.len() != fires.len() || i64::try_from(fires.len()).unwrap().abs_diff(hours) > 1 {
        broken.push(format!("{} runs of {} fires in {hours} hours", ticks.len(), fires.len()));
    }
}

async fn all_histories(faults: Faults) {
    all_are_right(15, |seed| history(seed, faults)).await;
}

#[tokio::test(start_paused = true)]
async fn guarantees_hold_where_nothing_goes_wrong() {
    all_histories(Faults::none()).await;
}

#[tokio::test(start_paused = true)]
async fn guarantees_hold_where_anything_may_go_wrong() {
    all_histories(Faults::default()).await;
}

#[tokio::test(start_paused = true)]
async fn guarantees_hold_where_effects_are_part_of_their_write() {
    all_histories(Faults { effects_apart: false, ..Faults::default() }).await;
}

#[tokio::test(start_paused = true)]
async fn guarantees_hold_where_processes_keep_dying() {
    all_histories(Faults { crash: 0.1, ..Faults::default() }).await;
}
