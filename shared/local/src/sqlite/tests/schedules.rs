//! Recurring schedules and deploys.

use dacapo_core::port::{Clock, Outbox, PortErrorKind, Probe};
use dacapo_domain::{
    Effect, Fire, FunctionEntry, Json, Manifest, Message, Policy, Schedule, ScheduleEntry, TaskEntry, cron, every,
    hours, minutes,
};

use super::{Bench, send, send_at};
use crate::sqlite::APP_DLQ;

fn manifest(tasks: &[(&str, Option<Schedule>)]) -> Manifest {
    let function = |(name, schedule): &(&str, Option<Schedule>)| {
        let entry = |schedule: &Schedule| ScheduleEntry {
            name: format!("{name}-1"),
            schedule: schedule.clone(),
            body: Json::default(),
        };
        let schedules = schedule.iter().map(entry).collect();
        let task = TaskEntry {
            name: (*name).to_owned(),
            policy: Policy::default(),
            private: false,
            may_continue: true,
            schedules,
        };
        FunctionEntry::task(name, 256, task)
    };
    Manifest::new("app", tasks.iter().map(function).collect()).unwrap()
}

fn put(name: &str, function: &str, schedule: Schedule) -> Effect {
    Effect::PutSchedule { name: name.to_owned(), function: function.to_owned(), schedule }
}

#[tokio::test]
async fn schedule_is_due_until_it_is_said_when_next() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    bench.post(put("hourly", "greet", every("1 hour"))).await;

    let due = bench.due_schedules().await.remove(0);
    assert_eq!((due.name.as_str(), due.put_at, due.due), ("hourly", start, None), "its first fire is to be found");
    assert!(database.fire_schedule(&due, &[], Some(start + hours(1))).await.unwrap());
    assert!(bench.due_schedules().await.is_empty());
    assert_eq!(bench.next_due().await, Some(start + hours(1)));

    bench.pass(hours(1));
    let due = bench.due_schedules().await.remove(0);
    assert_eq!(due.due, Some(start + hours(1)));
    assert_eq!(bench.due_schedules().await.len(), 1, "it is given again until it is said when next");
    assert!(database.fire_schedule(&due, &[start + hours(1)], None).await.unwrap());

    let fire = Fire { schedule: "hourly".to_owned(), time: start + hours(1) };
    assert_eq!(bench.texts("greet").await, [Message::Fire(fire).to_text()]);
    bench.pass(hours(24 * 13));
    assert!(bench.due_schedules().await.is_empty(), "it never fires again");
}

#[tokio::test]
async fn fire_and_what_is_due_next_are_one_write() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    bench.post(put("s", "greet", every("1 hour"))).await;
    let due = bench.due_schedules().await.remove(0);

    assert!(database.fire_schedule(&due, &[start], Some(start + hours(1))).await.unwrap());
    assert!(!database.fire_schedule(&due, &[start], Some(start + hours(1))).await.unwrap(), "it has fired");

    assert_eq!(bench.texts("greet").await.len(), 1);
}

#[tokio::test]
async fn schedule_that_was_replaced_or_deleted_meanwhile_does_not_fire() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    bench.post(put("s", "greet", every("1 hour"))).await;
    let due = bench.due_schedules().await.remove(0);
    bench.post(put("s", "greet", every("2 hours"))).await;
    assert!(!database.fire_schedule(&due, &[start], Some(start + hours(1))).await.unwrap());

    let due = bench.due_schedules().await.remove(0);
    bench.post(Effect::DeleteSchedule { name: "s".to_owned() }).await;
    assert!(!database.fire_schedule(&due, &[start], Some(start + hours(2))).await.unwrap());

    assert!(bench.texts("greet").await.is_empty());
}

#[tokio::test]
async fn deploy_keeps_the_next_fire_of_a_schedule_that_is_as_before() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    let noon = || Some(cron("0 12 * * ? *"));
    database.deploy(&manifest(&[("same", noon()), ("other", noon()), ("gone", noon())]), |_| true).await.unwrap();
    for due in bench.due_schedules().await {
        database.fire_schedule(&due, &[], Some(start + hours(12))).await.unwrap();
    }
    bench.post(put("made-at-run-time", "same", every("1 day"))).await;

    bench.pass(minutes(1));
    database.deploy(&manifest(&[("same", noon()), ("other", Some(every("5 minutes")))]), |_| true).await.unwrap();

    let due = bench.due_schedules().await;
    let due: Vec<_> = due.iter().map(|due| (due.name.as_str(), due.put_at)).collect();
    assert_eq!(due, [("made-at-run-time", start), ("other-1", start + minutes(1))]);
    bench.pass(hours(12));
    let due = bench.due_schedules().await;
    assert_eq!(due.last().map(|due| due.name.as_str()), Some("same-1"));
}

