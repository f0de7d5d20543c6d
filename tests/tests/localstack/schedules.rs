//! Schedules. The schedule firer delivers every fire twice.

use app::{NIGHTLY_REPORT, Sent};
use chaos::{CHAOS, Chaos, Told};
use dacapo::{ListFilter, Timestamp, Trigger, cron};
use dacapo_domain::{Fire, Message, fire_id};

use crate::app::{App, eventually, result};

#[tokio::test]
async fn a_cron_fire_that_is_delivered_again_makes_one_run() {
    let app = App::deployed().await;
    let schedules = app.client.schedules();
    let name = format!("every minute {}", Timestamp::now());
    let put = schedules.put(&name, CHAOS, cron("* * * * ? *"), Chaos::default()).await.unwrap();

    // A minute may have ended between the client's look at the clock and the service's.
    let (time, id) = eventually("one of the next fires makes a run", || async {
        let fires = put.next.iter().map(|time| (*time, fire_id(&name, *time)));
        for (time, id) in fires.clone() {
            if app.client.state(id).await.is_ok() {
                return Ok((time, id));
            }
        }
        Err(format!("no run of {:?}", fires.collect::<Vec<_>>()))
    })
    .await;
    let record = app.ended(id).await;
    schedules.delete(&name).await.unwrap();
    assert_eq!(result::<Told>(&record), Told { iteration: 1, attempt: 1 });
    assert_eq!((record.trigger, record.scheduled_at), (Trigger::Schedule, Some(time)));
    assert!(record.started_at >= Some(time), "it started before its time: {record:#?}");

    // And once more, late.
    let again = Message::Fire(Fire { schedule: name, time }).to_text();
    app.sqs.send_message().queue_url(app.queue("chaos").await).message_body(again).send().await.unwrap();
    eventually("the queue is empty", || async {
        let backlog = app.backlog("chaos").await;
        if backlog.visible == 0 { Ok(()) } else { Err(format!("{backlog:?}")) }
    })
    .await;
    assert_eq!(app.client.state(id).await.unwrap(), record);
    assert_eq!(app.calls(id).await, 1);
}

#[tokio::test]
async fn schedule_of_every_minute_makes_a_run_at_about_its_time_whoever_fires_it() {
    let app = App::deployed().await;
    let schedules = app.client.schedules();
    let name = format!("by itself {}", Timestamp::now());
    schedules.put(&name, CHAOS, cron("* * * * ? *"), Chaos::default()).await.unwrap();
    let of_schedule = || ListFilter { schedule: Some(name.clone()), ..ListFilter::default() };
    let run = eventually("a fire has made its run", || async {
        let mut runs = app.client.list(of_schedule()).await.unwrap().runs;
        runs.pop().ok_or_else(|| format!("no run of {name:?}"))
    });
    let record = app.ended(run.await.id).await;
    schedules.delete(&name).await.unwrap();
    assert_eq!(result::<Told>(&record), Told { iteration: 1, attempt: 1 });
    let late = record.started_at.unwrap().duration_since(record.scheduled_at.unwrap());
    assert!((0..600).contains(&late.as_secs()), "{record:#?}");
}

#[tokio::test]
async fn a_declared_schedule_fires_as_deployed() {
    let app = App::deployed().await;

    // `every("7 days")` fires first when it is created.
    let runs = eventually("the weekly report is sent", || async {
        let runs = app.runs(NIGHTLY_REPORT.name()).await;
        let weekly: Vec<_> =
            runs.into_iter().filter(|run| run.body.as_ref().is_some_and(|b| b.text() == r#""week""#)).collect();
        if weekly.iter().any(|run| run.state.is_final()) { Ok(weekly) } else { Err(format!("{weekly:#?}")) }
    });
    let runs = runs.await;
    assert_eq!(runs.len(), 1, "{runs:#?}");
    assert_eq!(result::<Sent>(&runs[0]), Sent { days: 7 });
    assert_eq!(runs[0].id, fire_id("nightly-report-81c9ab7c", runs[0].scheduled_at.unwrap()));
    let logs = app.client.logs(runs[0].id).await.unwrap();
    assert_eq!(logs.iter().map(|entry| &*entry.message).collect::<Vec<_>>(), ["report sent"]);

    let declared = app.client.schedules().get("nightly-report-b6a668a2").await.unwrap();
    let kept = app.scheduler.get_schedule().group_name(app.localstack.prefix()).name("nightly-report-b6a668a2");
    let kept = kept.send().await.unwrap();
    assert_eq!(kept.schedule_expression(), Some("cron(0 6 ? * MON-FRI *)"));
    assert_eq!(kept.schedule_expression_timezone(), Some("Europe/Berlin"));
    assert!(declared.declared && !declared.next.is_empty(), "{declared:#?}");
}
