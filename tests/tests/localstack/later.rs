//! Runs that are due later than a queue can hold them back.

use app::{IMPORT_AIRPORTS, Import};
use chaos::{CHAOS, Chaos};
use dacapo::{State, Timestamp, minutes, seconds};

use crate::app::{App, eventually};

/// The longest delay of a queue.
const QUEUE: std::time::Duration = std::time::Duration::from_secs(900);

#[tokio::test]
async fn a_run_beyond_15_minutes_waits_in_a_one_time_schedule_that_fires_and_deletes_itself() {
    let app = App::deployed().await;
    let id = app.client.run(IMPORT_AIRPORTS, Import::default()).after(QUEUE + seconds(5)).await.unwrap().id();
    let record = app.client.state(id).await.unwrap();
    assert_eq!(record.state, State::Scheduled);

    let schedule = format!("run-{id}");
    let get = || app.scheduler.get_schedule().group_name(app.localstack.prefix()).name(&schedule).send();
    let kept = get().await.unwrap();
    let due = record.due_at.strftime("at(%Y-%m-%dT%H:%M:");
    assert!(kept.schedule_expression().unwrap().starts_with(&due.to_string()), "{kept:?}");
    assert_eq!(kept.action_after_completion().unwrap().as_str(), "DELETE");
    let queue = kept.target().unwrap().arn().rsplit(':').next().map(ToOwned::to_owned);
    assert_eq!(queue, Some(format!("{}-import-airports", app.localstack.prefix())));
    assert!(kept.target().unwrap().dead_letter_config().is_some(), "what can't be sent is kept");

    // Its fire comes early by the function's own clock. Sent on with the rest, it fits into the queue's longest delay.
    eventually("the rest fits into the queue", || async {
        let rest = record.due_at.duration_since(Timestamp::now());
        if rest.as_secs_f64() < QUEUE.as_secs_f64() { Ok(()) } else { Err(format!("{rest}")) }
    })
    .await;
    app.localstack.clock().advance(&schedule, minutes(20)).unwrap();

    eventually("the schedule has deleted itself", || async {
        match get().await {
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    eventually("the message waits for the rest of its time", || async {
        let backlog = app.backlog("import-airports").await;
        if backlog.delayed > 0 { Ok(()) } else { Err(format!("{backlog:?}")) }
    })
    .await;
    let record = app.client.state(id).await.unwrap();
    assert_eq!((record.state, record.started_at), (State::Scheduled, None), "a handler never starts before its time");
    app.client.abort(id, "seen").await.unwrap();
}

#[tokio::test]
async fn aborting_or_rescheduling_a_later_run_removes_its_schedule() {
    let app = App::deployed().await;
    let later = |id| {
        let get = app.scheduler.get_schedule().group_name(app.localstack.prefix()).name(format!("run-{id}"));
        async move { get.send().await.is_ok() }
    };
    let aborted = app.client.run(CHAOS, Chaos::default()).after(minutes(60)).await.unwrap().id();
    let sooner = app.client.run(CHAOS, Chaos::default()).after("1 day").await.unwrap().id();
    assert!(later(aborted).await && later(sooner).await);

    app.client.abort(aborted, "not needed any more").await.unwrap();
    app.client.reschedule(sooner, seconds(2)).await.unwrap();

    assert!(!later(aborted).await && !later(sooner).await);
    assert_eq!(app.ended(sooner).await.state, State::Completed);
    assert_eq!(app.calls(sooner).await, 1);
}
