//! Limits of load under faults: never more attempts at once than allowed, never more starts in a window, and every run
//! gets its turn. Each seed is another history.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use dacapo::{Id, State, TaskContext, WaitsFor, prelude::*};
use dacapo_core::{
    commit::{commit, commit_call, load},
    queues::Gate,
};
use dacapo_domain::{
    Input, Invoker, Limit, Limits, Phase, Policy, PoolId, PoolInput, PoolRecord, RunRecord, Version, until,
};
use dacapo_test_kit::{Faults, TestApp};
use dacapo_tests::histories::{Play, all_are_right, dice};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const PRINT: TaskRef<Job, u32> = TaskRef::new("print");
const MAIL: TaskRef<Job, u32> = TaskRef::new("mail");
const INVOICE: TaskRef<Job, u32> = TaskRef::new("invoice");
const CALL: TaskRef<Job, u32> = TaskRef::new("call");

const PRINTERS: u32 = 2;
const MAILERS: u32 = 3;
const PER_CUSTOMER: u32 = 1;
const CALLS: u32 = 5;
const CALLS_PER: u64 = 60;

/// The timeout of an attempt.
const TIMEOUT: Duration = seconds(10);
/// The time in which one of those that wait takes a place that is free, where processes die and messages are lost one after
/// the other: who holds a place while it waits for another is looked at after an hour.
const FREE: Duration = minutes(75);
const LOOK: Duration = minutes(5);
/// The time by which an attempt starts after its permit was counted: its next call is tried again.
const STARTS_WITHIN: Duration = seconds(5);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Job {
    number: u32,
    rounds: u32,
    customer: String,
}

/// The doings of the handlers, as an outsider would have seen them.
#[derive(Default)]
struct Seen {
    /// Attempts that execute, by what limits them.
    busy: BTreeMap<String, u32>,
    /// The time at which the last of them began.
    began: BTreeMap<String, Timestamp>,
    calls: Vec<Timestamp>,
    broken: Vec<String>,
    /// Is true where attempts last for seconds, at times beyond their timeout.
    lasts_long: bool,
}

type Witness = Arc<Mutex<Seen>>;

/// An attempt that executes, until it ends or its process dies.
struct Busy(Witness, Vec<(String, u32)>);

impl Busy {
    fn new(seen: &Witness, limits: Vec<(String, u32)>, cx: &TaskContext) -> Self {
        let mut now = seen.lock().unwrap();
        for (what, most) in &limits {
            now.began.insert(what.clone(), cx.time());
            let busy = now.busy.entry(what.clone()).or_default();
            *busy += 1;
            let busy = *busy;
            if busy > *most {
                let attempt = (cx.run_id(), cx.iteration(), cx.attempt());
                now.broken.push(format!("{busy} attempts of {what} at once (allowed: {most}): {attempt:?}"));
            }
        }
        drop(now);
        Self(seen.clone(), limits)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut now = self.0.lock().unwrap();
        for (what, _) in &self.1 {
            *now.busy.get_mut(what).unwrap() -= 1;
        }
    }
}

async fn work(job: Job, cx: TaskContext, seed: u64, busy: Busy) -> Result<Outcome<Job, u32>, TaskError> {
    let roll = dice((seed, &*job.customer, job.number, cx.iteration(), cx.attempt()));
    let lasts_long = busy.0.lock().unwrap().lasts_long;
    let lasts = Duration::from_millis(1 + if lasts_long { roll % 12_000 } else { roll % 50 });
    tokio::time::sleep(lasts).await;
    match roll % 9 {
        0 => return Err(TaskError::retryable("not yet")),
        1 => panic!("what a pity"),
        2 if cx.is_aborted().await? => return Ok(Aborted),
        _ => {}
    }
    let next = Job { rounds: job.rounds.saturating_sub(1), ..job };
    match job.rounds {
        0 => Ok(Done(job.number)),
        1 => Ok(Continue(next)),
        _ => Ok(Continue::after(seconds(roll % 300), next)),
    }
}

