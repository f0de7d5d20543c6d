//! Debounced starts: of the calls under one key that come close together, one run is made, whatever meets.

use std::time::Duration;

use dacapo_core::{
    App,
    commit::{self, Seen, commit},
    debounce::start,
    port::Ports,
};
use dacapo_domain::{
    Debounce, Decision, Edge, Id, Input, Json, NewRun, Policy, RunRecord, Task, Work, minutes, run::Key, seconds, slot,
};
use futures::{FutureExt, future::BoxFuture, future::join_all};

use super::{
    Bench,
    fixture::{deadline, new_run, now, payload},
    meddled::{Mishap, lossy, meddled},
};

/// Longer than what a test does before it takes on the busiest machine.
const DELAY: Duration = minutes(30);

/// A call with this body.
fn call(bench: &impl Bench, task: &str, edge: Edge, body: u32) -> Decision<RunRecord> {
    let until = now(bench) + DELAY;
    let debounce = Some(Debounce { edge, latest: None, last_call: None });
    let due_at = if edge == Edge::Leading { now(bench) } else { until };
    let key = Some(Key { text: "key".to_owned(), until, debounce });
    let new = NewRun { key, due_at, ..new_run(bench, task) };
    let body = Json::of(&body).expect("a number is JSON");
    RunRecord::create(new, &bench.ports().clock.decision_context()).with(slot::BODY, body)
}

/// Makes a call and gives the run that stands for it.
async fn made(bench: &impl Bench, ports: Ports, call: &Decision<RunRecord>) -> Id {
    let found = start(&App::new(ports), call, deadline(bench)).await;
    found.expect("runs can be started").unwrap_or(call.record.id)
}

async fn stored(ports: &Ports, run: Id) -> RunRecord {
    let found = commit::load::<RunRecord>(ports, &RunRecord::key_of(run)).await;
    found.expect("runs can be read").expect("the run is there").record
}

async fn body(bench: &impl Bench, run: Id) -> String {
    payload(bench, &RunRecord::key_of(run), slot::BODY).await.expect("a run has a body").text().to_owned()
}

/// The message arrives; says whether the attempt is taken.
async fn arrive(ports: &Ports, run: RunRecord) -> bool {
    let (input, policy) = (Input::Delivered(run.purpose()), Policy::default());
    let until = ports.clock.now() + minutes(30);
    let committed = commit(ports, Seen::Stored(run), &input, Task::Known(&policy), until).await;
    committed.unwrap().expect("the run is there").work == Some(Work::CallHandler)
}

/// Another process takes the attempt of this run.
fn taker(run: Id) -> impl Fn(Ports) -> BoxFuture<'static, ()> + Send + Sync + 'static {
    move |ports| {
        async move {
            let run = stored(&ports, run).await;
            assert!(arrive(&ports, run).await, "the run is due");
        }
        .boxed()
    }
}

/// The later call's body takes the place of the former, and its delay begins anew.
pub async fn later_call_is_taken_over_by_the_run_that_waits(bench: &impl Bench) {
    let task = bench.unique("task");
    let first = call(bench, &task, Edge::Trailing, 1);
    assert_eq!(made(bench, bench.ports(), &first).await, first.record.id);
    bench.reopen().await;
    bench.skip(minutes(1)).await;
    let second = call(bench, &task, Edge::Trailing, 2);
    assert_eq!(made(bench, bench.ports(), &second).await, first.record.id);
    let run = stored(&bench.ports(), first.record.id).await;
    assert_eq!((run.due_at, &*body(bench, run.id).await), (second.record.due_at, "2"));
}

/// The attempt is taken between the call's look and its write: the run keeps its body, and the call makes another.
pub async fn call_that_the_start_comes_before_makes_another_run(bench: &impl Bench) {
    let task = bench.unique("task");
    let first = call(bench, &task, Edge::Trailing, 1);
    let run = made(bench, bench.ports(), &first).await;
    bench.skip(DELAY + seconds(1)).await;
    let second = call(bench, &task, Edge::Trailing, 2);
    let ports = meddled(bench.ports(), [Mishap::OtherFirst], taker(run));
    assert_eq!(made(bench, ports, &second).await, second.record.id);
    assert_eq!([body(bench, run).await, body(bench, second.record.id).await], ["1", "2"]);
    let third = call(bench, &task, Edge::Trailing, 3);
    assert_eq!(made(bench, bench.ports(), &third).await, second.record.id);
}

