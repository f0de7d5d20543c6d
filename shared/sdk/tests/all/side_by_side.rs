//! Code of a user's that panics where only values were expected, options at every door, and neighbours that notice nothing.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use dacapo::{ErrorKind, ListFilter, RunView, State, prelude::*};
use dacapo_domain::Json;
use dacapo_test_kit::TestApp;
use serde::{Deserialize, Deserializer, Serialize};

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
const OPEN: TaskRef<Fragile, u32> = TaskRef::new("open");
const SENT: EventRef<Fragile> = EventRef::new("sent");

/// A value whose own code panics when it is read as 13.
#[derive(Clone, Debug, Serialize)]
struct Fragile(u32);

impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        assert!(number != 13, "thirteen");
        Ok(Self(number))
    }
}

/// A key that panics when it is told.
impl fmt::Display for Fragile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(self.0 != 14, "fourteen");
        self.0.fmt(f)
    }
}

async fn content(n: u32, _: TaskContext) -> Result<u32, TaskError> {
    Ok(n)
}

fn number(run: &RunView) -> u32 {
    run.body.as_ref().unwrap().parse().unwrap()
}

#[tokio::test]
async fn body_or_key_whose_code_panics_fails_its_own_run_and_no_other() {
    let open = async |it: Fragile, _: TaskContext| Ok(it.0);
    let app = TestApp::new().with(task(OPEN, open).retry(Retry::never()).concurrency_per_key(1, |it: &Fragile| it));
    for number in [1, 13, 14, 2] {
        app.run(OPEN, Fragile(number)).await.unwrap();
    }
    app.run_until_idle().await;
    let mut ends: Vec<_> = app.runs_of(OPEN).into_iter().map(|run| (number(&run), run.state, run.error_code)).collect();
    ends.sort_unstable_by_key(|(number, ..)| *number);
    let (done, failed) = (|n| (n, State::Completed, None), |n, code: &str| (n, State::Failed, Some(code.to_owned())));
    // A key that can't be had is an error of the run's body, whatever the reason.
    assert_eq!(ends, [done(1), done(2), failed(13, "PANIC"), failed(14, "ERROR")]);
}

#[tokio::test]
async fn event_whose_body_panics_when_it_is_read_is_dropped_and_its_neighbours_are_handled() {
    let handled = Arc::<Mutex<Vec<u32>>>::default();
    let note = handled.clone();
    let handler = on(SENT, move |it: Fragile, _: EventContext| {
        note.lock().unwrap().push(it.0);
        async { Ok(()) }
    });
    let app = TestApp::new().with(handler.retry(Retry::attempts(2)));
    for number in [1, 13, 2] {
        app.publish(SENT, Fragile(number)).await.unwrap();
    }
    app.run_until_idle().await;
    let mut handled = handled.lock().unwrap().clone();
    handled.sort_unstable();
    assert_eq!(handled, [1, 2]);
    let dropped = app.client().deliveries().list(dacapo::DeliveryFilter::default()).await.unwrap().deliveries;
    assert_eq!(dropped.len(), 1);
    let text = format!("{:?}", dropped[0]);
    assert!(text.contains("PANIC") && text.contains("thirteen"), "{text}");
}

#[tokio::test]
async fn listener_that_always_fails_holds_up_neither_the_run_nor_the_other_listener() {
    let heard = Arc::<Mutex<Vec<State>>>::default();
    let note = heard.clone();
    let app = TestApp::new()
        .with(task(COUNT, content))
        .with(on(lifecycle::completed(COUNT), async |_: RunView, _: EventContext| Err(TaskError::terminal("never"))))
        .with(on(lifecycle::completed(COUNT), move |run: RunView, _: EventContext| {
            note.lock().unwrap().push(run.state);
            async { Ok(()) }
        }));
    app.run(COUNT, 1).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(
        (app.run_of(COUNT).state, heard.lock().unwrap().as_slice()),
        (State::Completed, &[State::Completed][..])
    );
}

#[tokio::test]
async fn key_that_stands_twice_in_one_batch_starts_one_run() {
    let app = TestApp::new().with(task(COUNT, content));
    let runs = ["a", "b", "a"].into_iter().zip(0..).map(|(key, n)| app.run(COUNT, n).key(key));
    let started = app.client().batch_of(runs.collect::<Vec<_>>()).await.unwrap();
    let started: Vec<_> = started.into_iter().map(Result::unwrap).collect();
    assert_eq!((started[0].id(), started[2].is_deduplicated()), (started[2].id(), true));
    app.run_until_idle().await;
    assert_eq!(app.runs_of(COUNT).len(), 2);
}

#[tokio::test]
async fn options_of_a_start_hold_in_a_batch_and_in_a_replay_as_alone() {
    let app = TestApp::new().with(task(COUNT, content));
    let first = app.run(COUNT, 1).await.unwrap().id();
    app.run_until_idle().await;
    let replay = app.client().replay_of(first, None).await.unwrap().tags(["again"]).ttl(seconds(5)).after(hours(1));
    let alike = |n| app.run(COUNT, n).tags(["again"]).ttl(seconds(5)).after(hours(1));
    let batch = app.client().batch_of([alike(2), alike(3)]).await.unwrap();
    let ids = [replay.await.unwrap().id(), alike(4).await.unwrap().id()];
    let ids: Vec<_> = ids.into_iter().chain(batch.into_iter().map(|started| started.unwrap().id())).collect();
    let tagged = app.list(ListFilter { tag: Some("again".to_owned()), ..ListFilter::default() }).await.unwrap().runs;
    assert_eq!(tagged.len(), 4);
    // Nothing takes them in time.
    app.set_clock(app.now() + hours(2));
    app.run_until_idle().await;
    for id in ids {
        assert_eq!(app.state(id).await.unwrap().state, State::Expired);
    }
}

#[tokio::test]
async fn priority_and_spans_out_of_range_are_refused_for_each_item_of_a_batch_by_itself() {
    let app = TestApp::new().with(task(COUNT, content));
    let runs = [
        app.run(COUNT, 1).priority(seconds(5)),
        app.run(COUNT, 2).ttl(seconds(0)),
        app.run(COUNT, 3).tags([""]),
        app.run(COUNT, 4).after(days(400)),
        app.run(COUNT, 5).key(""),
        app.run(COUNT, 6),
    ];
    let started = app.client().batch_of(runs).await.unwrap();
    for refused in &started[..5] {
        assert_eq!(refused.as_ref().unwrap_err().kind(), ErrorKind::Usage, "{refused:?}");
    }
    app.run_until_idle().await;
    assert_eq!(app.run_of(COUNT).body, Some(Json::of(&6).unwrap()));
}
