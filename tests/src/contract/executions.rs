//! Executions of the wait loop: they run until they are stopped, and a name is used once.

use dacapo_core::port::ExecutionStatus::{self, Ended, Running};
use dacapo_domain::{Effect, WaitLoopCall, days, run::ExecutionEnd, seconds};

use super::{
    Bench,
    fixture::{now, post},
};

/// The status of an execution that was stopped.
pub(super) const STOPPED: ExecutionStatus = Ended(Some(ExecutionEnd::Stopped));

/// The start of an execution whose first call is due in a day, so that it is never made here.
pub(super) async fn start(bench: &impl Bench, execution: &str, round: u32) -> Effect {
    let (function, started) = (bench.function("import").await, now(bench));
    let run = bench.ports().clock.new_id();
    let (tries, throttled) = (0, None);
    let call =
        WaitLoopCall { run, function, generation: 1, round, started, iteration: 2, attempt: 1, tries, throttled };
    Effect::StartWaitLoop { execution: execution.to_owned(), call, until: started + days(1) }
}

/// The end of an execution from outside.
pub(super) fn stop(execution: &str) -> Effect {
    Effect::StopWaitLoop { execution: execution.to_owned(), cause: "not needed any more".to_owned() }
}

async fn status(bench: &impl Bench, execution: &str) -> ExecutionStatus {
    bench.ports().probe.execution_status(execution).await.expect("executions can be described")
}

/// Waits for a status: the service takes a moment.
pub(super) async fn wait_until(bench: &impl Bench, execution: &str, expected: ExecutionStatus) {
    for _ in 0..10 {
        let found = status(bench, execution).await;
        // One that was just started is given a moment: LocalStack loses a stop that comes before the first state.
        if found != expected || expected == Running {
            bench.pass(seconds(1)).await;
        }
        if found == expected {
            return;
        }
    }
    panic!("{execution} is not {expected:?}");
}

async fn started(bench: &impl Bench) -> String {
    let execution = bench.unique("execution");
    post(bench, &start(bench, &execution, 0).await).await;
    wait_until(bench, &execution, Running).await;
    execution
}

async fn stopped(bench: &impl Bench, execution: &str) {
    post(bench, &stop(execution)).await;
    wait_until(bench, execution, STOPPED).await;
}

/// One that was started runs, also for the process that asks next.
pub async fn execution_that_was_started_runs(bench: &impl Bench) {
    let execution = started(bench).await;
    bench.reopen().await;
    assert_eq!(status(bench, &execution).await, Running);
}

/// One that never was has ended.
pub async fn execution_that_never_was_has_ended(bench: &impl Bench) {
    assert_eq!(status(bench, &bench.unique("execution")).await, Ended(None));
}

/// Started twice is started once, whatever it is to call with.
pub async fn execution_started_twice_is_one(bench: &impl Bench) {
    let execution = started(bench).await;
    post(bench, &start(bench, &execution, 7).await).await;
    assert_eq!(status(bench, &execution).await, Running);
    stopped(bench, &execution).await;
}

/// A stopped one has ended by that, and may be stopped again.
pub async fn execution_that_was_stopped_has_ended(bench: &impl Bench) {
    let execution = started(bench).await;
    stopped(bench, &execution).await;
    stopped(bench, &execution).await;
}

/// Stopping what never was is no error.
pub async fn stop_of_an_execution_that_never_was_is_no_error(bench: &impl Bench) {
    post(bench, &stop(&bench.unique("execution"))).await;
}

/// A name is used once: what has ended doesn't start again under it.
pub async fn execution_that_has_ended_does_not_start_again(bench: &impl Bench) {
    let execution = started(bench).await;
    stopped(bench, &execution).await;
    post(bench, &start(bench, &execution, 0).await).await;
    assert_eq!(status(bench, &execution).await, STOPPED);
}
