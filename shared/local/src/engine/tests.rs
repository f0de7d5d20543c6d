//! What the engine makes of answers, crashes and missed fires; functions here are scripts, not handlers.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use dacapo_core::port::{Clock, ExecutionStatus, Loops, Payloads, PortResult, Ports};
use dacapo_domain::{
    Answer, Driver as DrivenBy, FunctionEntry, Invocation, Json, LoopCall, Manifest, NewRun, Policy, Run, SkipReason,
    State, TaskEntry, Trigger, cron, every,
};
use jiff::Timestamp;

use super::*;
use crate::{
    report::Report,
    sqlite::{Database, Received},
    test_app::VirtualClock,
};

type Tested = Result<(), Box<dyn std::error::Error>>;
type Said = Arc<Mutex<Vec<String>>>;

/// A function that answers calls from a list, and takes all messages.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Result<Json, Crash>>>,
    calls: Mutex<Vec<Invocation>>,
    texts: Mutex<Vec<String>>,
}

#[async_trait]
impl Invoke for Script {
    async fn deliver(&self, _: &FunctionEntry, batch: &[Received]) -> Result<Vec<bool>, Crash> {
        self.texts.lock().unwrap().extend(batch.iter().map(|message| message.text.clone()));
        Ok(vec![true; batch.len()])
    }

    async fn call(&self, _: &FunctionEntry, payload: Json) -> Result<Json, Crash> {
        self.calls.lock().unwrap().push(payload.parse().unwrap());
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| Err(Crash::new("no answer is left")))
    }
}

struct App {
    engine: Engine,
    script: Arc<Script>,
    clock: Arc<VirtualClock>,
    database: Database,
    said: Said,
}

impl App {
    async fn new(schedules: Vec<dacapo_domain::ScheduleEntry>) -> Result<Self, Box<dyn std::error::Error>> {
        let clock = Arc::new(VirtualClock::new(1));
        Self::on(Database::memory(clock.clone())?, clock, schedules).await
    }

    async fn on(
        database: Database,
        clock: Arc<VirtualClock>,
        schedules: Vec<dacapo_domain::ScheduleEntry>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let task = TaskEntry { name: "greet".to_owned(), policy: Policy::default(), private: false, schedules };
        let manifest = Manifest::new("shop", vec![FunctionEntry::task("greet", 128, task)])?;
        let (script, said) = (Arc::new(Script::default()), Said::default());
        let hears = said.clone();
        let reports = Arc::new(move |report: Report| hears.lock().unwrap().push(report.to_string()));
        let engine = Engine::new(database.clone(), manifest, script.clone(), reports);
        engine.deploy().await?;
        Ok(Self { engine, script, clock, database, said })
    }

    /// When there is something to do next.
    async fn next_due(&self) -> PortResult<Option<Timestamp>> {
        Ok(self.engine.take(|_| 0).await?.next)
    }

    async fn settle(&self) -> Tested {
        loop {
            let work = self.engine.take(|_| usize::MAX).await?.work;
            if work.is_empty() {
                return Ok(());
            }
            for work in work {
                self.engine.perform(work).await;
            }
        }
    }

    fn ports(&self) -> Ports {
        self.database.ports()
    }

    fn after(&self, time: Duration) -> Timestamp {
        self.clock.now() + time
    }

    /// A run that waits for its loop, which calls it now.
    async fn waiting_run(&self) -> Result<(Run, LoopCall), Box<dyn std::error::Error>> {
        let ports = self.ports();
        let new = NewRun {
            id: ports.clock.new_id(),
            name: "greet".to_owned(),
            due_at: ports.clock.now(),
            trigger: Trigger::Run,
            parent_id: None,
            hops: 0,
            tags: vec![],
            key: None,
            schedule: None,
            ttl: None,
            execution: None,
        };
        let made = Run::create(new, &ports.clock.moment()).run;
        let run = Run { state: State::Waiting, driver: DrivenBy::Loop, generation: 1, iteration: 2, ..made };
        ports.store.create(&run, &Json::default(), None).await?;
        let call = LoopCall::first(&run, ports.clock.now());
        ports.loops.start(&run.execution_name(), "greet", &call, ports.clock.now()).await?;
        Ok((run, call))
    }

    fn answer(&self, answer: &Answer) {
        self.script.answers.lock().unwrap().push_back(Ok(Json::of(answer).unwrap()));
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }
}