fn app(seed: u64, faults: Faults, seen: &Witness) -> TestApp {
    let (printing, calling) = (seen.clone(), seen.clone());
    let retry = Retry::attempts(5);
    let mails = |task: TaskRef<Job, u32>| {
        let mailing = seen.clone();
        dacapo::task(task, move |job: Job, cx: TaskContext| {
            let customer = (format!("mailers of {}", job.customer), PER_CUSTOMER);
            let busy = Busy::new(&mailing, vec![("mailers".to_owned(), MAILERS), customer], &cx);
            work(job, cx, seed, busy)
        })
        .retry(retry)
        .timeout(TIMEOUT)
        .queue("mail")
        .concurrency(MAILERS)
        .concurrency_per_key(PER_CUSTOMER, |job: &Job| &job.customer)
    };
    TestApp::with_these_faults(seed, faults)
        .with(
            task(PRINT, move |job: Job, cx: TaskContext| {
                let busy = Busy::new(&printing, vec![("printers".to_owned(), PRINTERS)], &cx);
                work(job, cx, seed, busy)
            })
            .retry(retry)
            .timeout(TIMEOUT)
            .batch(4)
            .concurrency(PRINTERS),
        )
        .with(mails(MAIL))
        .with(mails(INVOICE))
        .with(
            task(CALL, move |job: Job, cx: TaskContext| {
                calling.lock().unwrap().calls.push(cx.time());
                let busy = Busy::new(&calling, vec![("calls".to_owned(), u32::MAX)], &cx);
                work(job, cx, seed, busy)
            })
            .retry(retry)
            .timeout(TIMEOUT)
            .rate_limit(CALLS, per(seconds(CALLS_PER))),
        )
}

/// Lets time pass, and tells of runs that wait for a place that stays free.
async fn pass(app: &TestApp, runs: &[Id], seen: &Witness, (time, free): (Duration, Duration)) -> Vec<String> {
    let (end, mut waits_since, mut starved) = (app.now() + time, BTreeMap::<Id, Timestamp>::new(), vec![]);
    while app.now() < end {
        app.advance(LOOK).await;
        for run in runs {
            let Some(WaitsFor::Place { scope, key }) = app.client().state(*run).await.unwrap().waits_for else {
                waits_since.remove(run);
                continue;
            };
            let place = match key {
                Some(key) => format!("mailers of {key}"),
                None if scope == "queue.mail" => "mailers".to_owned(),
                None if scope == "task.print" => "printers".to_owned(),
                None => "calls".to_owned(),
            };
            let since = *waits_since.entry(*run).or_insert_with(|| app.now());
            let seen = seen.lock().unwrap();
            let is_busy = seen.busy.get(&place).is_some_and(|busy| *busy > 0);
            if !is_busy && app.now() > seen.began.get(&place).map_or(since, |began| since.max(*began)) + free {
                starved.push(format!("run {run} waits for one of {place}, which are free"));
            }
        }
    }
    starved
}

/// Starts, aborts, pauses and moves runs, and says what went wrong.
pub async fn history(play: &Play, faults: Faults) -> Vec<String> {
    let seen = Witness::default();
    seen.lock().unwrap().lasts_long = faults.slow > 0.0;
    let app = app(play.seed, play.faults(&faults), &seen);
    let mut runs = vec![];
    for number in play.steps(24) {
        let roll = dice((play.seed, number));
        let job = Job { number, rounds: u32::try_from(roll % 3).unwrap(), customer: format!("c{}", roll % 4) };
        let task = [PRINT, MAIL, INVOICE, CALL][usize::try_from(roll / 7 % 4).unwrap()];
        let run = app.run(task, job).after(seconds(1 + roll % 20)).priority(seconds(roll % 50)).await.unwrap();
        runs.push(run.id());
        if roll.is_multiple_of(5) {
            app.advance(seconds(roll % 30)).await;
        }
        let other = runs[usize::try_from(roll / 11).unwrap_or(0) % runs.len()];
        match roll / 13 % 16 {
            0 => drop(app.client().abort(other, "enough").await),
            1 => drop(app.client().pause(other).await),
            2 => drop(app.client().reschedule(other, minutes(2)).await),
            _ => {}
        }
    }
    let free = FREE + if faults.slow > 0.0 { faults.slowest * 3 } else { Duration::ZERO };
    let mut broken = pass(&app, &runs, &seen, (minutes(30), free)).await;
    for run in &runs {
        let _ = app.client().resume(*run).await;
    }
    broken.extend(pass(&app, &runs, &seen, (hours(3), free)).await);
    if !app.is_idle_within(days(10)).await {
        broken.push("something is left to do after ten days".to_owned());
    }
    broken.append(&mut seen.lock().unwrap().broken);
    for run in runs {
        let state = app.client().state(run).await.unwrap().state;
        if !state.is_final() || state == State::Expired {
            broken.push(format!("run {run} is {state}"));
        }
    }
    broken.extend(too_many(seen.lock().unwrap().calls.clone(), STARTS_WITHIN + faults.slowest.mul_f64(faults.slow)));
    broken
}

