//! One history: what is done from outside, step by step.

use std::{collections::BTreeMap, time::Duration};

use dacapo::{Client, Id, ScheduleState, State, prelude::*};
use dacapo_test_kit::{Faults, TestApp};
use dacapo_tests::histories::{Play, watch};
use jiff::Timestamp;

use super::{
    functions::{CHILD, Deploy, Job, KID, NEWS, SWEEP, TICK, WORK, app, functions},
    judge::judge,
    seen::Witness,
};

const STEPS: u32 = 25;
const TASKS: [&str; 5] = [WORK.name(), CHILD.name(), KID.name(), TICK.name(), SWEEP.name()];
/// The steps after which there is a deploy.
const DEPLOYS: [(u32, Deploy); 2] = [(8, Deploy::Changed), (16, Deploy::Back)];

/// The knowledge of those outside.
pub struct Outside<'a> {
    pub play: &'a Play,
    pub app: TestApp,
    pub seen: Witness,
    pub faults: Faults,
    rng: fastrand::Rng,
    /// Runs that were started, and when they are due.
    pub started: BTreeMap<Id, Timestamp>,
    /// Runs of which an abort said that they are in this state.
    pub aborted: BTreeMap<Id, State>,
    /// Runs that have ended.
    pub ended: BTreeMap<Id, State>,
    /// The times at which runs were paused and resumed.
    pub paused: BTreeMap<Id, Pauses>,
    /// The same of the schedule.
    pub schedule_paused: Pauses,
    /// Runs by their keys.
    pub keys: BTreeMap<u32, Vec<Id>>,
    /// Events that were published.
    pub published: Vec<u32>,
    /// Those that are due after the deploy that brought another subscriber.
    pub published_late: Vec<u32>,
    /// A client that knows the manifest of the deploy before.
    yesterday: Option<Client>,
    pub broken: Vec<String>,
}

/// The times at which something was paused, and resumed.
#[derive(Default)]
pub struct Pauses {
    since: Option<Timestamp>,
    pub over: Vec<(Timestamp, Timestamp)>,
}

impl Pauses {
    /// Is true where it was paused then, with a margin before and after.
    pub fn hold(&self, time: Timestamp, margin: Duration) -> bool {
        self.over.iter().any(|(since, until)| *since + margin < time && time + margin < *until)
    }
}

/// One history, and what is wrong with it.
pub async fn history(play: &Play, faults: Faults) -> Vec<String> {
    let seen = Witness::default();
    let app = app(play.seed, play.faults(&faults), &seen);
    let mut outside = Outside {
        play,
        app,
        seen,
        faults,
        rng: fastrand::Rng::with_seed(play.seed),
        started: BTreeMap::new(),
        aborted: BTreeMap::new(),
        ended: BTreeMap::new(),
        paused: BTreeMap::new(),
        schedule_paused: Pauses::default(),
        keys: BTreeMap::new(),
        published: vec![],
        published_late: vec![],
        yesterday: None,
        broken: vec![],
    };
    for number in play.steps(STEPS) {
        outside.step(number).await;
        outside.app.advance(seconds(0)).await;
        outside.watch().await;
        if !outside.broken.is_empty() {
            return outside.broken;
        }
    }
    outside.end().await;
    judge(&outside).await
}