#[tokio::test]
async fn the_loop_waits_as_told_and_calls_again_with_what_it_was_told() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, call) = app.waiting_run().await?;
    let next = LoopCall { round: 1, iteration: 3, ..call.clone() };
    app.answer(&Answer::Wait { until: app.after(Duration::from_secs(90)), call: next.clone() });
    app.answer(&Answer::Stop { id: run.id, state: State::Completed });

    app.settle().await?;
    assert_eq!(*app.script.calls.lock().unwrap(), [Invocation::Loop(call.clone())]);
    app.clock.move_to(app.after(Duration::from_secs(89)));
    app.settle().await?;
    assert_eq!(app.script.calls.lock().unwrap().len(), 1);

    app.clock.move_to(app.after(Duration::from_secs(1)));
    app.settle().await?;
    assert_eq!(app.script.calls.lock().unwrap()[1], Invocation::Loop(next));
    assert_eq!(app.database.status(&run.execution_name()).await?, ExecutionStatus::Ended);
    Ok(())
}

#[tokio::test]
async fn a_handover_starts_the_successor_and_ends() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, call) = app.waiting_run().await?;
    let (name, until) = ("successor".to_owned(), app.after(Duration::from_secs(60)));
    let next = LoopCall { generation: 2, ..call };
    app.answer(&Answer::Handover { name, call: next.clone(), until });
    app.settle().await?;
    assert_eq!(app.database.status(&run.execution_name()).await?, ExecutionStatus::Ended);
    assert_eq!(app.database.status("successor").await?, ExecutionStatus::Running);

    app.answer(&Answer::Stop { id: run.id, state: State::Completed });
    app.clock.move_to(until);
    app.settle().await?;
    assert_eq!(app.script.calls.lock().unwrap()[1], Invocation::Loop(next));
    Ok(())
}

#[tokio::test]
async fn a_crash_of_a_call_is_told_to_the_conductor_which_says_when_to_call_again() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, _) = app.waiting_run().await?;
    app.script.answers.lock().unwrap().push_back(Err(Crash::new("out of memory")));
    app.settle().await?;

    let stored = app.ports().store.load(run.id).await?.ok_or("the run is there")?;
    let error = stored.run.error.ok_or("the crash is recorded")?;
    assert_eq!((stored.run.attempt, error.code.as_str()), (2, "CRASHED"));
    assert!(error.message.contains("out of memory"), "{}", error.message);
    assert_eq!(app.database.status(&run.execution_name()).await?, ExecutionStatus::Running);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_conductor_that_fails_is_told_of_a_crash_again_after_ever_longer_pauses() -> Tested {
    let mut app = App::new(vec![]).await?;
    let (run, _) = app.waiting_run().await?;
    app.script.answers.lock().unwrap().push_back(Err(Crash::new("out of memory")));
    let (ports, lives) = (app.ports(), AtomicU32::new(0));
    app.engine.lives = Arc::new(move || match lives.fetch_add(1, Relaxed) {
        0..3 => Life { ports: ports.clone(), dies: Box::pin(std::future::ready(())) },
        _ => Life { ports: ports.clone(), dies: Box::pin(std::future::pending()) },
    });
    let started = tokio::time::Instant::now();
    app.settle().await?;

    assert_eq!(started.elapsed().as_secs(), 1 + 2 + 4);
    assert_eq!(app.ports().store.load(run.id).await?.map(|stored| stored.run.attempt), Some(2));
    Ok(())
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_a_crash() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, _) = app.waiting_run().await?;
    app.script.answers.lock().unwrap().push_back(Ok(Json::from_text("\"well\"")?));
    app.settle().await?;
    assert_eq!(app.ports().store.load(run.id).await?.map(|stored| stored.run.attempt), Some(2));
    Ok(())
}

