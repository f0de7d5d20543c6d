//! The engine's ways with answers and failures; functions here are scripts, not handlers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use dacapo_core::{
    commit::{Stored, load},
    port::{Clock, ExecutionStatus, Outbox, PortResult, Ports, Probe, Records},
};
use dacapo_domain::{
    Decision, Effect, FunctionEntry, Holds, Invocation, Invoker, Json, Machine, Manifest, NewRun, Phase, Policy,
    RunRecord, State, TaskEntry, Trigger, WaitLoopAnswer, WaitLoopCall,
};
use jiff::Timestamp;

use super::*;
use crate::{
    InvocationFailed,
    engine_log::EngineLog,
    sqlite::{Database, Ending, ReceivedMessage},
    test_clock::TestClock,
};

mod schedules;

type Tested = Result<(), Box<dyn std::error::Error>>;
type Said = Arc<Mutex<Vec<String>>>;

/// A function that answers calls from a list, and takes all messages.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Result<Json, InvocationFailed>>>,
    calls: Mutex<Vec<Invocation>>,
    texts: Mutex<Vec<String>>,
    /// Is true where all fails.
    is_dead: Mutex<bool>,
    /// The failures of the conductor before it works.
    conductor_fails: Mutex<u32>,
}

impl Script {
    fn calls(&self) -> MutexGuard<'_, Vec<Invocation>> {
        self.calls.lock().unwrap()
    }

    fn fails(&self, function: &FunctionEntry) -> bool {
        let mut left = self.conductor_fails.lock().unwrap();
        if function.holds == Holds::Conductor && *left > 0 {
            *left -= 1;
            return true;
        }
        *self.is_dead.lock().unwrap()
    }
}

/// The script in the functions' place, and the conductor behind what may fail.
struct Scripted {
    script: Arc<Script>,
    conductor: WithConductor,
}

#[async_trait]
impl Invoke for Script {
    async fn deliver(
        &self,
        _: &FunctionEntry,
        _: &str,
        batch: &[ReceivedMessage],
    ) -> Result<Vec<bool>, InvocationFailed> {
        self.texts.lock().unwrap().extend(batch.iter().map(|message| message.text.clone()));
        Ok(vec![true; batch.len()])
    }

    async fn call(&self, _: &FunctionEntry, payload: Json) -> Result<Json, InvocationFailed> {
        self.calls().push(payload.parse().unwrap());
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| Err(InvocationFailed::new("no answer is left")))
    }
}

#[async_trait]
impl Invoke for Scripted {
    async fn deliver(
        &self,
        function: &FunctionEntry,
        queue: &str,
        batch: &[ReceivedMessage],
    ) -> Result<Vec<bool>, InvocationFailed> {
        if self.script.fails(function) {
            return Err(InvocationFailed::new("dead"));
        }
        self.conductor.deliver(function, queue, batch).await
    }

    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, InvocationFailed> {
        if self.script.fails(function) {
            return Err(InvocationFailed::new("dead"));
        }
        self.conductor.call(function, payload).await
    }
}

struct App {
    engine: Engine,
    script: Arc<Script>,
    clock: Arc<TestClock>,
    database: Database,
    said: Said,
}

impl App {
    async fn new(schedules: Vec<dacapo_domain::ScheduleEntry>) -> Result<Self, Box<dyn std::error::Error>> {
        let clock = Arc::new(TestClock::new());
        Self::on(Database::memory(clock.clone())?, clock, schedules).await
    }

    async fn of(policy: Policy) -> Result<Self, Box<dyn std::error::Error>> {
        let clock = Arc::new(TestClock::new());
        Self::made(Database::memory(clock.clone())?, clock, vec![], policy).await
    }

    async fn on(
        database: Database,
        clock: Arc<TestClock>,
        schedules: Vec<dacapo_domain::ScheduleEntry>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        Self::made(database, clock, schedules, Policy::default()).await
    }

