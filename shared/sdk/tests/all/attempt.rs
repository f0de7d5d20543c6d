//! An attempt and its lease, its clock and its deadline: what holds where reads are slow and processes die.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use dacapo::{Client, Definition, ErrorKind, State, prelude::*};
use dacapo_core::{
    commit::{commit_run, load},
    port::{Clock, Ports},
    runner::Runner,
};
use dacapo_domain::{
    Id, Input, Invocation, Invoker, Json, Message, Policy, RunMessage, RunRecord, Task as TaskOf, WaitLoopCall,
    run::Facts,
};
use dacapo_test_kit::{Faults, TestApp};
use jiff::Timestamp;
use tokio::sync::Notify;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");

/// An app's ports under a clock that goes ahead of the app's, and is moved on by each look at it.
struct Ahead {
    clock: Arc<dyn Clock>,
    by: Mutex<Duration>,
    each_look: Duration,
}

impl Ahead {
    fn of(ports: &Ports, each_look: Duration) -> Arc<Self> {
        Arc::new(Self { clock: ports.clock.clone(), by: Mutex::default(), each_look })
    }

    /// The time at the last look.
    fn last(&self) -> Timestamp {
        self.clock.now() + *self.by.lock().unwrap()
    }

    fn advance(&self, by: Duration) {
        *self.by.lock().unwrap() += by;
    }
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.advance(self.each_look);
        self.last()
    }

    fn random(&self) -> u64 {
        self.clock.random()
    }
}

/// A process of the app's function, and what it shares with its test.
struct Process {
    app: TestApp,
    clock: Arc<Ahead>,
    ports: Ports,
    id: Id,
}

impl Process {
    async fn of(function: impl Function) -> (Self, Definition) {
        let definition = Definition::of(function);
        let app = TestApp::new().with(task(COUNT, async |n: u32, _: TaskContext| Ok(n)));
        let id = app.run(COUNT, 7).await.unwrap().id();
        let clock = Ahead::of(app.client().ports(), Duration::ZERO);
        let ports = Ports { clock: clock.clone(), ..app.client().ports().clone() };
        (Self { app, clock, ports, id }, definition)
    }

    async fn record(&self) -> RunRecord {
        load::<RunRecord>(&self.ports, &RunRecord::key_of(self.id)).await.unwrap().unwrap().record
    }

    /// The run's message comes to its function, or its wait loop calls it; its process may use these ports until so much later.
    async fn deliver(&self, definition: &Definition, ports: Ports, time: Duration) {
        let (run, until) = (self.record().await, self.clock.now() + time);
        let runner = Runner::new(definition.handlers.clone(), ports, "count");
        if let Invoker::WaitLoop { .. } = run.invoker {
            let call = Invocation::Loop(WaitLoopCall::first(&run, self.clock.now()));
            runner.invoke(Json::of(&call).unwrap(), until).await.unwrap();
        } else {
            runner.deliver(&Message::Run(RunMessage::about(&run)).to_text(), 1, until).await.unwrap();
        }
    }

    /// A minute after the end of its lease the conductor finds the attempt dead, and its next is due.
    async fn is_found_dead(&self, policy: Policy) {
        let run = self.record().await;
        let lease = run.lease().unwrap().until;
        self.clock.advance(dacapo_domain::until(self.clock.now(), lease) + minutes(1));
        let input = Input::Reconciled(Facts::Nothing);
        commit_run(&self.ports, run, &input, TaskOf::Known(&policy), self.clock.now()).await.unwrap();
        self.clock.advance(minutes(1));
    }
}

#[tokio::test(start_paused = true)]
async fn attempt_ends_before_its_lease_does_however_long_it_took_to_call_it() {
    let (left, ahead) = (Arc::new(Mutex::new(None)), Arc::new(OnceLock::<Arc<Ahead>>::new()));
    let (note, clock) = (left.clone(), ahead.clone());
    let function = task(COUNT, move |n: u32, cx: TaskContext| {
        let now = clock.get().unwrap().last();
        *note.lock().unwrap() = Some((cx.run_id(), now, cx.remaining()));
        async move { Ok(n) }
    });
    let (process, definition) = Process::of(function).await;
    // Each look at the clock takes 2 s, as reads and writes do elsewhere.
    let slow = Ahead::of(&process.ports, seconds(2));
    assert!(ahead.set(slow.clone()).is_ok());
    let begun = slow.last();
    process.deliver(&definition, Ports { clock: slow, ..process.ports.clone() }, minutes(15)).await;
    let (id, called_at, left) = left.lock().unwrap().unwrap();
    assert_eq!(process.app.state(id).await.unwrap().state, State::Completed);
    // Its attempt has 30 s from when the lease was taken.
    let leased_at = process.app.state(id).await.unwrap().started_at.unwrap();
    assert!(begun < leased_at && leased_at < called_at, "it was called at once");
    assert_eq!(called_at + left, leased_at + seconds(30));
}

