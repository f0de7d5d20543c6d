//! Schedules: which is which over deploys, and what a fire that comes again does.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use dacapo::{Client, Definition, ErrorKind, Schedule, ScheduleState, prelude::*};
use dacapo_core::{
    commit::{commit, load},
    port::{Clock, Outbox, PortResult, Ports},
    runner::Runner,
};
use dacapo_domain::{DecisionContext, Effect, Fire, Message, ScheduleInput, ScheduleRecord, at, fire_id};
use dacapo_test_kit::TestApp;
use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;

const REPORT: TaskRef<String> = TaskRef::new("report");

async fn report(_: String, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

/// A task with these schedules and the bodies of their runs.
fn reports(schedules: &[(Schedule, &str)]) -> [Definition; 1] {
    let task = schedules
        .iter()
        .fold(task(REPORT, report), |task, (schedule, body)| task.schedule(schedule.clone(), (*body).to_owned()));
    [Definition::of(task)]
}

/// The schedule that starts runs with this body, whatever it is named after.
async fn of(app: &TestApp, body: &str) -> ScheduleState {
    let all = app.schedules().list().await.unwrap();
    all.into_iter().find(|one| one.body.parse::<String>().unwrap() == body).unwrap()
}

async fn pause(app: &TestApp, body: &str) {
    app.schedules().pause(&of(app, body).await.name).await.unwrap();
}

/// The pauses after a deploy of the first schedules, a pause of one of them, and a deploy of the others.
async fn paused_after(before: &[(Schedule, &str)], paused: &str, after: &[(Schedule, &str)]) -> Vec<(String, bool)> {
    let app = TestApp::new().redeployed(reports(before));
    pause(&app, paused).await;
    app.advance(minutes(1)).await;
    let app = app.redeployed(reports(after));
    let mut told = vec![];
    for (_, body) in after {
        told.push(((*body).to_owned(), of(&app, body).await.paused));
    }
    told
}

fn daily() -> Schedule {
    cron("0 6 * * ? *")
}

fn weekly() -> Schedule {
    every("7 days")
}

#[tokio::test(start_paused = true)]
async fn pause_stays_with_its_schedule_whatever_becomes_of_the_others() {
    let told = |expected: &[(&str, bool)]| -> Vec<(String, bool)> {
        expected.iter().map(|(body, paused)| ((*body).to_owned(), *paused)).collect()
    };
    let both = [(daily(), "day"), (weekly(), "week")];
    let swapped = [(weekly(), "week"), (daily(), "day")];
    assert_eq!(paused_after(&both, "day", &both[1..]).await, told(&[("week", false)]));
    assert_eq!(paused_after(&both, "week", &both[1..]).await, told(&[("week", true)]));
    assert_eq!(paused_after(&both, "day", &swapped).await, told(&[("week", false), ("day", true)]));
    // Another option, another body, other times.
    let skipping = [(weekly().skip_while_running(), "week")];
    assert_eq!(paused_after(&both, "week", &skipping).await, told(&[("week", true)]));
    assert_eq!(paused_after(&both, "week", &[(weekly(), "weekly")]).await, told(&[("weekly", true)]));
    assert_eq!(paused_after(&both, "week", &[(every("8 days"), "week")]).await, told(&[("week", true)]));
    // Of the same times the bodies tell which is which.
    let alike = [(daily(), "a"), (daily(), "b")];
    assert_eq!(
        paused_after(&alike, "a", &[alike[1].clone(), alike[0].clone()]).await,
        told(&[("b", false), ("a", true)])
    );
    assert_eq!(paused_after(&alike, "a", &alike[1..]).await, told(&[("b", false)]));
    assert_eq!(paused_after(&alike, "b", &alike[1..]).await, told(&[("b", true)]));
    assert_eq!(paused_after(&alike[..1], "a", &alike).await, told(&[("a", true), ("b", false)]));
}

#[tokio::test(start_paused = true)]
async fn schedule_that_was_gone_comes_back_as_a_new_one() {
    let both = [(daily(), "day"), (weekly(), "week")];
    let app = TestApp::new().redeployed(reports(&both));
    pause(&app, "week").await;
    let app = app.redeployed(reports(&both[..1]));
    app.advance(hours(1)).await;
    let app = app.redeployed(reports(&both));
    assert!(!of(&app, "week").await.paused);
}

#[tokio::test(start_paused = true)]
async fn schedules_with_the_same_times_and_body_are_two() {
    let twice = [(weekly(), "week"), (weekly(), "week")];
    let app = TestApp::new().redeployed(reports(&twice));
    app.advance(minutes(1)).await;
    assert_eq!((app.schedules().list().await.unwrap().len(), app.runs_of(REPORT).len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn another_body_or_option_of_a_schedule_doesnt_create_it_anew() {
    let app = TestApp::new().redeployed(reports(&[(every("1 hour"), "a")]));
    app.schedules().put("put", REPORT, every("1 hour"), "a".to_owned()).await.unwrap();
    app.advance(minutes(10)).await;
    app.schedules().put("put", REPORT, every("1 hour").skip_while_running(), "b".to_owned()).await.unwrap();
    let app = app.redeployed(reports(&[(every("1 hour").skip_while_running(), "b")]));
    app.advance(minutes(49)).await;
    assert_eq!(app.runs_of(REPORT).len(), 2);
    app.advance(minutes(1)).await;
    assert_eq!(app.runs_of(REPORT).len(), 4, "an hour after it was created");
}

#[tokio::test(start_paused = true)]
async fn declared_schedule_takes_the_place_of_one_that_was_put() {
    let declared = [(every("1 hour"), "declared")];
    let app = TestApp::new().redeployed(reports(&declared));
    let name = of(&app, "declared").await.name;
    let app = app.redeployed(reports(&[]));
    app.schedules().put(&name, REPORT, every("20 minutes"), "put".to_owned()).await.unwrap();
    app.advance(minutes(10)).await;
    let before = app.runs_of(REPORT).len();
    let app = app.redeployed(reports(&declared));
    app.advance(minutes(119)).await;
    let fired = app.runs_of(REPORT).split_off(before);
    let bodies: Vec<String> = fired.iter().map(|run| run.body.as_ref().unwrap().parse().unwrap()).collect();
    assert_eq!(bodies, ["declared", "declared"]);
    assert!(app.schedules().get(&name).await.unwrap().declared);
}

#[tokio::test(start_paused = true)]
async fn fires_of_a_declared_every_are_told_from_its_creation() {
    let app = TestApp::new().redeployed(reports(&[(every("1 hour"), "a")]));
    let start = app.now();
    app.advance(minutes(40)).await;
    let name = of(&app, "a").await.name;
    assert_eq!(app.schedules().upcoming(&name, 1).await.unwrap(), [start + hours(1)]);
    assert_eq!(app.schedules().upcoming(&name, 1_000).await.unwrap().len(), 1_000);
    let error = app.schedules().upcoming(&name, usize::MAX).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Usage && error.to_string().contains("up to 1000"), "{error}");
}

async fn fires_again(app: &TestApp, schedule: &str, time: Timestamp) {
    let fire = Message::Fire(Fire { schedule: schedule.to_owned(), time });
    app.client().ports().outbox.post(&Effect::send("report", &fire)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn fire_that_comes_again_after_a_short_history_makes_no_second_run() {
    for schedule in [every("1 day"), every("1 day").skip_while_running()] {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = calls.clone();
        let count = move |_: String, _: TaskContext| {
            counted.fetch_add(1, Ordering::Relaxed);
            async { Ok::<(), TaskError>(()) }
        };
        let app = TestApp::new().with(task(REPORT, count).history(minutes(30)).schedule(schedule, "a".to_owned()));
        let (time, name) = (app.now(), of(&app, "a").await.name);
        for pass in [minutes(90), days(13)] {
            app.advance(pass).await;
            let before = calls.load(Ordering::Relaxed);
            fires_again(&app, &name, time).await;
            app.advance(seconds(10)).await;
            assert_eq!(calls.load(Ordering::Relaxed), before, "{pass:?} later");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fire_that_made_its_run_is_not_told_as_skipped() {
    let app = TestApp::new().redeployed(reports(&[(every("1 hour"), "a")]));
    let (time, name) = (app.now(), of(&app, "a").await.name);
    app.advance(minutes(1)).await;
    pause(&app, "a").await;
    fires_again(&app, &name, time).await;
    app.advance(minutes(1)).await;
    assert_eq!((app.runs_of(REPORT).len(), of(&app, "a").await.skipped.iter().count()), (1, 0));
}

/// A yearly schedule that skips while a run of it is unfinished, and its name.
async fn exclusive() -> (TestApp, Schedule, String) {
    let schedule = cron("0 0 1 1 ? *").skip_while_running();
    let app = TestApp::new().redeployed(reports(&[(schedule.clone(), "a")]));
    let name = of(&app, "a").await.name;
    (app, schedule, name)
}

/// A fire is admitted, and its process dies before the run is there.
async fn admitted(ports: &Ports, schedule: Schedule, name: &str, time: Timestamp) {
    let stored = load::<ScheduleRecord>(ports, &ScheduleRecord::key_of(name)).await.unwrap().unwrap();
    let (run, last_run) = (fire_id(name, time), stored.record.last_run);
    let fired = ScheduleInput::Fired { time, run, schedule, is_there: false, last_run, is_unfinished: false };
    commit(ports, stored, &fired, (), time).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn fire_whose_run_is_still_to_be_made_counts_as_unfinished() {
    let (app, schedule, name) = exclusive().await;
    let (first, second) = (app.now(), app.now() + minutes(1));
    admitted(app.client().ports(), schedule, &name, first).await;
    let told = async |time| {
        fires_again(&app, &name, time).await;
        app.advance(minutes(2)).await;
        (app.runs_of(REPORT).len(), of(&app, "a").await.skipped.iter().count())
    };
    assert_eq!(told(second).await, (0, 1));
    assert_eq!(told(first).await, (1, 1), "its message comes back");
    assert_eq!(told(second + minutes(1)).await, (2, 1));
}

/// A clock where something happens before the first decision.
struct Overtaken {
    clock: Arc<dyn Clock>,
    first: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Clock for Overtaken {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn random(&self) -> u64 {
        self.clock.random()
    }

    fn decision_context(&self) -> DecisionContext {
        if let Some(first) = self.first.lock().unwrap().take() {
            first();
        }
        self.clock.decision_context()
    }
}

#[tokio::test(start_paused = true)]
async fn fire_that_another_one_overtakes_is_judged_by_that_ones_run() {
    let (app, schedule, name) = exclusive().await;
    let (ports, time) = (app.client().ports().clone(), app.now());
    let (others, faster) = (ports.clone(), name.clone());
    let first: Box<dyn FnOnce() + Send> = Box::new(move || {
        admitted(&others, schedule, &faster, time + minutes(1)).now_or_never().unwrap();
    });
    let clock = Arc::new(Overtaken { clock: ports.clock.clone(), first: Mutex::new(Some(first)) });
    let [function] = reports(&[(cron("0 0 1 1 ? *").skip_while_running(), "a")]);
    let runner = Runner::new(function.handlers, Ports { clock, ..ports }, "report");
    let fire = Message::Fire(Fire { schedule: name, time }).to_text();
    runner.deliver(&fire, 1, time + minutes(1)).await.unwrap();
    assert_eq!((app.runs_of(REPORT).len(), of(&app, "a").await.skipped.iter().count()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn one_time_schedule_is_gone_once_it_was_used() {
    let app = TestApp::new().with(task(REPORT, report));
    app.schedules().put("once", REPORT, at("2 minutes"), "a".to_owned()).await.unwrap();
    app.advance(minutes(1)).await;
    assert_eq!(app.schedules().list().await.unwrap().len(), 1);
    app.advance(minutes(2)).await;
    assert_eq!((app.schedules().list().await.unwrap().len(), app.runs_of(REPORT).len()), (0, 1));
    assert!(load::<ScheduleRecord>(app.client().ports(), &ScheduleRecord::key_of("once")).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn one_time_schedule_that_its_own_run_puts_again_stays() {
    let client: Arc<OnceLock<Client>> = Arc::default();
    let own = client.clone();
    let again = move |n: String, _: TaskContext| {
        let schedules = own.get().unwrap().schedules();
        async move {
            if n.len() < 3 {
                schedules.put("next", REPORT, at("1 hour"), format!("{n}a")).await?;
            }
            Ok::<(), TaskError>(())
        }
    };
    let app = TestApp::new().with(task(REPORT, again));
    assert!(client.set(app.client().clone()).is_ok());
    app.schedules().put("next", REPORT, at("1 hour"), "a".to_owned()).await.unwrap();
    app.advance(hours(5)).await;
    assert_eq!((app.schedules().list().await.unwrap().len(), app.runs_of(REPORT).len()), (0, 3));
}

/// An outbox where something happens once a schedule is in the scheduler, before its program hears of it.
struct Meddled {
    outbox: Arc<dyn Outbox>,
    meddle: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
    posted: Mutex<Vec<String>>,
}

impl Meddled {
    fn of(ports: &Ports, meddle: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { outbox: ports.outbox.clone(), meddle: Box::new(meddle), posted: Mutex::default() })
    }
}

#[async_trait]
impl Outbox for Meddled {
    async fn post(&self, effect: &Effect) -> PortResult<()> {
        self.outbox.post(effect).await?;
        let name = format!("{effect:?}").split(' ').next().unwrap_or_default().to_owned();
        self.posted.lock().unwrap().push(name);
        if matches!(effect, Effect::PutSchedule { .. }) {
            (self.meddle)().await;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn first_fire_of_an_every_is_not_lost_however_soon_it_comes() {
    let app = Arc::new(TestApp::new().with(task(REPORT, report)));
    let ports = app.client().ports().clone();
    let fires = app.clone();
    let outbox = Meddled::of(&ports, move || {
        let app = fires.clone();
        Box::pin(async move { app.advance(seconds(0)).await })
    });
    let client = Client::new(Ports { outbox, ..ports });
    client.schedules().put("s", REPORT, every("1 hour"), "a".to_owned()).await.unwrap();
    assert_eq!(app.runs_of(REPORT).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn schedule_that_is_deleted_while_it_is_put_is_in_the_scheduler_no_more() {
    let app = TestApp::new().with(task(REPORT, report));
    let ports = app.client().ports().clone();
    let deletes = app.client().clone();
    let outbox = Meddled::of(&ports, move || {
        let client = deletes.clone();
        Box::pin(async move { client.schedules().delete("s").await.unwrap() })
    });
    let client = Client::new(Ports { outbox: outbox.clone(), ..ports });
    let put = client.schedules().put("s", REPORT, cron("* * * * ? *"), "a".to_owned()).await;
    assert_eq!(put.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(*outbox.posted.lock().unwrap(), ["PutSchedule", "DeleteSchedule"]);
    app.advance(minutes(5)).await;
    assert!(app.runs_of(REPORT).is_empty() && app.schedules().list().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn schedule_whose_deletion_was_cut_short_is_deleted_by_the_conductor() {
    let app = TestApp::new().with(task(REPORT, report));
    app.schedules().put("s", REPORT, cron("0 * * * ? *"), "a".to_owned()).await.unwrap();
    let ports = app.client().ports();
    let key = ScheduleRecord::key_of("s");
    let stored = load::<ScheduleRecord>(ports, &key).await.unwrap().unwrap();
    commit(ports, stored, &ScheduleInput::Deleted, (), app.now()).await.unwrap();
    assert!(app.schedules().list().await.unwrap().is_empty(), "it is hidden at once");
    app.advance(minutes(3)).await;
    assert!(load::<ScheduleRecord>(ports, &key).await.unwrap().is_none());
    app.advance(hours(2)).await;
    assert!(app.runs_of(REPORT).is_empty());
}