    async fn made(
        database: Database,
        clock: Arc<TestClock>,
        schedules: Vec<dacapo_domain::ScheduleEntry>,
        policy: Policy,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let task = TaskEntry { name: "greet".to_owned(), policy, private: false, may_continue: true, schedules };
        let manifest = Manifest::new("shop", vec![FunctionEntry::task("greet", 128, task)])?;
        let (script, said) = (Arc::new(Script::default()), Said::default());
        let hears = said.clone();
        let logs = Arc::new(move |log: EngineLog| hears.lock().unwrap().push(log.to_string()));
        let conductor = WithConductor::new(database.ports(), script.clone());
        let invoke = Arc::new(Scripted { script: script.clone(), conductor });
        let engine = Engine::new(database.clone(), manifest, invoke, logs);
        engine.deploy().await?;
        Ok(Self { engine, script, clock, database, said })
    }

    /// The next time at which there is something to do.
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
    async fn waiting_run(&self) -> Result<(RunRecord, WaitLoopCall), Box<dyn std::error::Error>> {
        let clock = &self.clock;
        let new = NewRun::at(clock.new_id(), "greet", clock.now(), Trigger::Run);
        let made = RunRecord::create(new, &clock.decision_context()).record;
        let invoker = Invoker::WaitLoop { generation: 1, execution: None };
        let run = RunRecord { phase: Phase::Waiting, invoker, iteration: 2, ..made };
        let call = WaitLoopCall::first(&run, clock.now());
        let start = Effect::StartWaitLoop { execution: run.execution_name(), call: call.clone(), until: clock.now() };
        self.database.create(&Decision::store(run.clone(), vec![start]).write()?, None).await?;
        Ok((run, call))
    }

    async fn run(&self, run: &RunRecord) -> Result<RunRecord, Box<dyn std::error::Error>> {
        let Stored { record, .. } = load(&self.ports(), &run.header().key).await?.ok_or("the run is there")?;
        Ok(record)
    }

    fn answer(&self, answer: &WaitLoopAnswer) {
        self.script.answers.lock().unwrap().push_back(Ok(Json::of(answer).unwrap()));
    }

    fn fail(&self) {
        self.script.answers.lock().unwrap().push_back(Err(InvocationFailed::new("out of memory")));
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }
}

#[tokio::test]
async fn run_of_a_task_that_shares_invocations_has_its_own_on_one_machine() -> Tested {
    let app = App::of(Policy { batch: 5, ..Policy::default() }).await?;
    for _ in 0..3 {
        let new = NewRun::at(app.clock.new_id(), "greet", app.clock.now(), Trigger::Run);
        let created = RunRecord::create(new, &app.clock.decision_context());
        app.database.create(&created.write()?, None).await?;
    }
    let work = app.engine.take(|_| usize::MAX).await?.work;
    let taken = work.iter().filter_map(|work| match work {
        Work::Messages { batch, .. } => Some(batch.len()),
        _ => None,
    });
    assert_eq!(taken.collect::<Vec<_>>(), [1, 1, 1]);
    Ok(())
}

#[tokio::test]
async fn wait_loop_waits_as_told_and_calls_again_with_what_it_was_told() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, call) = app.waiting_run().await?;
    let next = WaitLoopCall { round: 1, iteration: 3, ..call.clone() };
    app.answer(&WaitLoopAnswer::Wait { until: app.after(Duration::from_secs(90)), call: next.clone() });
    app.answer(&WaitLoopAnswer::Stop { id: run.id, state: State::Completed });

    app.settle().await?;
    assert_eq!(*app.script.calls(), [Invocation::Loop(call.clone())]);
    app.clock.move_to(app.after(Duration::from_secs(89)));
    app.settle().await?;
    assert_eq!(app.script.calls().len(), 1);

    app.clock.move_to(app.after(Duration::from_secs(1)));
    app.settle().await?;
    assert_eq!(app.script.calls()[1], Invocation::Loop(next));
    assert_eq!(app.database.execution_status(&run.execution_name()).await?, ExecutionStatus::Ended(None));
    Ok(())
}

