//! The functions of the app.

use std::collections::BTreeMap;

use dacapo::{Definition, RunView, State, TaskContext, prelude::*};
use dacapo_test_kit::{Faults, TestApp};
use dacapo_tests::histories::dice;
use serde::{Deserialize, Serialize};

use super::seen::Witness;

pub const WORK: TaskRef<Job, u32> = TaskRef::new("work");
pub const CHILD: TaskRef<u32> = TaskRef::new("child");
/// The name that [`CHILD`] has for a while.
pub const KID: TaskRef<u32> = TaskRef::new("kid");
pub const TICK: TaskRef<()> = TaskRef::new("tick");
pub const SWEEP: TaskRef<()> = TaskRef::new("sweep");
pub const NEWS: EventRef<u32> = EventRef::new("news");

/// The work of a run: how many rounds are left, of how many.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub number: u32,
    pub rounds: u32,
    pub of: u32,
}

async fn work(
    job: Job,
    cx: TaskContext,
    seed: u64,
    seen: Witness,
    child: TaskRef<u32>,
) -> Result<Outcome<Job, u32>, TaskError> {
    let _busy = seen.begins(&cx);
    if job.of - job.rounds != (cx.iteration() - 1).min(job.of) {
        seen.seen().broken.push(format!("{} has {job:?} in iteration {}", cx.run_id(), cx.iteration()));
    }
    let roll = dice((seed, job.number, cx.iteration(), cx.attempt()));
    let mark = cx.step("mark", async || Ok(dice((cx.run_id(), cx.iteration(), cx.attempt(), cx.time())))).await?;
    seen.seen().marks.entry((cx.run_id(), "mark")).or_default().insert(mark);
    cx.update_output(BTreeMap::from([(cx.iteration(), cx.attempt())])).await?;
    cx.progress(format!("iteration {}", cx.iteration()), 0.5).await?;
    // Others go on meanwhile: a second message about this run, the conductor, an abort.
    tokio::time::sleep(seen.lasts(roll)).await;
    let last = cx.step("last", async || Ok(dice((cx.run_id(), cx.iteration(), cx.attempt(), cx.time(), 1)))).await?;
    seen.seen().marks.entry((cx.run_id(), "last")).or_default().insert(last);
    if roll % 7 == 0 {
        cx.run(child, job.number).after(minutes(roll % 40)).await?;
        cx.publish(NEWS, job.number).await?;
    }
    if roll % 13 == 0 {
        // It is aborted from outside just before it ends.
        let told = seen.client().abort(cx.run_id(), "enough of it").await;
        if told.is_ok_and(|run| run.state == State::Running && run.attempt == cx.attempt()) {
            seen.seen().enough.entry(cx.run_id()).or_insert((cx.iteration(), cx.attempt()));
        }
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
        let token = cx.token(format!("{}", job.rounds)).timeout(seconds(1 + roll % 20_000)).await?;
        if cx.told::<u32>(token.name()).await?.is_none() {
            if roll.is_multiple_of(3) {
                // It is completed before its run waits for it.
                let _ = seen.client().complete(token.to_string(), job.number).await;
            } else {
                seen.seen().tokens.push(token.to_string());
            }
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
        seen.seen().told.insert((run.id, cx.name().to_owned()));
        async { Ok::<_, TaskError>(()) }
    })
}

/// Two handlers of one event: one that fails now and then, and one that counts.
fn news(seed: u64, seen: &Witness) -> [EventHandler; 2] {
    let (hearing, auditing) = (seen.clone(), seen.clone());
    let hear = on(NEWS, move |number: u32, cx: EventContext| {
        let hearing = hearing.clone();
        async move {
            if dice((seed, number, cx.attempt())).is_multiple_of(4) {
                return Err(TaskError::retryable("not now"));
            }
            *hearing.seen().handled.entry(number).or_default() += 1;
            Ok(())
        }
    });
    let audit = on(NEWS, move |number: u32, _: EventContext| {
        *auditing.seen().audited.entry(number).or_default() += 1;
        async { Ok::<_, TaskError>(()) }
    });
    [hear, audit]
}

/// A deploy: what is the same in each, and what is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deploy {
    /// The first.
    First,
    /// `child` has another name, `work` other options, and a function more hears of the news.
    Changed,
    /// All is named as before.
    Back,
}

/// The functions of a deploy.
pub fn functions(deploy: Deploy, seed: u64, seen: &Witness) -> Vec<Definition> {
    let (working, ending, late) = (seen.clone(), seen.clone(), seen.clone());
    let (child, attempts, timeout) = match deploy {
        Deploy::First | Deploy::Back => (CHILD, 6, minutes(5)),
        Deploy::Changed => (KID, 4, minutes(3)),
    };
    let work = task(WORK, move |job, cx| work(job, cx, seed, working.clone(), child));
    let work = work.retry(Retry::attempts(attempts)).timeout(timeout).on_complete(move |record: RunView, _| {
        *ending.seen().completed.entry(record.id).or_default() += 1;
        async { Ok(()) }
    });
    let hourly = || cron("0 * * * ? *");
    let tick = task(TICK, async |(): (), _: TaskContext| Ok(())).schedule(hourly(), ());
    // It goes on for longer than its schedule waits.
    let sweep = async |(): (), cx: TaskContext| {
        Ok(if cx.iteration() == 1 { Continue::after(minutes(90), ()) } else { Done(()) })
    };
    let sweep = task(SWEEP, sweep).schedule(hourly().skip_while_running(), ());
    let mut functions = vec![Definition::of(work), Definition::of(tick), Definition::of(sweep)];
    functions.push(Definition::of([
        hears(lifecycle::started(WORK), seen),
        hears(lifecycle::completed(WORK), seen),
        hears(lifecycle::failed(WORK), seen),
        hears(lifecycle::aborted(WORK), seen),
        hears(lifecycle::expired(WORK), seen),
        hears(lifecycle::completed(CHILD), seen),
        hears(lifecycle::failed(CHILD), seen),
        hears(lifecycle::aborted(CHILD), seen),
        hears(lifecycle::completed(KID), seen),
        hears(lifecycle::failed(KID), seen),
        hears(lifecycle::aborted(KID), seen),
    ]));
    functions.push(Definition::of(news(seed, seen)));
    if deploy != Deploy::First {
        functions.push(Definition::of(on(NEWS, move |number: u32, _: EventContext| {
            late.seen().heard_late.insert(number);
            async { Ok::<_, TaskError>(()) }
        })));
    }
    functions.push(Definition::of(task(child, async |_: u32, _: TaskContext| Ok(()))));
    functions
}

/// The app, with these faults, once it is deployed first.
pub fn app(seed: u64, faults: Faults, seen: &Witness) -> TestApp {
    {
        let mut seen = seen.seen();
        (seen.lasts_long, seen.clocks_differ) = (faults.slow > 0.0, !faults.skew.is_zero());
    }
    let app = TestApp::with_these_faults(seed, faults).redeployed(functions(Deploy::First, seed, seen));
    seen.join(app.clock(), app.client().clone());
    app
}
