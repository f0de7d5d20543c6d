//! Runs and events that are due later, as a queue holds them back and beyond. Never early, to the second.

use app::{IMPORT_AIRPORTS, Import};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use chaos::{CHAOS, Chaos};
use dacapo::{Id, RunView, State, Timestamp, minutes, seconds};
use dacapo_core::commit::load;
use dacapo_domain::{DeferredEvent, Message, RunMessage, RunRecord, hash128};
use flaky::{THING, Thing};

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
    let kept = app.schedule(&schedule).await.unwrap();
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

    app.forgets(&schedule).await;
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
    let later = async |id| app.schedule(&format!("run-{id}")).await.is_some();
    let aborted = app.client.run(CHAOS, Chaos::default()).after(minutes(60)).await.unwrap().id();
    let sooner = app.client.run(CHAOS, Chaos::default()).after("1 day").await.unwrap().id();
    assert!(later(aborted).await && later(sooner).await);

    app.client.abort(aborted, "not needed any more").await.unwrap();
    app.client.reschedule(sooner, seconds(2)).await.unwrap();

    assert!(!later(aborted).await && !later(sooner).await);
    assert_eq!(app.ended(sooner).await.state, State::Completed);
    assert_eq!(app.calls(sooner).await, 1);
}

#[tokio::test]
async fn a_run_that_its_schedule_brings_early_completes_at_its_time() {
    let app = App::deployed().await;
    let id = app.client.run(CHAOS, Chaos::default()).after(minutes(60)).await.unwrap().id();
    let schedule = format!("run-{id}");
    assert!(app.schedule(&schedule).await.is_some());

    let due = app.comes_near(&format!("run/{id}"), &["dueAt"]).await;
    app.localstack.clock().advance(&schedule, minutes(61)).unwrap();

    let record = app.ended(id).await;
    assert_eq!((record.state, record.attempt, record.due_at), (State::Completed, 1, due), "{record:#?}");
    assert!(record.started_at >= Some(due), "{record:#?}");
    assert_eq!(app.calls(id).await, 1, "although the schedule fired twice");
    app.forgets(&schedule).await;
}

#[tokio::test]
async fn an_event_beyond_15_minutes_is_held_back_by_a_schedule_and_handled_at_its_time() {
    let app = App::deployed().await;
    let thing = Thing { name: format!("held back {}", Timestamp::now()), failures: 0 };
    let id = app.client.publish(THING, thing.clone()).after("2 hours").await.unwrap().id;
    let deferred = deferred_event(id);
    let schedule = event_timer(&deferred);
    let kept = app.schedule(&schedule).await.unwrap();
    let target = kept.target().unwrap();
    assert!(target.arn().ends_with(&format!(":{}-conductor", app.localstack.prefix())), "{target:?}");
    assert!(!target.input().unwrap().contains("held back"), "it carries ids only: {target:?}");

    let due = app.comes_near(&format!("event/{deferred}"), &["dueAt"]).await;
    app.localstack.clock().advance(&schedule, minutes(121)).unwrap();

    let call = app.call_for(&thing).await;
    assert!(call.created_at >= due, "handled before {due}: {call:#?}");
    eventually("the deferred event is recorded as published", || async {
        let event = load::<DeferredEvent>(app.client.ports(), &DeferredEvent::key_of(&deferred)).await.unwrap();
        let event = event.ok_or("no record")?.record;
        if event.is_published { Ok(()) } else { Err(format!("{event:#?}")) }
    })
    .await;
    app.forgets(&schedule).await;
}

#[tokio::test]
async fn a_message_that_comes_before_its_time_waits_for_it() {
    let app = App::deployed().await;
    let id = app.client.run(CHAOS, Chaos::default()).after(seconds(6)).await.unwrap().id();
    app.brings_now(id).await;

    let record = app.ended(id).await;

    assert_eq!((record.state, record.attempt), (State::Completed, 1), "{record:#?}");
    assert!(record.started_at >= Some(record.due_at), "{record:#?}");
    assert_eq!(app.calls(id).await, 1);
}

/// The id of the record of a thing that is deferred.
pub fn deferred_event(id: Id) -> String {
    format!("{id}/{}", THING.name())
}

/// The name of its one-time schedule.
pub fn event_timer(deferred: &str) -> String {
    format!("event-{:032x}", hash128(deferred))
}

impl App {
    /// A schedule as the service keeps it, if it does.
    pub async fn schedule(&self, name: &str) -> Option<GetScheduleOutput> {
        match self.scheduler.get_schedule().group_name(self.localstack.prefix()).name(name).send().await {
            Ok(kept) => Some(kept),
            Err(error) => {
                let gone = error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception());
                assert!(gone, "{error:?}");
                None
            }
        }
    }

    /// Waits until a schedule has deleted itself.
    async fn forgets(&self, schedule: &str) {
        eventually("the schedule has deleted itself", || async {
            self.schedule(schedule).await.map_or(Ok(()), |kept| Err(format!("{kept:?}")))
        })
        .await;
    }

    /// Rewrites when a record is due, to a few seconds from now, behind the back of its schedule: a function's clock
    /// can't be moved, so its time comes to it. What else the record says, when it is reconciled too, stays.
    pub async fn comes_near(&self, pk: &str, times: &[&str]) -> Timestamp {
        let due = self.client.ports().clock.now() + seconds(5);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let (table, pk, sk) = (self.localstack.prefix(), text(pk), text("record"));
        let get = self.dynamodb.get_item().table_name(&table).key("pk", pk.clone()).key("sk", sk.clone());
        let item = get.send().await.unwrap().item.unwrap();
        let mut document: serde_json::Value = serde_json::from_str(item["doc"].as_s().unwrap()).unwrap();
        for time in times {
            assert!(document[*time].is_string() || document[*time].is_number(), "{document}");
            document[*time] = due.to_string().into();
        }
        let update = self.dynamodb.update_item().table_name(table).key("pk", pk).key("sk", sk);
        let update = update.update_expression("SET doc = :doc");
        update.expression_attribute_values(":doc", text(&document.to_string())).send().await.unwrap();
        due
    }

    /// The first call of `flaky` for a thing: it leaves a run that is tagged with it.
    pub async fn call_for(&self, thing: &Thing) -> RunView {
        eventually("the event is handled", || async {
            let mut runs = self.runs(CHAOS.name()).await;
            runs.retain(|run| run.tags.contains(&thing.name));
            runs.into_iter().min_by_key(|run| run.created_at).ok_or_else(|| "no call".to_owned())
        })
        .await
    }

    /// Sends a run's message once more, without its delay.
    async fn brings_now(&self, id: Id) {
        let stored = load::<RunRecord>(self.client.ports(), &RunRecord::key_of(id)).await.unwrap().unwrap();
        let message = Message::Run(RunMessage::about(&stored.record)).to_text();
        self.sqs.send_message().queue_url(self.queue("chaos").await).message_body(message).send().await.unwrap();
    }
}
