//! Every form of a time, and every refusal.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use dacapo_domain::{When, WhenProblem, days, hours, minutes, seconds};
use jiff::Timestamp;

const NOW: &str = "2024-01-31T12:00:00.250Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn due(when: impl Into<When>) -> String {
    when.into().resolve(at(NOW)).unwrap().to_string()
}

/// The problem, and what to write instead.
fn refusal(when: impl Into<When>) -> (WhenProblem, Option<String>) {
    let error = when.into().resolve(at(NOW)).unwrap_err();
    (error.problem().clone(), error.instead().map(str::to_owned))
}

#[test]
fn duration_or_number_is_that_far_from_now_or_since_1970() {
    assert_eq!(due(minutes(5)), "2024-01-31T12:05:00.25Z");
    assert_eq!(due(days(366)), "2025-01-31T12:00:00.25Z"); // over a 29 February
    assert_eq!(due(Duration::from_nanos(1)), "2024-01-31T12:00:00.251Z"); // never early
    assert_eq!(due(300_000), "2024-01-31T12:05:00.25Z");
    assert_eq!(due(300_000_u32), "2024-01-31T12:05:00.25Z");
    assert_eq!(due(300_000_i64), "2024-01-31T12:05:00.25Z");
    assert_eq!(due(300_000_u64), "2024-01-31T12:05:00.25Z");
    assert_eq!(due(1_706_702_700_000_i64), "2024-01-31T12:05:00Z");
    assert_eq!(due(1_706_702_700_001_u64), "2024-01-31T12:05:00.001Z");
}

