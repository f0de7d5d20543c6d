//! The engine's ways with schedules: fires that are due and missed, deploys that keep and drop.

use std::time::Duration;

use dacapo_core::{commit::load, port::Clock};
use dacapo_domain::{Json, Machine, Payloads, Schedule, ScheduleEntry, ScheduleRecord, SkipReason, Write, cron, every};

use super::{App, Tested};

fn hourly(schedule: Schedule) -> Vec<ScheduleEntry> {
    vec![ScheduleEntry { name: "greet-1".to_owned(), schedule, body: Json::default() }]
}

fn fires(app: &App) -> Vec<String> {
    let texts = app.script.texts.lock().unwrap();
    texts
        .iter()
        .map(|text| {
            serde_json::from_str::<serde_json::Value>(text).unwrap()["fire/1"]["time"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn fires_missed_while_the_engine_was_down_are_skipped_and_said() -> Tested {
    let app = App::new(hourly(cron("0 * * * ? *"))).await?;
    app.settle().await?;
    app.clock.move_to(app.after(Duration::from_secs(3 * 3_600 + 600)));
    app.settle().await?;

    assert_eq!(fires(&app), Vec::<String>::new());
    assert!(app.said().contains("schedule greet-1 missed 3 fires"), "{}", app.said());
    let kept =
        load::<ScheduleRecord>(&app.ports(), &ScheduleRecord::key_of("greet-1")).await?.ok_or("it is remembered")?;
    assert!(kept.record.skipped.iter().all(|skipped| skipped.reason == SkipReason::Missed));
    assert_eq!(app.next_due().await?, Some("2026-01-01T04:00:00Z".parse()?));
    Ok(())
}

#[tokio::test]
async fn schedule_whose_record_can_not_be_read_misses_and_fires_as_it_is_declared() -> Tested {
    let app = App::new(hourly(cron("0 * * * ? *").catch_up())).await?;
    app.settle().await?;
    let header =
        load::<ScheduleRecord>(&app.ports(), &ScheduleRecord::key_of("greet-1")).await?.unwrap().record.header();
    let document = Json::from_text(r#"{"v":2}"#)?;
    let spoilt = Write {
        header: header.clone(),
        document,
        payloads: Payloads::none(),
        index: vec![],
        expiry_beside_s: None,
        effects: vec![],
    };
    app.ports().records.save(&header, &spoilt).await?;

    app.clock.move_to(app.after(Duration::from_secs(3 * 3_600 + 600)));
    app.settle().await?;
    assert_eq!(fires(&app), ["2026-01-01T03:00:00Z"]);
    let kept = load::<ScheduleRecord>(&app.ports(), &ScheduleRecord::key_of("greet-1")).await?.unwrap();
    assert_eq!(kept.record.skipped.iter().count(), 2);
    Ok(())
}

#[tokio::test]
async fn schedule_that_catches_up_fires_once_for_all_it_missed() -> Tested {
    let app = App::new(hourly(cron("0 * * * ? *").catch_up())).await?;
    app.settle().await?;
    app.clock.move_to(app.after(Duration::from_secs(3 * 3_600 + 600)));
    app.settle().await?;
    assert_eq!(fires(&app), ["2026-01-01T03:00:00Z"]);
    Ok(())
}

#[tokio::test]
async fn deploy_keeps_the_times_of_schedules_and_drops_those_that_are_gone() -> Tested {
    let app = App::new(hourly(every("1 hour"))).await?;
    app.settle().await?;
    app.clock.move_to(app.after(Duration::from_secs(600)));

    let changed = |entry: ScheduleEntry| ScheduleEntry { body: Json::from_text("1").unwrap(), ..entry };
    let again =
        App::on(app.database.clone(), app.clock.clone(), hourly(every("1 hour")).into_iter().map(changed).collect())
            .await?;
    again.settle().await?;
    assert_eq!(fires(&again), Vec::<String>::new(), "another body creates nothing anew");
    assert_eq!(again.next_due().await?, Some("2026-01-01T01:00:00Z".parse()?));

    let without = App::on(app.database.clone(), app.clock.clone(), vec![]).await?;
    assert_eq!(without.next_due().await?, None);
    Ok(())
}

#[tokio::test]
async fn deploy_of_a_schedule_that_never_fires_again_is_refused_before_anything_changes() -> Tested {
    let app = App::new(hourly(every("1 hour"))).await?;
    let past = App::on(app.database.clone(), app.clock.clone(), hourly(cron("0 0 1 1 ? 1999"))).await;
    let refused = past.err().ok_or("it is refused")?.to_string();
    assert!(
        refused.contains(r#"task "greet": schedule "0 0 1 1 ? 1999" in UTC: it never fires after 2026"#),
        "{refused}"
    );
    app.settle().await?;
    assert_eq!(fires(&app), ["2026-01-01T00:00:00Z"]);
    Ok(())
}

#[tokio::test]
async fn declared_schedule_counts_from_the_deploy_that_made_it() -> Tested {
    let app = App::new(hourly(every("1 hour"))).await?;
    let made = app.clock.now();
    app.clock.move_to(app.after(Duration::from_secs(600)));
    let again = App::on(app.database.clone(), app.clock.clone(), hourly(every("1 hour"))).await?;
    let kept = load::<ScheduleRecord>(&again.ports(), &ScheduleRecord::key_of("greet-1")).await?;
    assert_eq!(kept.map(|kept| kept.record.created_at), Some(made));
    Ok(())
}
