//! Schedules: their stored form, and the fires that make a run: pauses, overlaps, missed ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dacapo_domain::{
    FireTimes, Schedule, SkipReason, SkippedFire, SkippedFires, aws_at, cron, every, fire_id, hash128, minutes,
};
use jiff::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn stored() -> [(Schedule, &'static str); 8] {
    [
        (every("5 minutes"), r#"{"every":"5 minutes"}"#),
        (every("7 days").skip_while_running(), r#"{"every":"7 days","overlap":"skip"}"#),
        (every("1 hour").catch_up(), r#"{"every":"1 hour","catchUp":true}"#),
        (cron("0 6 ? * MON-FRI *"), r#"{"cron":"0 6 ? * MON-FRI *"}"#),
        (
            cron("0 6 * * ? *").timezone("Europe/Berlin").skip_while_running().catch_up(),
            r#"{"cron":"0 6 * * ? *","timezone":"Europe/Berlin","overlap":"skip","catchUp":true}"#,
        ),
        (dacapo_domain::at("1 hour"), r#"{"at":"1 hour"}"#),
        (dacapo_domain::at(minutes(5)), r#"{"at":300000}"#),
        (dacapo_domain::at(at("2026-05-01T10:00:00Z")), r#"{"at":"2026-05-01T10:00:00Z"}"#),
    ]
}

#[test]
fn schedule_is_written_to_its_stored_form_and_read_again() {
    let now = at("2026-01-01T00:00:00Z");
    for (schedule, json) in stored() {
        assert_eq!(serde_json::to_string(&schedule).unwrap(), json);
        let back: Schedule = serde_json::from_str(json).unwrap();
        // A moment may come back in another of its forms, and means the same.
        assert_eq!(serde_json::to_string(&back).unwrap(), json);
        assert_eq!((back.overlap(), back.catches_up()), (schedule.overlap(), schedule.catches_up()));
        let fires = |schedule: &Schedule| schedule.check().unwrap().since(now);
        assert_eq!(fires(&back).ok(), fires(&schedule).ok(), "{json}");
    }
}

#[test]
fn stored_form_of_a_schedule_is_read_whatever_else_is_there() {
    for (schedule, json) in stored() {
        let plain: Schedule = serde_json::from_str(json).unwrap();
        let inner = json.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
        for more in [
            format!(r#"{{{inner},"startsAt":"2026-01-01T00:00:00Z"}}"#),
            format!(r#"{{"later":{{"every":"1 day"}},{inner},"list":[1,null]}}"#),
        ] {
            assert_eq!(serde_json::from_str::<Schedule>(&more).unwrap(), plain, "{schedule}: {more}");
        }
    }
    let spelled_out = r#"{"every":"1 hour","timezone":null,"overlap":"allow","catchUp":false}"#;
    assert_eq!(serde_json::from_str::<Schedule>(spelled_out).unwrap(), every("1 hour"));
    for unreadable in ["{}", r#"{"rate":"1 hour"}"#, r#"{"every":5}"#, r#"{"every":"1 hour","overlap":"queue"}"#] {
        assert!(serde_json::from_str::<Schedule>(unreadable).is_err(), "{unreadable}");
    }
}

#[test]
fn fire_makes_a_run_unless_its_schedule_is_paused_or_skips_while_running() {
    let (allow, skip) = (every("1 hour"), every("1 hour").skip_while_running());
    for (schedule, paused, unfinished, admitted) in [
        (&allow, false, false, Ok(())),
        (&allow, false, true, Ok(())),
        (&allow, true, false, Err(SkipReason::Paused)),
        (&allow, true, true, Err(SkipReason::Paused)),
        (&skip, false, false, Ok(())),
        (&skip, false, true, Err(SkipReason::Overlap)),
        (&skip, true, false, Err(SkipReason::Paused)),
        (&skip, true, true, Err(SkipReason::Paused)),
    ] {
        assert_eq!(schedule.admits(paused, unfinished), admitted, "{schedule}, {paused}, {unfinished}");
    }
}

#[test]
fn fire_missed_while_the_engine_was_down_is_run_once_or_skipped() {
    // Of 1 January: when fires were last handled, when the engine is back, what is run at once, what is skipped.
    type Row<'a> = (&'a str, &'a str, Option<&'a str>, &'a [&'a str]);
    let of_hours: [Row; 7] = [
        ("00:30", "00:59", None, &[]),
        ("00:30", "01:00", Some("01:00"), &[]), // a fire of this very moment is due
        ("01:00", "01:59", None, &[]),          // one handled at this very moment is not missed
        ("00:59", "01:01", Some("01:00"), &[]),
        ("00:30", "02:30", Some("02:00"), &["01:00"]),
        ("00:00", "04:00", Some("04:00"), &["01:00", "02:00", "03:00"]),
        ("04:00", "01:00", None, &[]), // the clock was put back
    ];
    let created = at("2026-01-01T00:00:00Z");
    let day = |time: &str| at(&format!("2026-01-01T{time}:00Z"));
    for base in [every("1 hour"), cron("0 * * * ? *")] {
        let fires = base.check().unwrap().since(created).unwrap();
        for (seen, now, run, skipped) in of_hours {
            let skipped: Vec<Timestamp> = skipped.iter().map(|time| day(time)).collect();
            let missed = fires.missed(day(seen), day(now), &base.clone().catch_up());
            assert_eq!((missed.run, missed.skipped), (run.map(day), skipped.clone()), "{base}: {seen} to {now}");

            // Without catch-up the last one is skipped too.
            let missed = fires.missed(day(seen), day(now), &base);
            let all: Vec<Timestamp> = skipped.into_iter().chain(run.map(day)).collect();
            assert_eq!((missed.run, missed.skipped), (None, all), "{base}: {seen} to {now}");
        }
    }
}

#[test]
fn fires_missed_over_a_long_time_are_kept_up_to_the_last_hundred() {
    let created = at("2026-01-01T00:00:00Z");
    let schedule = every("1 minute").catch_up();
    let fires = schedule.check().unwrap().since(created).unwrap();
    let now = at("2026-12-31T23:59:30Z");
    let missed = fires.missed(created, now, &schedule);
    assert_eq!(missed.run, Some(at("2026-12-31T23:59:00Z")));
    assert_eq!(missed.skipped.len(), 100);
    assert_eq!(missed.skipped.first(), Some(&at("2026-12-31T22:19:00Z")));
    assert_eq!(missed.skipped.last(), Some(&at("2026-12-31T23:58:00Z")));
}

#[test]
fn creation_of_a_schedule_is_a_fire_of_every_and_of_no_other() {
    let created = at("2026-01-01T06:00:00Z");
    let fires = |schedule: Schedule| -> FireTimes { schedule.check().unwrap().since(created).unwrap() };
    let before = at("2026-01-01T05:00:00Z");
    assert_eq!(fires(every("1 day")).next_after(before), Some(created));
    assert_eq!(fires(cron("0 6 * * ? *")).next_after(before), Some(at("2026-01-02T06:00:00Z")));
    assert_eq!(fires(cron("0 6 * * ? *")).previous_before(at("2026-01-02T06:00:00Z")), None);
    assert_eq!(fires(dacapo_domain::at("1 hour")).all().collect::<Vec<_>>(), [at("2026-01-01T07:00:00Z")]);
    let once = dacapo_domain::at("1 hour").catch_up();
    let down = |now: &str| fires(once.clone()).missed(created, at(now), &once).run;
    assert_eq!(down("2026-01-01T06:59:59.999Z"), None);
    assert_eq!(down("2026-02-01T00:00:00Z"), Some(at("2026-01-01T07:00:00Z")));
}

#[test]
fn skipped_fires_are_kept_in_order_each_once_up_to_the_last_hundred() {
    let hour = |number: i64| Timestamp::from_second(1_767_225_600 + number * 3_600).unwrap();
    let fire = |number| SkippedFire { time: hour(number), reason: SkipReason::Overlap };
    let mut skipped = SkippedFires::default();
    let mut order: Vec<i64> = (0..250).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut order);
    for number in order.iter().chain(&order) {
        skipped.remember(fire(*number));
    }
    assert_eq!(skipped.iter().copied().collect::<Vec<_>>(), (150..250).map(fire).collect::<Vec<_>>());
    // The first reason stays.
    skipped.remember(SkippedFire { time: hour(200), reason: SkipReason::Paused });
    assert_eq!(skipped.iter().filter(|fire| fire.reason == SkipReason::Paused).count(), 0);

    let mut one = SkippedFires::default();
    one.remember(SkippedFire { time: hour(0), reason: SkipReason::Missed });
    let json = r#"[{"time":"2026-01-01T00:00:00Z","reason":"missed"}]"#;
    assert_eq!(serde_json::to_string(&one).unwrap(), json);
    let more = r#"[{"time":"2026-01-01T00:00:00Z","reason":"missed","run":"later"}]"#;
    assert_eq!(serde_json::from_str::<SkippedFires>(more).unwrap(), one);
}

/// Worked out by another program, from the definitions of ULID and FNV.
#[test]
fn fire_makes_a_run_of_the_same_id_for_ever() {
    for (schedule, time, id) in [
        ("nightly-report 1", "2026-01-01T06:00:00Z", "01KDW28FR0PHTWHA1GN83GZ2QM"),
        ("nightly-report 1", "2026-01-01T06:00:00.001Z", "01KDW28FR1PHTWHA1GN83GZ2QM"),
        ("nightly-report 1", "2026-01-02T06:00:00Z", "01KDYMN6R0PHTWHA1GN83GZ2QM"),
        ("nightly-report 2", "2026-01-01T06:00:00Z", "01KDW28FR0PHTWHA1GN83GZ2R5"),
        ("", "1970-01-01T00:00:00Z", "000000000005165E2D2X2VQGHP"),
        ("送信 1", "2026-03-29T01:30:00Z", "01KMVKCME0K239AV2V37RM3VX3"),
        (&"a".repeat(200), "2199-12-31T23:59:00Z", "06K7MS1FD0Z9MNSB6CJ25TPH4A"),
    ] {
        assert_eq!(fire_id(schedule, at(time)).to_string(), id, "{schedule} {time}");
    }
    // The hash's own published vectors.
    assert_eq!(hash128(""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    assert_eq!(hash128("a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    assert_eq!(hash128("foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
}

#[test]
fn moment_in_the_words_of_aws_is_never_early() {
    for (due, expression) in [
        ("2026-05-01T10:00:00Z", "at(2026-05-01T10:00:00)"),
        ("2026-05-01T10:00:00.001Z", "at(2026-05-01T10:00:01)"),
        ("2026-12-31T23:59:59.5Z", "at(2027-01-01T00:00:00)"),
        ("2026-05-01T12:00:00+02:00", "at(2026-05-01T10:00:00)"),
    ] {
        assert_eq!(aws_at(at(due)), expression);
    }
}
