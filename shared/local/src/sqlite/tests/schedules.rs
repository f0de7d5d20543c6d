//! Recurring schedules and deploys.

use dacapo_core::port::{Clock, PortErrorKind, Queues, Schedules};
use dacapo_domain::{
    Fire, FunctionEntry, Json, Manifest, Message, Policy, Schedule, ScheduleEntry, TaskEntry, cron, every, hours,
    minutes,
};

use super::{Bench, message};
use crate::sqlite::UNDELIVERED;

fn manifest(tasks: &[(&str, Option<Schedule>)]) -> Manifest {
    let function = |(name, schedule): &(&str, Option<Schedule>)| {
        let entry = |schedule: &Schedule| ScheduleEntry {
            name: format!("{name}-1"),
            schedule: schedule.clone(),
            body: Json::default(),
        };
        let schedules = schedule.iter().map(entry).collect();
        let task = TaskEntry { name: (*name).to_owned(), policy: Policy::default(), private: false, schedules };
        FunctionEntry::task(name, 256, task)
    };
    Manifest::new("app", tasks.iter().map(function).collect()).unwrap()
}

#[tokio::test]
async fn a_schedule_is_due_until_it_is_said_when_next() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    Schedules::put(database, "hourly", "greet", &every("1 hour")).await.unwrap();

    let due = database.due_schedules().await.unwrap().remove(0);
    assert_eq!((due.name.as_str(), due.put_at, due.due), ("hourly", start, None), "its first fire is to be found");
    assert!(database.fire_schedule(&due, &[], Some(start + hours(1))).await.unwrap());
    assert!(database.due_schedules().await.unwrap().is_empty());
    assert_eq!(database.next_due().await.unwrap(), Some(start + hours(1)));

    bench.pass(hours(1));
    let due = database.due_schedules().await.unwrap().remove(0);
    assert_eq!(due.due, Some(start + hours(1)));
    assert_eq!(database.due_schedules().await.unwrap().len(), 1, "it is given again until it is said when next");
    assert!(database.fire_schedule(&due, &[start + hours(1)], None).await.unwrap());

    let fire = Fire { schedule: "hourly".to_owned(), time: start + hours(1) };
    assert_eq!(bench.texts("greet").await, [Message::Fire(fire).to_text()]);
    bench.pass(hours(24 * 13));
    assert!(database.due_schedules().await.unwrap().is_empty(), "it never fires again");
}

#[tokio::test]
async fn a_fire_and_what_is_due_next_are_one_write() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    Schedules::put(database, "s", "greet", &every("1 hour")).await.unwrap();
    let due = database.due_schedules().await.unwrap().remove(0);

    assert!(database.fire_schedule(&due, &[start], Some(start + hours(1))).await.unwrap());
    assert!(!database.fire_schedule(&due, &[start], Some(start + hours(1))).await.unwrap(), "it has fired");

    assert_eq!(bench.texts("greet").await.len(), 1);
}

#[tokio::test]
async fn a_schedule_that_was_replaced_or_deleted_meanwhile_does_not_fire() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    Schedules::put(database, "s", "greet", &every("1 hour")).await.unwrap();
    let due = database.due_schedules().await.unwrap().remove(0);
    Schedules::put(database, "s", "greet", &every("2 hours")).await.unwrap();
    assert!(!database.fire_schedule(&due, &[start], Some(start + hours(1))).await.unwrap());

    let due = database.due_schedules().await.unwrap().remove(0);
    Schedules::delete(database, "s").await.unwrap();
    assert!(!database.fire_schedule(&due, &[start], Some(start + hours(2))).await.unwrap());

    assert!(bench.texts("greet").await.is_empty());
}

#[tokio::test]
async fn a_deploy_keeps_the_next_fire_of_a_schedule_that_is_as_before() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    let noon = || Some(cron("0 12 * * ? *"));
    database.deploy(&manifest(&[("same", noon()), ("other", noon()), ("gone", noon())])).await.unwrap();
    for due in database.due_schedules().await.unwrap() {
        database.fire_schedule(&due, &[], Some(start + hours(12))).await.unwrap();
    }
    Schedules::put(database, "made-at-run-time", "same", &every("1 day")).await.unwrap();

    bench.pass(minutes(1));
    database.deploy(&manifest(&[("same", noon()), ("other", Some(every("5 minutes")))])).await.unwrap();

    let due = database.due_schedules().await.unwrap();
    let due: Vec<_> = due.iter().map(|due| (due.name.as_str(), due.put_at)).collect();
    assert_eq!(due, [("made-at-run-time", start), ("other-1", start + minutes(1))]);
    bench.pass(hours(12));
    let due = database.due_schedules().await.unwrap();
    assert_eq!(due.last().map(|due| due.name.as_str()), Some("same-1"));
}

#[tokio::test]
async fn a_deploy_makes_the_queues_of_its_functions_and_takes_the_others_away() {
    let bench = Bench::new().await;
    let envelope = dacapo::port::Envelope { message: message("a"), delay: std::time::Duration::ZERO };
    let database = &bench.database;
    database.deploy(&manifest(&[("one", None), ("two", None)])).await.unwrap();
    for function in ["one", "two", "conductor", UNDELIVERED] {
        database.send(function, &envelope).await.unwrap();
    }
    let gone = database.send("greet", &envelope).await.unwrap_err();
    assert_eq!(gone.kind(), PortErrorKind::NotDeployed, "{gone}");

    database.deploy(&manifest(&[("two", None)])).await.unwrap();

    assert_eq!(database.due_queues().await.unwrap(), ["conductor", "two", UNDELIVERED]);
    assert!(bench.texts("one").await.is_empty(), "its messages are gone with it");
}
