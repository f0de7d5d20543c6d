//! Executions of the loop: they run until they are stopped, and a name is used once.

use dacapo::port::ExecutionStatus::{self, Ended, Running};
use dacapo_domain::{Id, LoopCall, days, seconds};

use super::{Bench, fixture::now};

/// A call that is due in a day, so that nobody makes it.
async fn start(bench: &impl Bench, name: &str, round: u32) {
    let (function, now) = (bench.function("import").await, now(bench));
    let run: Id = bench.ports().clock.new_id();
    let call =
        LoopCall { run, function: function.clone(), generation: 1, round, started: now, iteration: 2, attempt: 1 };
    bench.ports().loops.start(name, &function, &call, now + days(1)).await.expect("executions can be started");
}

async fn status(bench: &impl Bench, name: &str) -> ExecutionStatus {
    bench.ports().loops.status(name).await.expect("executions can be described")
}

/// Stopped, and seen to have stopped: the service takes a moment.
async fn stop(bench: &impl Bench, name: &str) {
    bench.ports().loops.stop(name, "not needed any more").await.expect("executions can be stopped");
    for _ in 0..10 {
        if status(bench, name).await == Ended {
            return;
        }
        bench.pass(seconds(1)).await;
    }
    panic!("{name} goes on after it was stopped");
}

/// One that was started runs, also for whoever asks next.
pub async fn an_execution_that_was_started_runs(bench: &impl Bench) {
    let name = bench.unique("execution");
    start(bench, &name, 0).await;
    bench.reopen().await;
    assert_eq!(status(bench, &name).await, Running);
}

/// One that never was has ended.
pub async fn an_execution_that_never_was_has_ended(bench: &impl Bench) {
    assert_eq!(status(bench, &bench.unique("execution")).await, Ended);
}

/// Started twice is started once, whatever the input.
pub async fn starting_an_execution_twice_is_no_error(bench: &impl Bench) {
    let name = bench.unique("execution");
    start(bench, &name, 0).await;
    start(bench, &name, 7).await;
    assert_eq!(status(bench, &name).await, Running);
    stop(bench, &name).await;
}

/// A stopped one has ended, and is told so that it may be stopped again.
pub async fn a_stopped_execution_has_ended(bench: &impl Bench) {
    let name = bench.unique("execution");
    start(bench, &name, 0).await;
    stop(bench, &name).await;
    stop(bench, &name).await;
}

/// Stopping what never was is no error.
pub async fn stopping_an_execution_that_never_was_is_no_error(bench: &impl Bench) {
    bench.ports().loops.stop(&bench.unique("execution"), "for nothing").await.unwrap();
}

/// A name is used once: what has ended doesn't start again under it.
pub async fn a_name_is_used_once(bench: &impl Bench) {
    let name = bench.unique("execution");
    start(bench, &name, 0).await;
    stop(bench, &name).await;
    start(bench, &name, 0).await;
    assert_eq!(status(bench, &name).await, Ended);
}