#[tokio::test]
async fn attempt_that_has_lost_its_lease_is_told_so_and_changes_nothing() {
    let (taken, errors) = (Arc::new(Notify::new()), Arc::new(Mutex::new(vec![])));
    let lost = Arc::new(Notify::new());
    let (say, wait, note) = (taken.clone(), lost.clone(), errors.clone());
    let (process, definition) = Process::of(task(COUNT, move |n: u32, cx: TaskContext| {
        let (say, wait, note) = (say.clone(), wait.clone(), note.clone());
        async move {
            say.notify_one();
            wait.notified().await;
            let limit = cx.remaining();
            let kinds = [cx.set_timeout(minutes(5)).await, cx.progress("half", 0.5).await];
            assert!(cx.remaining() <= limit);
            note.lock().unwrap().extend(kinds.map(|result| result.unwrap_err().kind()));
            Ok(n)
        }
    }))
    .await;
    let meanwhile = async {
        taken.notified().await;
        process.is_found_dead(Policy::default()).await;
        lost.notify_one();
    };
    tokio::join!(process.deliver(&definition, process.ports.clone(), minutes(15)), meanwhile);
    assert_eq!(*errors.lock().unwrap(), [ErrorKind::Refused; 2]);
    let run = process.record().await;
    assert_eq!((run.attempt, run.progress), (2, None));
}

#[tokio::test(start_paused = true)]
async fn hooks_after_a_timeout_leave_time_to_store_it_before_the_deadline() {
    let (process, definition) = Process::of(
        task(COUNT, async |_: u32, _: TaskContext| std::future::pending::<Result<u32, TaskError>>().await)
            .timeout(seconds(2))
            .retry(Retry::never())
            .handle_error(|_, _| std::future::pending()),
    )
    .await;
    let begun = tokio::time::Instant::now();
    // The clock stands still meanwhile: of 5 s before the deadline the hooks have 3.
    process.deliver(&definition, process.ports.clone(), seconds(5)).await;
    assert_eq!(begun.elapsed().as_secs(), 2 + 3);
    assert_eq!(process.app.run_of(COUNT).error_code.as_deref(), Some("TIMEOUT"));
}

#[tokio::test]
async fn hook_of_the_end_is_stopped_before_the_lease_of_the_hooks_ends() {
    let (left, ahead) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::<Arc<Ahead>>::new()));
    let (note, clock) = (left.clone(), ahead.clone());
    let function = task(COUNT, async |n: u32, _: TaskContext| Ok(n))
        .on_success(move |_, _| {
            clock.get().unwrap().advance(seconds(170));
            std::future::ready(Ok(()))
        })
        .on_complete(move |_, cx| {
            note.set(cx.remaining()).unwrap();
            std::future::ready(Ok(()))
        });
    let (process, definition) = Process::of(function).await;
    assert!(ahead.set(process.clock.clone()).is_ok());
    process.deliver(&definition, process.ports.clone(), minutes(15)).await;
    // Six hooks of 30 s each have their lease: the first has taken most of it.
    assert!(left.get().is_some_and(|left| *left <= seconds(10) && *left > seconds(9)), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn hooks_of_the_end_wait_for_a_process_that_has_the_time_and_share_what_it_has() {
    let (called, left) = (Arc::new(AtomicU32::new(0)), Arc::new(OnceLock::new()));
    let (count, note) = (called.clone(), left.clone());
    let function = task(COUNT, async |n: u32, _: TaskContext| Ok(n))
        .on_success(move |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
            std::future::pending()
        })
        .on_complete(move |_, cx| {
            note.set(cx.remaining()).unwrap();
            std::future::ready(Ok(()))
        });
    let (process, definition) = Process::of(function).await;
    process.deliver(&definition, process.ports.clone(), minutes(2)).await;
    assert_eq!((process.app.run_of(COUNT).state, called.load(Ordering::Relaxed)), (State::Completed, 0));

    // A fresh process has no more than it has, as one whose `max_timeout` is short.
    let begun = tokio::time::Instant::now();
    process.deliver(&definition, process.ports.clone(), seconds(22)).await;
    assert_eq!((called.load(Ordering::Relaxed), begun.elapsed().as_secs()), (1, 10), "half of what is left");
    assert!(left.get().is_some_and(|left| *left > seconds(19)), "{left:?}");
}

