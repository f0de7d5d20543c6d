//! Deploys: which manifest is kept, and what becomes of the schedules.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use dacapo::{State, prelude::*};
use dacapo_core::{conductor::Conductor, port::Ports};
use dacapo_domain::{
    FunctionEntry, Holds, Json, Manifest, ManifestRecord, Payloads, Policy, RecordKey, Saved, Schedule, ScheduleEntry,
    ScheduleRecord, TaskEntry, Write,
};
use dacapo_test_kit::TestApp;

/// The time at which the test's first manifest was made: the start of its clock.
const MADE_MS: i64 = 1_767_225_600_000;
const REPORT: TaskRef<u32> = TaskRef::new("report");

fn manifest(made_ms: i64, schedule: Option<Schedule>) -> Manifest {
    let entry = |schedule| ScheduleEntry { name: "report-1".to_owned(), schedule, body: Json::of(&7).unwrap() };
    let task = TaskEntry {
        name: "report".to_owned(),
        policy: Policy::default(),
        private: false,
        may_continue: true,
        schedules: schedule.map(entry).into_iter().collect(),
    };
    let made_ms = MADE_MS + made_ms;
    let functions = vec![FunctionEntry::conductor(), FunctionEntry::task("report", 256, task)];
    Manifest { made_ms, ..Manifest::new("test", functions).unwrap() }
}

fn ports(app: &TestApp) -> &Ports {
    app.client().ports()
}

/// The manifest that a client reads who has read none yet.
async fn deployed(app: &TestApp) -> Manifest {
    (*dacapo::Client::new(ports(app).clone()).manifest().await.unwrap()).clone()
}

#[tokio::test]
async fn deploy_from_another_machine_replaces_what_a_later_build_left() {
    let app = TestApp::new();
    let year = 365 * 86_400_000;
    for (made_ms, schedule) in
        [(year, every("1 day")), (-7, every("2 days")), (year * 100, every("3 days")), (-year, every("4 days"))]
    {
        let carried = manifest(made_ms, Some(schedule.clone()));
        let told = Conductor::new(ports(&app).clone(), Some(carried)).deployed().await.unwrap();
        assert!(told.stored);
        let (_, _, entry) =
            deployed(&app).await.schedule("report-1").map(|(a, b, c)| (a.clone(), b.clone(), c.clone())).unwrap();
        assert_eq!(entry.schedule, schedule, "whatever the machines' clocks said when it was built");
    }
}

#[tokio::test]
async fn older_manifest_changes_nothing_and_no_schedule() {
    let app = TestApp::new();
    let conductor = Conductor::new(ports(&app).clone(), None);
    assert!(conductor.deploy(&manifest(2_000, Some(every("1 day")))).await.unwrap().stored);
    let before = app.schedules().list().await.unwrap();
    for older in [manifest(1_999, None), manifest(1, Some(every("2 days")))] {
        assert!(!conductor.deploy(&older).await.unwrap().stored);
        assert_eq!(deployed(&app).await, manifest(2_000, Some(every("1 day"))));
        assert_eq!(app.schedules().list().await.unwrap(), before);
    }
}

#[tokio::test]
async fn manifest_that_is_too_large_is_refused_before_anything_changes() {
    let app = TestApp::new();
    let conductor = Conductor::new(ports(&app).clone(), None);
    conductor.deploy(&manifest(1_000, Some(every("1 day")))).await.unwrap();
    let before = app.schedules().list().await.unwrap();
    let mut large = manifest(2_000, None);
    let task = task_of(&mut large);
    for n in 2..7 {
        let (name, body) = (format!("report-{n}"), Json::of(&"x".repeat(1_000_000)).unwrap());
        task.schedules.push(ScheduleEntry { name, schedule: every("1 day"), body });
    }
    let refused = conductor.deploy(&large).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("the manifest has 5000") && refused.contains(" bytes (allowed: 4194304; "),
        "{refused}"
    );
    assert_eq!(deployed(&app).await, manifest(1_000, Some(every("1 day"))));
    assert_eq!(app.schedules().list().await.unwrap(), before);
    task_of(&mut large).schedules.truncate(3);
    assert!(conductor.deploy(&large).await.unwrap().stored, "what is larger than an item is stored in parts");
    assert_eq!(deployed(&app).await, large);
}