#[test]
fn timestamp_of_any_accepted_form_is_its_moment() {
    assert_eq!(due(at("2024-02-01T00:00:00Z")), "2024-02-01T00:00:00Z");
    assert_eq!(due(at("2024-02-01T00:00:00.000000001Z")), "2024-02-01T00:00:00.001Z");
    for (text, means) in [
        ("2024-02-14T17:46:05.811Z", "2024-02-14T17:46:05.811Z"),
        ("2024-02-14T17:46:05Z", "2024-02-14T17:46:05Z"),
        ("2024-02-14t17:46:05z", "2024-02-14T17:46:05Z"),
        ("2024-02-14T17:46:05+02:00", "2024-02-14T15:46:05Z"),
        ("2024-02-14T17:46:05-00:00", "2024-02-14T17:46:05Z"),
        ("2024-02-14T17:46:05-23:59", "2024-02-15T17:45:05Z"),
        ("2024-02-14T17:46:05.1Z", "2024-02-14T17:46:05.1Z"),
        ("2024-02-14T17:46:05.8110000000000000001Z", "2024-02-14T17:46:05.812Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ] {
        assert_eq!(due(text), means, "{text}");
    }
}

#[test]
fn number_and_unit_is_that_far_from_now() {
    for (text, means) in [
        ("1 second", "2024-01-31T12:00:01.25Z"),
        ("90 seconds", "2024-01-31T12:01:30.25Z"),
        ("1 minute", "2024-01-31T12:01:00.25Z"),
        ("1 minutes", "2024-01-31T12:01:00.25Z"),
        ("5 minute", "2024-01-31T12:05:00.25Z"),
        ("26 hours", "2024-02-01T14:00:00.25Z"),
        ("1 day", "2024-02-01T12:00:00.25Z"),
        ("2 weeks", "2024-02-14T12:00:00.25Z"),
        ("1 month", "2024-02-29T12:00:00.25Z"),
        ("3 months", "2024-04-30T12:00:00.25Z"),
        ("12 months", "2025-01-31T12:00:00.25Z"),
        ("1 year", "2025-01-31T12:00:00.25Z"),
    ] {
        assert_eq!(due(text), means, "{text}");
        assert_eq!(due(text.to_owned()), means, "{text}");
    }
}

#[test]
fn time_up_to_the_same_date_next_year_is_taken() {
    for (now, latest) in [
        ("2023-06-15T10:20:30.5Z", "2024-06-15T10:20:30.5Z"),
        ("2024-02-29T10:20:30.5Z", "2025-02-28T10:20:30.5Z"),
        ("2023-03-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("2023-02-28T00:00:00Z", "2024-02-28T00:00:00Z"),
        ("2023-12-31T23:59:59.999Z", "2024-12-31T23:59:59.999Z"),
    ] {
        let (now, latest) = (at(now), at(latest));
        let next_ms = latest + Duration::from_millis(1);
        assert_eq!(When::from(latest).resolve(now), Ok(latest));
        assert_eq!(When::from("1 year").resolve(now), Ok(latest));
        let error = When::from(next_ms).resolve(now).unwrap_err();
        assert_eq!(error.problem(), &WhenProblem::TooFar { latest });
        let distance = Duration::try_from(latest.duration_since(now)).unwrap();
        assert_eq!(When::from(distance).resolve(now), Ok(latest));
        assert!(When::from(distance + Duration::from_millis(1)).resolve(now).is_err());
        assert!(When::from(u64::try_from(distance.as_millis() + 1).unwrap()).resolve(now).is_err());
    }
}

#[test]
fn time_not_later_than_now_is_refused() {
    assert_eq!(refusal(Duration::ZERO).0, WhenProblem::Zero);
    assert_eq!(refusal(0).0, WhenProblem::Zero);
    assert_eq!(refusal("0 minutes").0, WhenProblem::Zero);
    assert_eq!(refusal(-1).0, WhenProblem::Negative);
    assert_eq!(refusal(i64::MIN).0, WhenProblem::Negative);
    assert_eq!(refusal("-5 minutes").0, WhenProblem::Negative);
    assert_eq!(refusal("- 5 minutes").0, WhenProblem::Negative);
    let past = WhenProblem::Past { now: at(NOW) };
    assert_eq!(refusal(at(NOW)).0, past);
    assert_eq!(refusal(NOW).0, past);
    assert_eq!(refusal("2022-01-14T17:46:05.811Z").0, past);
    assert_eq!(refusal(1_600_000_000_000_i64).0, past);
    assert_eq!(refusal(315_360_000_001_i64).0, past); // Unix time: 1979
}

#[test]
fn time_more_than_a_year_ahead_is_refused() {
    let latest = at("2025-01-31T12:00:00.25Z");
    for when in [
        When::from(days(367)),
        When::from(Duration::MAX),
        When::from(315_360_000_000_i64), // ten years from now
        When::from(i64::MAX),
        When::from(u64::MAX),
        When::from("2 years"),
        When::from("13 months"),
        When::from("99999999999999999999999 seconds"),
        When::from("999999999 years"),
        When::from("9999-12-30T00:00:00Z"),
        When::from(Timestamp::MAX),
    ] {
        assert_eq!(refusal(when.clone()).0, WhenProblem::TooFar { latest }, "{when:?}");
    }
}

#[test]
fn text_that_is_no_time_is_refused_with_how_to_write_it() {
    use WhenProblem::{Empty, Fractional, NoUnit, Spaces, TwoUnits, Unreadable};
    let unknown = |unit: &str| WhenProblem::UnknownUnit(unit.to_owned());
    for (text, problem, instead) in [
        ("", Empty, None),
        ("  ", Empty, None),
        ("5", NoUnit, None),
        ("60000", NoUnit, None),
        ("1706702700000", NoUnit, None),
        ("1.5", NoUnit, None),
        ("90 sec", unknown("sec"), Some("90 seconds")),
        ("120 sec", unknown("sec"), Some("120 seconds")),
        ("90sec", unknown("sec"), Some("90 seconds")),
        ("5 min", unknown("min"), Some("5 minutes")),
        ("1 hr", unknown("hr"), Some("1 hour")),
        ("2 d", unknown("d"), Some("2 days")),
        ("5 m", unknown("m"), None), // a minute, or a month
        ("1 Hour", unknown("Hour"), Some("1 hour")),
        ("5 MINUTES", unknown("MINUTES"), Some("5 minutes")),
        ("3000 ms", unknown("ms"), Some("3 seconds")),
        ("3 milliseconds", unknown("milliseconds"), None),
        ("1 fortnight", unknown("fortnight"), None),
        ("1 day 2 hours", TwoUnits, Some("26 hours")),
        ("1 day, 2 hours", TwoUnits, Some("26 hours")),
        ("1 minute and 30 seconds", TwoUnits, Some("90 seconds")),
        ("1h30m", TwoUnits, None),
        ("1h 30min", TwoUnits, Some("90 minutes")),
        ("1 year 2 months", TwoUnits, Some("14 months")),
        ("1 month 1 day", TwoUnits, None), // how many days is a month?
        ("1.5 hours", Fractional, Some("90 minutes")),
        ("0.5 days", Fractional, Some("12 hours")),
        ("1.0 hours", Fractional, Some("1 hour")),
        ("0.5 seconds", Fractional, None),
        ("1,5 hours", Fractional, None),
        ("1  hour", Spaces, Some("1 hour")),
        (" 1 hour", Spaces, Some("1 hour")),
        ("1 hour ", Spaces, Some("1 hour")),
        ("1\thour", Spaces, Some("1 hour")),
        ("1hour", Spaces, Some("1 hour")),
        ("in an hour", Unreadable, Some("1 hour")),
        ("in 5 minutes", Unreadable, Some("5 minutes")),
        ("after two days", Unreadable, Some("2 days")),
        ("an hour from now", Unreadable, Some("1 hour")),
        ("half an hour", Unreadable, Some("30 minutes")),
        ("tomorrow", Unreadable, Some("1 day")),
        ("PT1H30M", Unreadable, Some("90 minutes")),
        ("P1Y", Unreadable, Some("1 year")),
        ("+5 minutes", Unreadable, Some("5 minutes")),
        ("1e3 seconds", Unreadable, None),
        ("0x10 minutes", Unreadable, None),
        ("５ minutes", Unreadable, None),
        ("1 hour ago", Unreadable, None),
        ("now", Unreadable, None),
        ("later", Unreadable, None),
        ("hour 1", Unreadable, None),
        ("15:30", Unreadable, None),
        ("null", Unreadable, None),
    ] {
        assert_eq!(refusal(text), (problem, instead.map(str::to_owned)), "{text:?}");
    }
}

#[test]
fn suggestion_of_every_refused_time_is_accepted() {
    for text in ["90 sec", "1 day 2 hours", "in an hour", "1.5 hours", "PT1H30M", "2024-02-14 17:46:05Z"] {
        let instead = refusal(text).1.unwrap();
        assert!(When::from(instead.as_str()).resolve(at(NOW)).is_ok(), "{text}: {instead}");
    }
}

#[test]
fn timestamp_beyond_rfc_3339_is_refused_with_the_reason() {
    for (text, why) in [
        ("2024-02-14", "the time of day is missing"),
        ("2024-02-14T17:46Z", "the time is written 17:46:05"),
        ("2024-02-14T17:46:05", "the offset is missing, Z or +02:00"),
        ("2024-02-14T17:46:05+0200", "an offset is written Z or +02:00"),
        ("2024-02-14T17:46:05+2", "an offset is written Z or +02:00"),
        ("2024-02-14T17:46:05[Europe/Berlin]", "an offset is written Z or +02:00"),
        ("2024-02-14T17:46:05Z[UTC]", "an offset is written Z or +02:00"),
        ("2024-02-14T17:46:05Z ", "an offset is written Z or +02:00"),
        ("2024-02-14T17:46:05 UTC", "an offset is written Z or +02:00"),
        ("2024-02-14T17:46:05+24:00", "there is no such offset"),
        ("2024-02-14T17:46:05.Z", "a decimal point is followed by digits"),
        ("2024-02-14T17:46:05,5Z", "an offset is written Z or +02:00"),
        ("2024-02-30T17:46:05Z", "there is no such date"),
        ("2025-02-29T17:46:05Z", "there is no such date"),
        ("2024-13-01T17:46:05Z", "there is no such date"),
        ("2024-02-14T24:00:00Z", "there is no such time of day"),
        ("2024-06-30T23:59:60Z", "leap seconds can't be told apart from the next second; write that one"),
        ("2024-2-14T17:46:05Z", "the date is written 2022-01-14"),
        ("20240214T174605Z", "the date is written 2022-01-14"),
        ("2024-02-14 17:46:05Z", "date and time are joined by a T"),
        ("2024-02-14T17:46:05＋02:00", "it holds characters that no timestamp has"),
    ] {
        assert_eq!(refusal(text).0, WhenProblem::Timestamp(why), "{text:?}");
    }
    assert_eq!(refusal("2024-02-14 17:46:05Z").1.as_deref(), Some("2024-02-14T17:46:05Z"));
}

#[test]
fn error_of_a_time_says_what_was_given_what_is_allowed_and_what_to_write() {
    let message = |when: When| format!("failed to {}", when.resolve(at(NOW)).unwrap_err());
    assert_eq!(
        message("1 day 2 hours".into()),
        "failed to use \"1 day 2 hours\" as a time: it has more than one number and unit; allowed is one (write \"26 \
         hours\")"
    );
    assert_eq!(
        message(days(400).into()),
        "failed to use a duration of 34560000s as a time: it is too far ahead; allowed is at most one year, \
         2025-01-31T12:00:00.25Z"
    );
    assert_eq!(message((-5).into()), "failed to use -5 as a time: it is negative; allowed is later than now");
    let long = message("x".repeat(10_000_000).into());
    assert!(long.len() < 500, "{} bytes", long.len());
}

#[test]
fn time_travels_as_a_json_number_or_string() {
    for (when, json) in [
        (When::from(minutes(5)), "300000"),
        (When::from(300_000), "300000"),
        (When::from(-1), "-1"),
        (When::from(u64::MAX), "18446744073709551615"),
        (When::from("5 minutes"), "\"5 minutes\""),
        (When::from(at("2024-02-14T17:46:05.811Z")), "\"2024-02-14T17:46:05.811Z\""),
    ] {
        assert_eq!(serde_json::to_string(&when).unwrap(), json);
        let back: When = serde_json::from_str(json).unwrap();
        assert_eq!(back.resolve(at(NOW)).ok(), when.resolve(at(NOW)).ok(), "{json}");
    }
    // As a number, 57 years would be a point in time of this year.
    let json = serde_json::to_string(&When::from(hours(24 * 365 * 57))).unwrap();
    assert_eq!(json, "\"1797552000 seconds\"");
    // A fraction of a millisecond is rounded up on the way as it is here.
    assert_eq!(serde_json::to_string(&When::from(Duration::from_micros(1))).unwrap(), "1");

    let refused = |json: &str| serde_json::from_str::<When>(json).unwrap().resolve(at(NOW)).unwrap_err();
    assert_eq!(refused("1.5").problem(), &WhenProblem::Fractional);
    assert_eq!(refused("-1.5").problem(), &WhenProblem::Negative);
    assert!(matches!(refused("1e300").problem(), WhenProblem::TooFar { .. }));
    assert_eq!(serde_json::from_str::<When>("5.0").unwrap(), When::from(5));
    for json in ["null", "true", "[1]", "{}"] {
        assert!(serde_json::from_str::<When>(json).is_err(), "{json}");
    }
    assert_eq!(seconds(1), Duration::from_secs(1));
}