#[tokio::test]
async fn deploy_makes_the_queues_of_its_functions_and_takes_the_others_away() {
    let bench = Bench::new().await;
    let a = |function: &str| send(function, "a", std::time::Duration::ZERO);
    let database = &bench.database;
    database.deploy(&manifest(&[("one", None), ("two", None)]), |_| true).await.unwrap();
    for function in ["one", "two", "conductor", APP_DLQ] {
        database.post(&a(function)).await.unwrap();
    }
    let gone = database.post(&a("greet")).await.unwrap_err();
    assert_eq!(gone.kind(), PortErrorKind::NotDeployed, "{gone}");

    database.deploy(&manifest(&[("two", None)]), |_| true).await.unwrap();

    for function in ["conductor", "two", APP_DLQ] {
        assert!(database.has_backlog(function).await.unwrap(), "{function}");
    }
    assert!(bench.texts("one").await.is_empty(), "its messages are gone with it");
}

#[tokio::test]
async fn schedule_that_can_not_be_read_is_put_aside_until_the_next_start() {
    let bench = Bench::new().await;
    for name in ["broken", "good"] {
        bench.post(put(name, "greet", every("1 hour"))).await;
    }
    bench.spoil("UPDATE schedules SET schedule = '{\"when\":\"noon\"}' WHERE name = 'broken'").await;

    let due = bench.due(0).await;
    assert_eq!(due.schedules.iter().map(|due| &*due.name).collect::<Vec<_>>(), ["good"]);
    let [said] = &due.unreadable[..] else { panic!("{due:?}") };
    assert!(said.starts_with("the schedule broken is put aside and doesn't fire: its times in the local"), "{said}");
    bench.database.fire_schedule(&due.schedules[0], &[], None).await.unwrap();
    let after = bench.due(0).await;
    assert_eq!((after.unreadable, after.next), (vec![], None), "it is said once, and nothing is due");

    bench.database.recover().await.unwrap();
    assert_eq!(bench.due(0).await.unreadable.len(), 1, "an engine that starts tries again");
    bench.post(put("broken", "greet", every("1 hour"))).await;
    assert_eq!(bench.due_schedules().await.len(), 1, "one that is put again is another");
}

#[tokio::test]
async fn function_that_is_not_served_finds_all_as_it_was_when_it_is_back() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    let both = manifest(&[("here", None), ("away", Some(every("1 hour")))]);
    database.deploy(&both, |_| true).await.unwrap();
    let due = bench.due_schedules().await.remove(0);
    database.fire_schedule(&due, &[], Some(start + minutes(1))).await.unwrap();

    database.deploy(&both, |function| function.name == "here").await.unwrap();
    let call = dacapo_domain::WaitLoopCall { function: "away".to_owned(), ..bench.call(0) };
    bench.start("loop", &call, start).await;
    bench.post(send("away", "sent", std::time::Duration::ZERO)).await;
    bench.post(send_at("timer", "away", "timed", start + minutes(1))).await;
    bench.pass(minutes(1));
    let due = bench.due(9).await;
    assert!(due.executions.is_empty() && due.schedules.is_empty(), "{due:?}");
    assert_eq!(bench.next_due().await, None, "nothing of it is due");
    assert!(database.has_backlog("away").await.unwrap());

    database.deploy(&both, |_| true).await.unwrap();
    let schedule = bench.due_schedules().await.remove(0);
    assert_eq!((schedule.put_at, schedule.due), (start, Some(start + minutes(1))), "it is no new one");
    database.fire_schedule(&schedule, &[], None).await.unwrap();
    assert_eq!(bench.due_executions().await.len(), 1);
    assert_eq!(bench.texts("away").await, [super::text("sent"), super::text("timed")]);
}

#[tokio::test]
async fn schedule_with_a_time_that_is_none_is_put_aside_once() {
    for spoil in [
        "UPDATE schedules SET put_at = 9223372036854775807, next_fire = 1 WHERE name = 'broken'",
        "UPDATE schedules SET put_at = -9223372036854775808 WHERE name = 'broken'",
        "UPDATE schedules SET next_fire = -9223372036854775808 WHERE name = 'broken'",
    ] {
        let bench = Bench::new().await;
        bench.post(put("broken", "greet", every("1 hour"))).await;
        bench.spoil(spoil).await;
        let due = bench.due(0).await;
        let [said] = &due.unreadable[..] else { panic!("{due:?}") };
        assert!(due.schedules.is_empty() && said.contains("schedule broken is put aside"), "{said}");
        let after = bench.due(0).await;
        assert_eq!((after.unreadable, after.schedules, after.next), (vec![], vec![], None));
    }
}
