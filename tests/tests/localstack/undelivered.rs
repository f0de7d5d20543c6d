//! Messages of schedules that reached the app's dead-letter queue instead of their own: the conductor takes them there.

use app::{NIGHTLY_REPORT, Report, Sent};
use chaos::{CHAOS, Chaos, Told};
use dacapo::{State, Timestamp, Trigger, cron, minutes};
use dacapo_domain::{AWS_SCHEDULED_TIME, fire_id};
use flaky::{THING, Thing};

use crate::{
    app::{App, body, result},
    later::{deferred_event, event_timer},
};

#[tokio::test]
async fn the_fire_of_a_declared_schedule_makes_its_run() {
    let app = App::deployed().await;
    let time = app.goes_astray("nightly-report-b6a668a2").await;

    let record = app.ended(fire_id("nightly-report-b6a668a2", time)).await;

    assert_eq!(result::<Sent>(&record), Sent { days: 1 });
    assert_eq!((record.name.as_str(), record.trigger), (NIGHTLY_REPORT.name(), Trigger::Schedule));
    assert_eq!((record.body, record.scheduled_at), (Some(body(&Report::Day)), Some(time)));
}

#[tokio::test]
async fn the_fire_of_a_schedule_made_at_run_time_makes_its_run() {
    let app = App::deployed().await;
    let schedules = app.client.schedules();
    let name = format!("new year {}", Timestamp::now().as_millisecond());
    schedules.put(&name, CHAOS, cron("0 0 1 1 ? *"), Chaos::default()).await.unwrap();
    let time = app.goes_astray(&app.service_name(&name.replace(' ', "-")).await).await;

    let record = app.ended(fire_id(&name, time)).await;

    schedules.delete(&name).await.unwrap();
    assert_eq!(result::<Told>(&record), Told { iteration: 1, attempt: 1 });
    assert_eq!((record.trigger, record.scheduled_at), (Trigger::Schedule, Some(time)));
}

#[tokio::test]
async fn a_run_beyond_15_minutes_ends_at_its_time() {
    let app = App::deployed().await;
    let id = app.client.run(CHAOS, Chaos::default()).after(minutes(60)).await.unwrap().id();
    let due = app.comes_near(&format!("run/{id}"), &["dueAt"]).await;
    app.goes_astray(&format!("run-{id}")).await;

    let record = app.ended(id).await;

    assert_eq!((record.state, record.attempt), (State::Completed, 1), "{record:#?}");
    assert!(record.started_at >= Some(due), "{record:#?}");
    assert_eq!(app.calls(id).await, 1);
}

#[tokio::test]
async fn an_event_beyond_15_minutes_is_handled_at_its_time() {
    let app = App::deployed().await;
    let thing = Thing { name: format!("astray {}", Timestamp::now()), failures: 0 };
    let id = app.client.publish(THING, thing.clone()).after("2 hours").await.unwrap().id;
    let deferred = deferred_event(id);
    let due = app.comes_near(&format!("event/{deferred}"), &["dueAt"]).await;
    app.goes_astray(&event_timer(&deferred)).await;

    let call = app.call_for(&thing).await;

    assert!(call.created_at >= due, "handled before {due}: {call:#?}");
}

impl App {
    /// Does what the service does after its last try: the schedule's message, written for now, goes into the queue
    /// that the schedule names for that, and one that fires once is deleted. Gives the time it was written for.
    async fn goes_astray(&self, schedule: &str) -> Timestamp {
        let time = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let kept = self.schedule(schedule).await.unwrap();
        let target = kept.target().unwrap();
        let dead_letters = target.dead_letter_config().unwrap().arn().unwrap().rsplit(':').next().unwrap();
        assert_eq!(dead_letters, format!("{}-undelivered", self.localstack.prefix()));
        let message = target.input().unwrap().replace(AWS_SCHEDULED_TIME, &time.to_string());
        self.sqs.send_message().queue_url(self.queue("undelivered").await).message_body(message).send().await.unwrap();
        if kept.schedule_expression().unwrap().starts_with("at(") {
            let delete = self.scheduler.delete_schedule().group_name(self.localstack.prefix()).name(schedule);
            delete.send().await.unwrap();
        }
        time
    }

    /// The service's name for a schedule that was made at run time: it ends in a hash.
    async fn service_name(&self, begin: &str) -> String {
        let list = self.scheduler.list_schedules().group_name(self.localstack.prefix()).name_prefix(begin);
        let kept = list.send().await.unwrap().schedules;
        let [schedule] = &kept[..] else { panic!("{kept:?}") };
        schedule.name().unwrap().to_owned()
    }
}
