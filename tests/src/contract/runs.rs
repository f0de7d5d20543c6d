//! Runs: what brings them to their function, and that each attempt is taken once.

use std::time::Duration;

use dacapo_core::{
    commit::{self, Committed, Seen, Stored, commit},
    port::ExecutionStatus::Running,
};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Input, Json, Machine, Message, NewRun, Payload, Phase, Policy, Progress, RunMessage,
    RunRecord, State, Task, Wait, Work, days, minutes, seconds, slot,
};
use futures::{FutureExt, future::join_all};
use jiff::Timestamp;

use super::{
    Bench,
    executions::{STOPPED, wait_until},
    fixture::{PATIENCE, deadline, json, new_run, now, stored_run},
    meddled::{Mishap, meddled},
};

/// Lets something happen to a run whose task has the usual options.
async fn happen(bench: &impl Bench, run: &RunRecord, input: &Input) -> Committed<RunRecord> {
    let (policy, seen) = (Policy::default(), Seen::Stored(run.clone()));
    let committed = commit(&bench.ports(), seen, input, Task::Known(&policy), deadline(bench)).await;
    committed.expect("runs can be committed").expect("the run is there")
}

async fn take(bench: &impl Bench, run: &RunRecord) -> RunRecord {
    let taken = happen(bench, run, &Input::Delivered(run.purpose())).await;
    assert_eq!(taken.work, Some(Work::CallHandler));
    taken.record
}

async fn end(bench: &impl Bench, run: &RunRecord, outcome: AttemptOutcome) -> RunRecord {
    let token = run.lease().expect("an attempt executes").token;
    happen(bench, run, &Input::AttemptEnded(AttemptEnd::new(token, outcome, seconds(1)))).await.record
}

async fn read(bench: &impl Bench, run: &RunRecord) -> Stored<RunRecord> {
    let found = commit::load(&bench.ports(), &RunRecord::key_of(run.id)).await;
    found.expect("runs can be read").expect("the run is there")
}

/// A run's message carries its record as it was stored.
pub async fn new_run_brings_its_message_to_its_function(bench: &impl Bench) {
    let task = bench.function("task").await;
    let run = stored_run(bench, new_run(bench, &task)).await;
    bench.reopen().await;
    let expected = Message::Run(RunMessage::about(&run));
    assert_eq!(bench.receive_within(&task, 1, PATIENCE).await, [expected]);
    assert_eq!(read(bench, &run).await.record, run);
}

/// A run that is due beyond the queue's longest delay comes by a timer, and not at all once it was aborted.
pub async fn run_that_is_due_much_later_waits_for_its_time(bench: &impl Bench) {
    let task = bench.function("task").await;
    let due = |at: Timestamp| NewRun { due_at: at, ..new_run(bench, &task) };
    let later = stored_run(bench, due(now(bench) + minutes(30))).await;
    let aborted = stored_run(bench, due(now(bench) + minutes(30))).await;
    happen(bench, &aborted, &Input::AbortRequested("not needed".to_owned())).await;
    assert_eq!(later.state_at(now(bench)), State::Scheduled);

    // Both are moved to now: the one that has ended stays where it is.
    let moved = happen(bench, &later, &Input::Rescheduled(now(bench))).await.record;
    let ended = read(bench, &aborted).await.record;
    happen(bench, &ended, &Input::Rescheduled(now(bench))).await;

    let messages = bench.receive_within(&task, 1, PATIENCE).await;
    assert_eq!(messages, [Message::Run(RunMessage::about(&moved))]);
    assert_eq!(ended.state_at(now(bench)), State::Aborted);
}

/// Ten deliveries of one message at once: one calls the handler.
pub async fn ten_deliveries_of_one_message_take_one_attempt(bench: &impl Bench) {
    let run = stored_run(bench, new_run(bench, &bench.unique("task"))).await;
    let input = Input::Delivered(run.purpose());
    let taken = join_all((0..10).map(|_| happen(bench, &run, &input))).await;
    assert_eq!(taken.iter().filter(|taken| taken.work == Some(Work::CallHandler)).count(), 1);
    let stands = read(bench, &run).await.record;
    assert!(taken.iter().all(|taken| taken.record == stands));
}