/// Tells of more starts than a window may have.
fn too_many(mut calls: Vec<Timestamp>, starts_within: Duration) -> Vec<String> {
    let (mut broken, window) = (vec![], seconds(CALLS_PER).saturating_sub(starts_within));
    calls.sort();
    for some in calls.windows(usize::try_from(CALLS).unwrap() + 1) {
        if let [first, .., last] = some
            && until(*first, *last) < window
        {
            broken.push(format!("{} calls from {first} to {last}", some.len()));
        }
    }
    broken
}

#[test]
fn limits_hold_and_every_run_has_its_turn_whatever_goes_wrong() {
    all_are_right(40, async |play| history(play, Faults::default()).await);
}

#[test]
fn limits_hold_where_nothing_goes_wrong() {
    all_are_right(10, async |play| history(play, Faults::none()).await);
}

/// The hazard of "write, then look": a ticket comes between the look along the line and the write that says it is empty, whose
/// process dies then.
#[tokio::test(start_paused = true)]
async fn ticket_that_came_while_the_line_was_said_to_be_empty_is_called() {
    const ONE: TaskRef<u32> = TaskRef::new("one");
    let lasts = async |_: u32, _: TaskContext| {
        tokio::time::sleep(minutes(5)).await;
        Ok(())
    };
    let app = TestApp::with_these_faults(1, Faults::none()).with(task(ONE, lasts).timeout(minutes(10)).concurrency(1));
    let runs = [app.run(ONE, 1).await.unwrap().id(), app.run(ONE, 2).await.unwrap().id()];
    app.advance(seconds(1)).await;
    let (ports, limit) = (app.client().ports(), Limit { concurrency: Some(1), rate: None });
    let pool = load::<PoolRecord>(ports, &PoolId::of_task(ONE.name()).record_key()).await.unwrap().unwrap();
    assert!(pool.record.has_waiting);
    let stale = PoolInput::PassedOn { leaving: vec![], next: vec![], are_all: true };
    commit(ports, pool, &stale, limit, app.now() + seconds(1)).await.unwrap();

    app.advance(minutes(11)).await;
    for run in runs {
        assert_eq!(app.state(run).await.unwrap().state, State::Completed);
    }
}

/// A message of before its run was parked asks with the permit that was handed to the run, and doesn't take it along.
#[tokio::test(start_paused = true)]
async fn permit_of_a_parked_run_stays_where_an_older_message_comes_first() {
    const ONE: TaskRef<u32> = TaskRef::new("one");
    let lasts = async |_: u32, _: TaskContext| {
        tokio::time::sleep(minutes(5)).await;
        Ok(())
    };
    let app = TestApp::with_these_faults(1, Faults::none()).with(task(ONE, lasts).timeout(minutes(10)).concurrency(1));
    let (first, second) = (app.run(ONE, 1).await.unwrap().id(), app.run(ONE, 2).await.unwrap().id());
    app.advance(seconds(1)).await;
    let (ports, until) = (app.client().ports(), app.now() + seconds(1));
    let run = async |id| load::<RunRecord>(ports, &RunRecord::key_of(id)).await.unwrap().unwrap().record;
    let (first, second) = (run(first).await, run(second).await);
    assert!(matches!(second.phase, Phase::Parked { .. }));

    let limits = Limits { total: Limit { concurrency: Some(1), rate: None }, ..Limits::default() };
    let pool = async || load::<PoolRecord>(ports, &PoolId::of_task(ONE.name()).record_key()).await.unwrap().unwrap();
    let next = vec![(second.holder(), second.send())];
    let handed = PoolInput::PassedOn { leaving: vec![first.holder()], next, are_all: true };
    commit(ports, pool().await, &handed, limits.total, until).await.unwrap();

    let before = RunRecord { phase: Phase::Queued, invoker: Invoker::Queue { generation: 7 }, ..second.clone() };
    let before = RunRecord { version: Version(1), ..before };
    let (call, policy) = (Input::Delivered(before.purpose()), Policy { limits, ..Policy::default() });
    commit_call(ports, &Gate::open(), before, call, &policy, None, until).await.unwrap();
    assert!(pool().await.record.holds(second.holder()));
}
