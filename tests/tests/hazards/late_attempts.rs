//! Attempts that were given up for dead, and go on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use dacapo::{Error, ErrorKind, Id, Json, LogEntry, State, prelude::*};
use dacapo_core::commit::{Seen, commit};
use dacapo_domain::{AttemptEnd, AttemptOutcome, Input, Lease, Message, Policy, RunMessage, RunRecord, Task as TaskOf};
use dacapo_test_kit::TestApp;
use tokio::sync::Notify;

use crate::{process, read};

const WORK: TaskRef<(), Vec<String>> = TaskRef::new("work");
const CHILD: TaskRef<u32> = TaskRef::new("child");

/// The context of the attempt that was given up.
#[derive(Clone, Default)]
struct Late {
    cx: Arc<Mutex<Option<TaskContext>>>,
    is_called: Arc<Notify>,
}

/// A task whose first attempt never ends, and whose second meets what is left of the first.
fn work(late: &Late) -> impl Function + use<> {
    let late = late.clone();
    let work = move |(): (), cx: TaskContext| {
        let late = late.clone();
        async move {
            if cx.attempt() == 1 {
                *late.cx.lock().unwrap() = Some(cx);
                late.is_called.notify_one();
                return std::future::pending().await;
            }
            let late = late.cx.lock().unwrap().take().unwrap();
            Ok(beside(&late, &cx).await.unwrap())
        }
    };
    task(WORK, work).timeout(seconds(10)).retry(Retry::attempts(2).min(hours(1)).max(hours(1)).jitter(false))
}

/// The second attempt and the late one write side by side. Gives the values of their steps.
async fn beside(late: &TaskContext, cx: &TaskContext) -> Result<Vec<String>, TaskError> {
    let by = |who: &str| Ok(who.to_owned());
    cx.progress("second", 0.5).await?;
    cx.update_output(by_whom("second")).await?;
    is_refused_all(late).await;
    // The first of this second was refused: this one is tried at its end.
    late.progress("late", 0.9).await?;
    tokio::time::sleep(seconds(2)).await;
    cx.log_info("second", ()).await?;
    late.log_info("late", ()).await?;
    let second_first = cx.step("second first", async || by("second")).await?;
    assert_eq!(late.step("second first", async || by("late")).await?, second_first);
    let late_first = late.step("late first", async || by("late")).await?;
    assert_eq!(cx.step("late first", async || by("second")).await?, late_first);
    assert_eq!(cx.run(CHILD, 7).await?.id(), late.run(CHILD, 7).await?.id(), "it is started once");
    Ok(vec![cx.step("between", async || by("second")).await?, second_first, late_first])
}

fn by_whom(who: &str) -> BTreeMap<&str, &str> {
    BTreeMap::from([("by", who)])
}

/// A change of the run's own record is refused, and the late attempt is told that it should end.
async fn is_refused_all(late: &TaskContext) {
    let refused: [Result<(), Error>; 3] = [
        late.set_timeout(seconds(20)).await,
        late.update_output(by_whom("late")).await,
        late.update_task(BTreeMap::from([("tags", ["late"])])).await,
    ];
    for (place, refused) in refused.into_iter().enumerate() {
        assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::Refused), "{place}");
    }
}

async fn run_of(app: &TestApp, id: Id) -> RunRecord {
    read(app.client().ports(), RunRecord::key_of(id)).await
}

/// The outcome of an attempt comes, whatever became of it.
async fn ends(app: &TestApp, run: RunRecord, attempt: Lease) -> bool {
    let outcome =
        AttemptOutcome::Done { result: Json::of(&["late"]).map_err(|error| error.to_string()), message: None };
    let ended = Input::AttemptEnded(AttemptEnd::new(attempt.token, outcome, seconds(1)));
    let (policy, until) = (Policy::default(), app.now() + minutes(1));
    let committed = commit(app.client().ports(), Seen::Stored(run), &ended, TaskOf::Known(&policy), until);
    committed.await.unwrap().unwrap().changed
}

/// Zombies beside the record: an attempt outlives its lease, as in a machine that stood still, and writes before the next
/// attempt begins, beside it, and after the end.
#[tokio::test(start_paused = true)]
async fn attempt_that_outlives_its_lease_changes_no_record_and_its_step_counts_where_it_was_first() {
    let late = Late::default();
    let app = TestApp::new().with(work(&late)).with(task(CHILD, async |_: u32, _: TaskContext| Ok(())));
    let id = app.run(WORK, ()).await.unwrap().id();
    let process = process(&app, WORK.name(), work(&late));
    let message = Message::Run(RunMessage::about(&run_of(&app, id).await)).to_text();
    tokio::select! {
        done = process.deliver(&message, 1, app.now() + minutes(1)) => panic!("{done:?}"),
        () = late.is_called.notified() => {} // The machine stands still, and with it the limit of the attempt.
    }
    let lease = *run_of(&app, id).await.lease().unwrap();

    // Before the next attempt.
    app.advance(minutes(2)).await;
    let between = run_of(&app, id).await;
    assert_eq!((app.run_of(WORK).state, between.attempt), (State::Submitted, 2));
    let cx = late.cx.lock().unwrap().take().unwrap();
    is_refused_all(&cx).await;
    assert_eq!(cx.progress("late", 0.9).await.map_err(|error| error.kind()), Err(ErrorKind::Refused));
    assert!(cx.is_aborted().await.unwrap(), "it is told to end");
    let mark = cx.step("between", async || Ok("late".to_owned())).await.unwrap();
    cx.log_info("between", ()).await.unwrap();
    assert!(!ends(&app, between.clone(), lease).await);
    assert_eq!((run_of(&app, id).await, mark.as_str()), (between, "late"));
    *late.cx.lock().unwrap() = Some(cx);

    // Beside it.
    app.run_until_idle().await;
    let run = app.run_of(WORK);
    assert_eq!((run.state, run.attempt), (State::Completed, 2), "{run:#?}");
    assert_eq!(run.result.unwrap().parse::<Vec<String>>().unwrap(), ["late", "second", "late"]);
    assert_eq!((run.progress_message.as_deref(), run.tags.len()), (Some("second"), 0));
    assert_eq!(run.output.unwrap().text(), r#"{"by":"second"}"#);
    assert_eq!(app.runs_of(CHILD).len(), 1);
    let logs: Vec<LogEntry> = app.client().logs(id).await.unwrap();
    let said: Vec<_> = logs.iter().map(|entry| (entry.attempt, entry.number, &*entry.message)).collect();
    assert_eq!(said, [(1, 1, "between"), (1, 2, "late"), (2, 1, "second")], "each under its own attempt");

    // After the end.
    let ended = run_of(&app, id).await;
    assert!(!ends(&app, ended.clone(), lease).await);
    assert_eq!(run_of(&app, id).await, ended);
    assert_eq!(app.run_of(WORK).result.unwrap().text(), r#"["late","second","late"]"#);
}