#[tokio::test]
async fn entries_of_an_attempt_whose_process_died_count_towards_those_of_its_iteration() {
    // One of a task that shares invocations is made again under its number.
    for (batch, attempt) in [(1, 2), (2, 1)] {
        let (attempts, logged) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let say = logged.clone();
        let work = task(COUNT, move |n: u32, cx: TaskContext| {
            let (say, attempt) = (say.clone(), attempts.fetch_add(1, Ordering::Relaxed));
            async move {
                for _ in 0..700 {
                    cx.log_info("x", ()).await?;
                }
                if attempt == 0 {
                    say.notify_one();
                    std::future::pending::<()>().await;
                }
                Ok(n)
            }
        });
        let (process, definition) = Process::of(work.batch(batch)).await;
        tokio::select! {
            () = process.deliver(&definition, process.ports.clone(), minutes(15)) => unreachable!("the process dies"),
            () = logged.notified() => {}
        }
        process.is_found_dead(Policy { batch, ..Policy::default() }).await;
        process.deliver(&definition, process.ports.clone(), minutes(15)).await;
        let run = process.app.run_of(COUNT);
        assert_eq!((run.state, run.attempt), (State::Completed, attempt));
        assert_eq!(process.app.logs(process.id).await.unwrap().len(), 1_001);
    }
}

#[tokio::test(start_paused = true)]
async fn read_that_is_throttled_in_a_call_of_the_wait_loop_costs_no_attempt() {
    for seed in 0..40 {
        let throttled = Faults { throttle: 0.05, ..Faults::none() };
        let work = async |n: u32, _: TaskContext| Ok(if n < 5 { Continue(n + 1) } else { Done(n) });
        let app = TestApp::with_these_faults(seed, throttled).with(task(COUNT, work).retry(Retry::never()));
        app.run(COUNT, 0).await.unwrap();
        app.run_until_idle().await;
        let run = app.run_of(COUNT);
        assert_eq!(run.state, State::Completed, "seed {seed}: {:?}", run.error_message);
    }
}

#[tokio::test]
async fn run_is_moved_to_a_time_that_is_over_before_it_is_stored() {
    let app = TestApp::new().with(task(COUNT, async |n: u32, _: TaskContext| Ok(n)));
    let clock = Ahead::of(app.client().ports(), Duration::from_millis(2));
    let client = Client::new(Ports { clock: clock.clone(), ..app.client().ports().clone() });
    let id = client.run(COUNT, 0).after(hours(1)).await.unwrap().id();
    let moved = client.reschedule(id, 1).await.unwrap();
    assert!(moved.due_at <= clock.now(), "{moved:?}");
    app.run_until_idle().await;
    let started = app.state(id).await.unwrap();
    assert_eq!(client.reschedule(id, 1).await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(app.state(id).await.unwrap(), started);
}

#[tokio::test]
async fn abort_runs_the_hooks_of_a_task_that_was_deployed_after_the_manifest_was_read() {
    let called = Arc::new(OnceLock::new());
    let app = TestApp::new();
    let before = app.client().clone();
    before.manifest().await.unwrap();
    let note = called.clone();
    let app = app.with(
        task(COUNT, async |n: u32, _: TaskContext| Ok(n))
            .on_abort(move |message, _| std::future::ready(note.set(message).map_err(TaskError::from))),
    );
    let id = before.run(COUNT, 0).after(hours(1)).await.unwrap().id();
    before.abort(id, "enough").await.unwrap();
    before.run_by_name("count", Json::of(&1).unwrap()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(called.get().map(String::as_str), Some("enough"));
}