#[tokio::test]
async fn a_crash_leaves_messages_until_their_visibility_ends() -> Tested {
    struct Dying;
    #[async_trait]
    impl Invoke for Dying {
        async fn deliver(&self, _: &FunctionEntry, _: &[Received]) -> Result<Vec<bool>, Crash> {
            Err(Crash::new("dead"))
        }
        async fn call(&self, _: &FunctionEntry, _: Json) -> Result<Json, Crash> {
            Err(Crash::new("dead"))
        }
    }
    let mut app = App::new(vec![]).await?;
    app.engine.invoke = Arc::new(Dying);
    let fire = dacapo_domain::Fire { schedule: "s".to_owned(), time: app.clock.now() };
    let message = dacapo_domain::Message::Fire(fire);
    let envelope = dacapo::port::Envelope { message, delay: Duration::ZERO };
    app.ports().queues.send("greet", &envelope).await?;
    let sent = app.clock.now();
    app.settle().await?;
    assert_eq!(app.next_due().await?, Some(sent + Duration::from_secs(5_400)), "not before");
    Ok(())
}

fn hourly(schedule: dacapo_domain::Schedule) -> Vec<dacapo_domain::ScheduleEntry> {
    vec![dacapo_domain::ScheduleEntry { name: "greet-1".to_owned(), schedule, body: Json::default() }]
}

fn fires(app: &App) -> Vec<String> {
    let texts = app.script.texts.lock().unwrap();
    texts
        .iter()
        .map(|text| {
            serde_json::from_str::<serde_json::Value>(text).unwrap()["fire/1"]["time"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn fires_missed_while_the_engine_was_down_are_skipped_and_said() -> Tested {
    let app = App::new(hourly(cron("0 * * * ? *"))).await?;
    app.settle().await?;
    app.clock.move_to(app.after(Duration::from_secs(3 * 3_600 + 600)));
    app.settle().await?;

    assert_eq!(fires(&app), Vec::<String>::new());
    assert!(app.said().contains("schedule greet-1 missed 3 fires"), "{}", app.said());
    let kept = app.ports().store.schedule("greet-1").await?.ok_or("it is remembered")?;
    assert!(kept.skipped.iter().all(|skipped| skipped.reason == SkipReason::Missed));
    assert_eq!(app.next_due().await?, Some("2026-01-01T04:00:00Z".parse()?));
    Ok(())
}

#[tokio::test]
async fn a_schedule_that_catches_up_fires_once_for_all_it_missed() -> Tested {
    let app = App::new(hourly(cron("0 * * * ? *").catch_up())).await?;
    app.settle().await?;
    app.clock.move_to(app.after(Duration::from_secs(3 * 3_600 + 600)));
    app.settle().await?;
    assert_eq!(fires(&app), ["2026-01-01T03:00:00Z"]);
    Ok(())
}

#[tokio::test]
async fn a_deploy_keeps_the_rhythm_and_drops_what_is_gone() -> Tested {
    let app = App::new(hourly(every("1 hour"))).await?;
    app.settle().await?;
    app.clock.move_to(app.after(Duration::from_secs(600)));

    let changed = |entry: dacapo_domain::ScheduleEntry| dacapo_domain::ScheduleEntry {
        body: Json::from_text("1").unwrap(),
        ..entry
    };
    let again =
        App::on(app.database.clone(), app.clock.clone(), hourly(every("1 hour")).into_iter().map(changed).collect())
            .await?;
    again.settle().await?;
    assert_eq!(fires(&again), Vec::<String>::new(), "another body creates nothing anew");
    assert_eq!(again.next_due().await?, Some("2026-01-01T01:00:00Z".parse()?));

    let without = App::on(app.database.clone(), app.clock.clone(), vec![]).await?;
    assert_eq!(without.next_due().await?, None);
    Ok(())
}

#[tokio::test]
async fn the_conductor_looks_when_there_is_something_to_look_at_and_not_before() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, _) = app.waiting_run().await?;
    let next = Run {
        watch_at: Some(app.clock.now() + Duration::from_millis(90_500)),
        version: app.clock.moment().version(),
        ..run.clone()
    };
    app.ports().store.save(&run, &next, &Payloads::default()).await?;
    app.database.end_execution(&run.execution_name(), crate::sqlite::Ending::Succeeded).await?;
    app.settle().await?;
    assert_eq!(app.next_due().await?, Some("2026-01-01T00:02:00Z".parse()?), "at a whole minute");

    app.clock.move_to("2026-01-01T00:02:00Z".parse()?);
    app.answer(&Answer::Stop { id: run.id, state: State::Completed });
    app.settle().await?;
    let stored = app.ports().store.load(run.id).await?.ok_or("the run is there")?;
    assert_eq!(stored.run.generation, 2, "its execution had ended: another carries on");
    Ok(())
}