#[tokio::test]
async fn handover_starts_the_successor_and_ends() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, call) = app.waiting_run().await?;
    let (name, until) = ("successor".to_owned(), app.after(Duration::from_secs(60)));
    let next = WaitLoopCall { generation: 2, ..call };
    app.answer(&WaitLoopAnswer::Handover { name, call: next.clone(), until });
    app.settle().await?;
    assert_eq!(app.database.execution_status(&run.execution_name()).await?, ExecutionStatus::Ended(None));
    assert_eq!(app.database.execution_status("successor").await?, ExecutionStatus::Running);

    app.answer(&WaitLoopAnswer::Stop { id: run.id, state: State::Completed });
    app.clock.move_to(until);
    app.settle().await?;
    assert_eq!(app.script.calls()[1], Invocation::Loop(next));
    Ok(())
}

#[tokio::test]
async fn crash_of_a_call_is_told_to_the_conductor_which_says_when_to_call_again() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, _) = app.waiting_run().await?;
    app.fail();
    app.settle().await?;

    let stored = app.run(&run).await?;
    let error = stored.error.ok_or("the crash is recorded")?;
    assert_eq!((stored.attempt, error.code.as_str()), (2, "CRASHED"));
    assert!(error.message.contains("out of memory"), "{}", error.message);
    assert_eq!(app.database.execution_status(&run.execution_name()).await?, ExecutionStatus::Running);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn conductor_that_fails_is_told_of_a_crash_again_after_ever_longer_pauses() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, _) = app.waiting_run().await?;
    app.fail();
    *app.script.conductor_fails.lock().unwrap() = 3;
    let started = tokio::time::Instant::now();
    app.settle().await?;

    assert_eq!(started.elapsed().as_secs(), 1 + 2 + 4);
    assert_eq!(app.run(&run).await?.attempt, 2);
    Ok(())
}

#[tokio::test]
async fn answer_that_makes_no_sense_is_a_crash() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, _) = app.waiting_run().await?;
    app.script.answers.lock().unwrap().push_back(Ok(Json::from_text("\"well\"")?));
    app.settle().await?;
    assert_eq!(app.run(&run).await?.attempt, 2);
    Ok(())
}

#[tokio::test]
async fn crash_leaves_messages_until_their_visibility_ends() -> Tested {
    let app = App::new(vec![]).await?;
    *app.script.is_dead.lock().unwrap() = true;
    let fire = dacapo_domain::Fire { schedule: "s".to_owned(), time: app.clock.now() };
    app.database.post(&Effect::send("greet", &dacapo_domain::Message::Fire(fire))).await?;
    let sent = app.clock.now();
    app.settle().await?;
    assert_eq!(app.next_due().await?, Some(sent + Duration::from_secs(5_400)), "not before");
    Ok(())
}

#[tokio::test]
async fn direct_invocation_names_a_function_or_the_whole_of_its_lambda() -> Tested {
    let app = App::new(vec![]).await?;
    for (name, is_there) in [
        ("greet", true),
        ("shop-local-greet", true),
        ("shop-local-weekly-greet", false),
        ("shop-prod-greet", false),
        ("shopping-local-greet", false),
        ("shop-greet", false),
        ("-greet", false),
        ("", false),
    ] {
        app.script.answers.lock().unwrap().push_back(Ok(Json::default()));
        let payload = Json::of(&Invocation::Sweep {})?;
        assert_eq!(app.engine.invoke_directly(name, payload).await.is_some(), is_there, "{name:?}");
    }
    Ok(())
}

#[tokio::test]
async fn conductor_sweeps_when_there_is_something_to_reconcile_and_not_before() -> Tested {
    let app = App::new(vec![]).await?;
    let (run, _) = app.waiting_run().await?;
    let next = RunRecord {
        reconcile_at: Some(app.clock.now() + Duration::from_millis(90_500)),
        version: app.clock.decision_context().version(),
        ..run.clone()
    };
    app.database.save(&run.header(), &Decision::store(next, vec![]).write()?).await?;
    app.database.end_execution(&run.execution_name(), Ending::Succeeded).await?;
    app.settle().await?;
    assert_eq!(app.next_due().await?, Some("2026-01-01T00:02:00Z".parse()?), "at a whole minute");

    app.clock.move_to("2026-01-01T00:02:00Z".parse()?);
    app.answer(&WaitLoopAnswer::Stop { id: run.id, state: State::Completed });
    app.settle().await?;
    assert_eq!(app.run(&run).await?.invoker.generation(), 2, "its execution had ended: another carries on");
    Ok(())
}
