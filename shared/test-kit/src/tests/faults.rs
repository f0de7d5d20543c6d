//! Faults, seeded: what holds whatever goes wrong.

use super::*;

/// A run of each kind, with everything going wrong; what it ends as, and when.
async fn storm(seed: u64, faults: Faults) -> Vec<String> {
    const RUNS: u32 = 20;
    let handled = Calls::default();
    let counted = handled.clone();
    let app = TestApp::with_these_faults(seed, faults)
        .with(task(COUNT, async |n: u32, _: TaskContext| {
            Ok(if n % 4 < 3 { Continue::after(minutes(u64::from(n)), n + 1) } else { Done(n) })
        }))
        .with(on(JOINED, move |_: String, cx: EventContext| {
            counted.next();
            async move {
                cx.run(GREET, "Ada".to_owned()).after(minutes(20)).await?;
                Ok(())
            }
        }))
        .with(task(GREET, greet).retry(Retry::attempts(100)));
    for n in 0..RUNS {
        app.run(COUNT, n).after(seconds(u64::from(n + 1))).await.unwrap();
    }
    app.publish(JOINED, "ada".to_owned()).await.unwrap();
    app.run_until_idle().await;

    let counts = app.runs_of(COUNT);
    assert_eq!(counts.len(), RUNS as usize);
    assert!(counts.iter().all(|run| run.state.is_final()), "seed {seed}: a run is stuck");
    assert!(handled.so_far() >= 1, "seed {seed}: an event is lost");
    let greetings = app.runs_of(GREET);
    assert_eq!(greetings.iter().map(|run| run.state).collect::<Vec<_>>(), [State::Completed], "seed {seed}");
    counts.iter().chain(&greetings).map(|run| format!("{} {} {:?}", run.id, run.state, run.completed_at)).collect()
}

#[tokio::test(start_paused = true)]
async fn runs_end_and_no_event_is_lost_whatever_goes_wrong() {
    for seed in 0..20 {
        for effects_apart in [true, false] {
            storm(seed, Faults { effects_apart, ..Faults::default() }).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn seed_gives_the_same_result_each_time() {
    assert_eq!(storm(7, Faults::default()).await, storm(7, Faults::default()).await);
    assert_ne!(storm(7, Faults::default()).await, storm(8, Faults::default()).await);
}

#[tokio::test(start_paused = true)]
async fn fire_is_not_late_because_the_store_is_throttled() {
    let throttled = Faults { throttle: 0.6, ..Faults::none() };
    let greet = task(GREET, async |name: String, _: TaskContext| Ok(name)).schedule(cron("0 * * * ? *"), "Ada".into());
    let app = TestApp::with_these_faults(7, throttled).with(greet);
    app.advance(hours(5)).await;
    let runs = app.runs_of(GREET);
    assert_eq!(runs.len(), 5);
    for run in runs {
        // But for the tries that it takes.
        let late = run.created_at.duration_since(run.scheduled_at.unwrap());
        assert!(!late.is_negative() && late.as_secs() < 30, "{run:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn delivery_keeps_its_authors_error_while_the_store_is_throttled() {
    for seed in 0..5 {
        let throttled = Faults { throttle: 0.6, ..Faults::none() };
        let refuse = on(JOINED, async |_: String, _: EventContext| -> Result<(), TaskError> {
            Err(TaskError::from("no such user").code("NO_USER"))
        });
        let app = TestApp::with_these_faults(seed, throttled).with(refuse.retry(Retry::attempts(3)));
        let event = app.publish(JOINED, "ada".to_owned()).await.unwrap();
        app.run_until_idle().await;
        let key = RecordKey::new(DeliveryRecord::KIND, format!("{}/events-1/{}", event.id, JOINED.name()));
        let delivery = load::<DeliveryRecord>(ports(&app), &key).await.unwrap().unwrap().record;
        assert_eq!(delivery.phase, DeliveryPhase::Dropped, "seed {seed}");
        assert_eq!(delivery.attempt, 3, "seed {seed}");
        assert_eq!(delivery.last_error().unwrap().code, "NO_USER", "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn app_is_idle_once_its_runs_have_ended_though_a_crash_left_an_idempotency_key_behind() {
    for seed in 0..20 {
        let faults = Faults { crash: 0.1, ..Faults::none() };
        let app = TestApp::with_these_faults(seed, faults).with(task(GREET, greet).retry(Retry::attempts(100)));
        app.run(GREET, "Ada".to_owned()).key("ada").key_for(days(500)).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(app.run_of(GREET).state, State::Completed, "seed {seed}");
        assert!(app.now() < at("00:00:00") + days(1), "seed {seed}: {}", app.now());
    }
}

#[tokio::test(start_paused = true)]
async fn app_with_faults_meets_each_of_them() {
    let trace = Trace::kept();
    let fails_thrice = async |n: u32, cx: TaskContext| {
        if cx.attempt() <= 3 { Err(TaskError::retryable("not yet")) } else { Ok(n) }
    };
    let app = TestApp::with_these_faults(7, Faults { trace: Some(trace.clone()), ..Faults::default() })
        .with(task(COUNT, fails_thrice).retry(Retry::attempts(100)));
    for n in 0..100 {
        app.run(COUNT, n).await.unwrap();
    }
    app.run_until_idle().await;
    let met = trace.lines().join("\n");
    for fault in [
        "the process dies before the call",
        "the process dies after the call",
        "throttled",
        "the reply is lost",
        "sent twice",
        "late by",
    ] {
        assert!(met.contains(&format!(": {fault}")), "no {fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_that_a_handler_waits_for_is_tokios_and_not_the_apps() {
    let patient = async |_: u32, _: TaskContext| {
        tokio::time::sleep(seconds(20)).await;
        Ok(1)
    };
    let app = TestApp::new().with(task(COUNT, patient));
    let before = tokio::time::Instant::now();
    app.run(COUNT, 0).await.unwrap();
    app.run_until_idle().await;
    assert_eq!((app.run_of(COUNT).state, app.now()), (State::Completed, at("00:00:00")));
    assert!(before.elapsed() >= seconds(20));
}