/// Puts a document of another build in a record's place.
async fn spoil(app: &TestApp, key: &RecordKey) {
    let records = &ports(app).records;
    let header = records.load(key).await.unwrap().unwrap().header;
    let document = Json::from_text(r#"{"v":2}"#).unwrap();
    let write = Write {
        header: header.clone(),
        document,
        payloads: Payloads::none(),
        index: vec![],
        expiry_beside_s: None,
        effects: vec![],
    };
    assert!(matches!(records.save(&header, &write).await.unwrap(), Saved::Done(_)));
}

#[tokio::test]
async fn deploy_replaces_a_manifest_that_can_not_be_read() {
    let app = TestApp::new();
    spoil(&app, &ManifestRecord::key()).await;
    let carried = manifest(1_000, Some(every("1 day")));
    assert!(Conductor::new(ports(&app).clone(), Some(carried.clone())).deployed().await.unwrap().stored);
    assert_eq!(deployed(&app).await.functions, carried.functions);
}

#[tokio::test]
async fn deploy_replaces_the_record_of_a_declared_schedule_that_can_not_be_read_and_forgets_one_that_is_gone() {
    let app = TestApp::new();
    let conductor = Conductor::new(ports(&app).clone(), None);
    let (key, day) = (ScheduleRecord::key_of("report-1"), Some(every("1 day")));
    conductor.deploy(&manifest(1_000, day.clone())).await.unwrap();
    spoil(&app, &key).await;
    assert!(conductor.deploy(&manifest(2_000, day)).await.unwrap().stored);
    assert_eq!(app.schedules().list().await.unwrap().len(), 1);
    app.schedules().pause("report-1").await.unwrap();

    spoil(&app, &key).await;
    assert!(conductor.deploy(&manifest(3_000, None)).await.unwrap().stored);
    assert_eq!(ports(&app).records.load(&key).await.unwrap(), None);
}

#[tokio::test]
async fn declared_schedule_whose_record_can_not_be_read_fires_as_it_is_declared() {
    for schedule in [every("1 hour"), every("1 hour").skip_while_running()] {
        let report = task(REPORT, async |_: u32, _: TaskContext| Ok(())).schedule(schedule, 7);
        let app = TestApp::new().with(report);
        let name = app.schedules().list().await.unwrap().remove(0).name;
        spoil(&app, &ScheduleRecord::key_of(&name)).await;
        app.advance(minutes(150)).await;
        assert_eq!(app.runs_of(REPORT).len(), 3);
    }
}

fn task_of(manifest: &mut Manifest) -> &mut TaskEntry {
    match &mut manifest.functions[1].holds {
        Holds::Task(task) => task,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn declared_schedule_takes_the_place_of_one_put_at_run_time_under_its_name() {
    let app = TestApp::new().with(task(REPORT, async |_: u32, _: TaskContext| Ok(())));
    app.schedules().put("report-1", REPORT, every("1 hour"), 1).await.unwrap();
    app.advance(minutes(30)).await;
    assert_eq!(app.runs_of(REPORT).len(), 1);

    let conductor = Conductor::new(ports(&app).clone(), None);
    assert!(conductor.deploy(&manifest(60_000, Some(every("1 day")))).await.unwrap().stored);
    app.advance(hours(5)).await;

    assert_eq!(app.runs_of(REPORT).len(), 1, "the one that was put fires no more");
}

#[tokio::test]
async fn runs_in_flight_of_a_task_that_is_renamed_fail_as_unknown_and_the_new_name_begins_anew() {
    const NEW: TaskRef<u32> = TaskRef::new("monthly-report");
    let again = async |n: u32, _: TaskContext| Ok(if n == 0 { Done(()) } else { Continue::after(days(2), 0) });
    let app = TestApp::new().with(task(REPORT, again));
    app.run(REPORT, 1).await.unwrap();
    app.advance(minutes(1)).await;
    app.run(REPORT, 0).after(hours(1)).await.unwrap();

    let app = app.redeployed([dacapo::Definition::of(task(NEW, again))]);
    app.run(NEW, 1).await.unwrap();
    app.advance(days(4)).await;
    let ends: Vec<_> = app.runs_of(REPORT).into_iter().map(|run| (run.state, run.error_code)).collect();
    let unknown = || (State::Failed, Some("UNKNOWN_TASK".to_owned()));
    assert_eq!(ends, [unknown(), unknown()]);
    assert_eq!((app.run_of(NEW).state, app.run_of(NEW).iteration), (State::Completed, 2));
}

#[tokio::test]
async fn failing_delivery_of_a_function_that_is_merged_into_another_is_dropped_and_later_events_reach_both_handlers() {
    const PAID: EventRef<u32> = EventRef::new("order.paid");
    let calls = Arc::new(AtomicU32::new(0));
    let handler = |fails: bool| {
        let calls = calls.clone();
        on(PAID, move |_: u32, _: EventContext| {
            calls.fetch_add(u32::from(!fails), Ordering::Relaxed);
            async move { if fails { Err(TaskError::from("no stock".to_owned())) } else { Ok(()) } }
        })
    };
    let app = TestApp::new().with(handler(false)).with(handler(true));
    app.publish(PAID, 7).await.unwrap();
    app.advance(minutes(1)).await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);

    let app = app.redeployed([dacapo::Definition::of([handler(false), handler(false)])]);
    app.publish(PAID, 8).await.unwrap();
    app.advance(hours(2)).await;
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    let deliveries = app.client().deliveries().list(dacapo::DeliveryFilter::default()).await.unwrap().deliveries;
    let ends: Vec<_> = deliveries.iter().map(|delivery| (&*delivery.function, delivery.state)).collect();
    assert_eq!(ends, [("events-2", dacapo::DeliveryState::Dropped)]);
}