impl Outside<'_> {
    async fn step(&mut self, number: u32) {
        if let Some((_, deploy)) = DEPLOYS.into_iter().find(|(step, _)| *step == number && self.deploys()) {
            self.deploy(deploy);
        }
        self.start(number).await;
        if number.is_multiple_of(3) {
            self.publish(number).await;
        }
        let time = seconds(self.rng.u64(0..1_200));
        self.app.advance(time).await;
        if self.rng.u8(0..4) == 0 {
            let id = self.any();
            if let Ok(record) = self.app.abort(id, "enough").await {
                self.play.note(|| format!("aborts {id}: {}", record.state));
                self.aborted.insert(id, record.state);
            }
        }
        if self.rng.bool() {
            // A second completion, a late one, and one of a run that has ended are refused.
            let token = self.seen.seen().tokens.pop();
            if let Some(token) = token {
                let _ = self.app.complete(token, number).await;
            }
        }
        self.pause_one().await;
        self.pause_schedule().await;
    }

    /// Is true where there are deploys: a function that is gone for a while is no sign of calm.
    pub fn deploys(&self) -> bool {
        self.faults.crash > 0.0
    }

    /// The time by which what was seen may be later than what it was decided by: clocks differ, and calls take time.
    pub fn margin(&self) -> Duration {
        let Faults { skew, slow, slowest, .. } = self.faults;
        skew + if slow > 0.0 { slowest * 2 } else { Duration::ZERO }
    }

    fn deploy(&mut self, deploy: Deploy) {
        self.play.note(|| format!("deploys: {deploy:?}"));
        self.yesterday = Some(self.app.client().clone());
        let app = std::mem::take(&mut self.app);
        self.app = app.redeployed(functions(deploy, self.play.seed, &self.seen));
        self.seen.join(self.app.clock(), self.app.client().clone());
    }

    async fn start(&mut self, number: u32) {
        let rounds = self.rng.u32(0..5);
        let job = Job { number, rounds, of: rounds };
        let due = self.app.now() + seconds(if self.rng.bool() { 0 } else { self.rng.u64(1..5_000) });
        // The publisher of before has not heard of the deploy.
        let yesterday = self.yesterday.take();
        let client = yesterday.as_ref().unwrap_or(self.app.client());
        let mut start = client.run(WORK, job).at(due.max(self.app.now() + Duration::from_millis(1)));
        let key = self.rng.bool().then_some(number / 4);
        if let Some(key) = key {
            start = start.key(key.to_string());
        }
        if self.rng.u8(0..6) == 0 {
            start = start.ttl(minutes(2));
        }
        match start.await {
            Ok(run) => {
                self.play.note(|| format!("starts run {} as number {number}, due at {due}, key {key:?}", run.id()));
                if let Some(key) = key {
                    self.keys.entry(key).or_default().push(run.id());
                }
                self.started.entry(run.id()).or_insert(due);
            }
            Err(error) => self.broken.push(format!("a run could not be started: {error}")),
        }
    }

    /// Publishes two events, which come together or hours apart.
    async fn publish(&mut self, number: u32) {
        for event in [1_000 + number, 2_000 + number] {
            let delay = self.rng.u64(1..4_000);
            let delay = if number.is_multiple_of(2) { 5 } else { delay };
            match self.app.publish(NEWS, event).after(seconds(delay)).await {
                Ok(_) => {
                    self.published.push(event);
                    if self.deploys() && number > DEPLOYS[0].0 {
                        self.published_late.push(event);
                    }
                }
                Err(error) => self.broken.push(format!("an event could not be published: {error}")),
            }
        }
    }

    fn any(&mut self) -> Id {
        let ids: Vec<Id> = self.started.keys().copied().collect();
        ids[self.rng.usize(0..ids.len())]
    }

    /// Pauses a run, or resumes one that is paused.
    async fn pause_one(&mut self) {
        let run = self.any();
        if self.paused.get(&run).is_some_and(|pauses| pauses.since.is_some()) {
            self.resume(run).await;
        } else if self.rng.u8(0..3) == 0 && self.app.client().pause(run).await.is_ok() {
            self.play.note(|| format!("pauses run {run}"));
            self.paused.entry(run).or_default().since = Some(self.app.now());
        }
    }

    async fn resume(&mut self, run: Id) {
        let Some(pauses) = self.paused.get_mut(&run) else { return };
        let Some(since) = pauses.since.take() else { return };
        self.play.note(|| format!("resumes run {run}"));
        // It is refused where the run was aborted, or the attempt that executed ended it.
        let _ = self.app.client().resume(run).await;
        pauses.over.push((since, self.app.now()));
    }

    async fn pause_schedule(&mut self) {
        let name = tick(&self.app).await.name;
        let name = &name;
        match self.schedule_paused.since.take() {
            Some(since) => {
                self.app.schedules().resume(name).await.unwrap();
                self.play.note(|| "resumes the schedule".to_owned());
                self.schedule_paused.over.push((since, self.app.now()));
            }
            None if self.rng.u8(0..6) == 0 => {
                self.app.schedules().pause(name).await.unwrap();
                self.play.note(|| "pauses the schedule".to_owned());
                self.schedule_paused.since = Some(self.app.now());
            }
            None => {}
        }
    }

    /// Guarantee 3, a final state never changes; and what holds of every record.
    async fn watch(&mut self) {
        for task in TASKS {
            let runs = watch::runs(&self.app, task).await;
            let unfinished = runs.iter().filter(|run| !run.phase.is_final()).count();
            if task == SWEEP.name() && unfinished > 1 {
                self.broken.push(format!("{unfinished} runs of a schedule that skips while one is unfinished"));
            }
            self.broken.extend(watch::broken(&self.app, &runs, &self.faults).await);
            for run in runs {
                let state = run.state_at(self.app.now());
                match self.ended.get(&run.id) {
                    Some(ended) if *ended != state => {
                        self.broken.push(format!("{} was {ended} and is {state}", run.id))
                    }
                    None if state.is_final() => drop(self.ended.insert(run.id, state)),
                    _ => {}
                }
            }
        }
        self.broken.append(&mut self.seen.seen().broken);
    }

    async fn rest(&mut self) {
        if !self.app.is_idle_within(days(10)).await {
            self.broken.push("something is left to do after ten days".to_owned());
        }
    }

    /// Lets all that was started come to its end.
    async fn end(&mut self) {
        if self.schedule_paused.since.is_some() {
            self.pause_schedule().await;
        }
        self.rest().await;
        for run in self.paused.keys().copied().collect::<Vec<_>>() {
            self.resume(run).await;
        }
        self.rest().await;
        self.watch().await;
    }
}

/// The schedule that is paused now and then.
pub async fn tick(app: &TestApp) -> ScheduleState {
    let schedules = app.schedules().list().await.unwrap();
    schedules.into_iter().find(|schedule| schedule.task == TICK.name()).unwrap()
}