/// The reply to a taken attempt is lost, and an abort comes before it is asked for again: the lease bears its token.
pub async fn attempt_whose_reply_is_lost_is_its_takers_own(bench: &impl Bench) {
    let policy = Policy::default();
    for mishap in [Mishap::ReplyLost, Mishap::ReplyLostThenOther] {
        let run = stored_run(bench, new_run(bench, &bench.unique("task"))).await;
        let key = RunRecord::key_of(run.id);
        let ports = meddled(bench.ports(), [mishap], move |ports| {
            let key = key.clone();
            async move {
                let run = commit::load::<RunRecord>(&ports, &key).await.unwrap().expect("the run is there");
                let abort = Input::AbortRequested("stop".to_owned());
                commit(&ports, run, &abort, Task::Known(&Policy::default()), Timestamp::MAX).await.unwrap();
            }
            .boxed()
        });
        let (seen, input) = (Seen::Stored(run.clone()), Input::Delivered(run.purpose()));
        let taken = commit(&ports, seen, &input, Task::Known(&policy), deadline(bench)).await.unwrap();
        let taken = taken.expect("the run is there");
        assert_eq!(taken.work, Some(Work::CallHandler));
        assert_eq!(taken.record.abort().is_some(), matches!(mishap, Mishap::ReplyLostThenOther));
    }
}

/// A run's whole record and payloads are read as they were stored, at each step of its life.
pub async fn run_is_read_as_it_was_stored_all_its_life(bench: &impl Bench) {
    let due_at = now(bench) + Duration::from_millis(3_600_123);
    let tags = vec!["a".to_owned(), "ä b".to_owned()];
    let new = NewRun { tags, due_at, ttl: Some(days(1)), hops: 3, ..new_run(bench, &bench.unique("task")) };
    let mut run = stored_run(bench, new).await;
    assert_eq!((read(bench, &run).await.record, run.due_at), (run.clone(), due_at));

    run = happen(bench, &run, &Input::Rescheduled(now(bench))).await.record;
    run = take(bench, &run).await;
    let token = run.lease().expect("an attempt executes").token;
    let progress = Progress { message: "a third".to_owned(), fraction: 1.0 / 3.0 };
    run = happen(bench, &run, &Input::Progressed(token, progress)).await.record;
    assert_eq!(read(bench, &run).await.record, run);
    let failure = dacapo_domain::AttemptError::retryable("ODD", "line 1\nline 2");
    run = end(bench, &run, AttemptOutcome::Failed(failure)).await;
    assert_eq!(read(bench, &run).await.record, run);

    bench.skip(seconds(3)).await;
    run = take(bench, &run).await;
    let done = AttemptOutcome::Done { result: Ok(json("[1.50]")), message: Some("done".to_owned()) };
    run = end(bench, &run, done).await;
    bench.reopen().await;
    let stored = read(bench, &run).await;
    assert_eq!((&stored.record, stored.record.state_at(now(bench))), (&run, State::Completed));
    assert_eq!(stored.payloads.get(slot::RESULT), Payload::Here(&json("[1.50]")));
    assert_eq!(stored.record.header().expires_at_s, run.expires_at_s);
}

/// A run that continues is handed to the wait loop with its input, and its end stops the execution.
pub async fn run_that_continues_is_called_by_a_wait_loop_until_it_ends(bench: &impl Bench) {
    let run = stored_run(bench, new_run(bench, &bench.function("task").await)).await;
    let run = take(bench, &run).await;
    let (input, wait) = (Json::from_text("[2]").unwrap(), Wait::After(days(1)));
    let waiting = end(bench, &run, AttemptOutcome::Continue { input, wait }).await;
    assert_eq!(waiting.phase, Phase::Waiting);
    assert_eq!(read(bench, &waiting).await.payloads.get(slot::INPUT), Payload::Here(&json("[2]")));
    wait_until(bench, &waiting.execution_name(), Running).await;

    happen(bench, &waiting, &Input::AbortRequested("not needed".to_owned())).await;

    wait_until(bench, &waiting.execution_name(), STOPPED).await;
}