/// The call is stored between the message's arrival and the attempt: the attempt waits for the new delay.
pub async fn start_that_a_call_comes_before_waits_for_its_delay(bench: &impl Bench) {
    let task = bench.unique("task");
    let first = call(bench, &task, Edge::Trailing, 1);
    let run = made(bench, bench.ports(), &first).await;
    bench.skip(DELAY + seconds(1)).await;
    let second = call(bench, &task, Edge::Trailing, 2);
    let seen = stored(&bench.ports(), run).await;
    let ports = meddled(bench.ports(), [Mishap::OtherFirst], move |ports| {
        let second = second.clone();
        async move {
            let until = ports.clock.now() + minutes(30);
            assert_eq!(start(&App::new(ports), &second, until).await.unwrap(), Some(run));
        }
        .boxed()
    });
    assert!(!arrive(&ports, seen).await);
    bench.skip(DELAY + seconds(1)).await;
    let moved = stored(&bench.ports(), run).await;
    assert!(arrive(&bench.ports(), moved).await);
    assert_eq!(body(bench, run).await, "2");
}

/// The run has taken the call over, and starts before the caller hears of it: no other run is made.
pub async fn call_whose_reply_is_lost_before_the_start_makes_no_second_run(bench: &impl Bench) {
    let task = bench.unique("task");
    let first = call(bench, &task, Edge::Trailing, 1);
    let run = made(bench, bench.ports(), &first).await;
    let second = call(bench, &task, Edge::Trailing, 2);
    bench.skip(DELAY + seconds(1)).await;
    // Its delay is over, as that of a call which took long on its way.
    let ports = meddled(bench.ports(), [Mishap::ReplyLostThenOther], taker(run));
    assert_eq!(made(bench, ports, &second).await, run);
    assert_eq!(body(bench, run).await, "2");
}

/// The run and its key are there, and the caller is told so at last.
pub async fn first_call_whose_reply_is_lost_makes_one_run(bench: &impl Bench) {
    for edge in [Edge::Trailing, Edge::Leading] {
        let task = bench.unique("task");
        let first = call(bench, &task, edge, 1);
        let ports = lossy(bench.ports(), [Mishap::ReplyLost]);
        assert_eq!(made(bench, ports, &first).await, first.record.id);
        let second = call(bench, &task, edge, 2);
        assert_eq!(made(bench, bench.ports(), &second).await, first.record.id);
    }
}

/// One run is made, with the body of one of them.
pub async fn ten_calls_at_once_make_one_run(bench: &impl Bench) {
    for edge in [Edge::Trailing, Edge::Leading] {
        let task = bench.unique("task");
        let calls: Vec<_> = (0..10).map(|body| call(bench, &task, edge, body)).collect();
        let made = join_all(calls.iter().map(|call| made(bench, bench.ports(), call))).await;
        assert!(made.iter().all(|run| *run == made[0]), "{edge}: {made:?}");
        let ids: Vec<Id> = calls.iter().map(|call| call.record.id).collect();
        assert!(ids.contains(&made[0]));
    }
}

/// A call asks for quiet anew; after it the next one starts a run.
pub async fn leading_call_is_absorbed_until_there_was_none_for_the_delay(bench: &impl Bench) {
    let task = bench.unique("task");
    let first = call(bench, &task, Edge::Leading, 1);
    let run = made(bench, bench.ports(), &first).await;
    assert!(arrive(&bench.ports(), stored(&bench.ports(), run).await).await);
    bench.skip(minutes(1)).await;
    let second = call(bench, &task, Edge::Leading, 2);
    assert_eq!(made(bench, bench.ports(), &second).await, run);
    assert_eq!(body(bench, run).await, "1");
    bench.skip(DELAY - seconds(30)).await;
    let third = call(bench, &task, Edge::Leading, 3);
    assert_eq!(made(bench, bench.ports(), &third).await, run, "the second call asked for quiet");
    bench.skip(DELAY + seconds(1)).await;
    let fourth = call(bench, &task, Edge::Leading, 4);
    assert_eq!(made(bench, bench.ports(), &fourth).await, fourth.record.id);
}
