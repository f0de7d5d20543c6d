//! Every form of an interval, and every refusal.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dacapo_domain::{Every, every};
use jiff::{SignedDuration, Timestamp};

#[test]
fn interval_of_whole_minutes_hours_or_days_is_accepted() {
    for (text, expression, minutes) in [
        ("1 minute", "rate(1 minute)", 1),
        ("1 minutes", "rate(1 minute)", 1),
        ("5 minute", "rate(5 minutes)", 5),
        ("90 minutes", "rate(90 minutes)", 90),
        ("1 hour", "rate(1 hour)", 60),
        ("24 hours", "rate(24 hours)", 1_440),
        ("1 day", "rate(1 day)", 1_440),
        ("007 days", "rate(7 days)", 7 * 1_440),
        ("3650 days", "rate(3650 days)", 3_650 * 1_440),
        ("5256000 minutes", "rate(5256000 minutes)", 3_650 * 1_440),
    ] {
        let read = Every::parse(text).unwrap();
        assert_eq!(read.aws_expression(), expression, "{text}");
        assert_eq!(read.interval(), SignedDuration::from_mins(minutes), "{text}");
    }
}

const ALLOWED: &str = "allowed is a whole number from 1 of minutes, hours or days, such as \"5 minutes\"";

fn refusal(text: &str) -> String {
    let Err(error) = Every::parse(text) else { panic!("{text:?} is accepted") };
    let error = error.to_string();
    error.strip_prefix(&format!("read {text:?} as an interval: ")).unwrap().to_owned()
}

#[test]
fn text_that_is_no_interval_is_refused() {
    let unreadable = format!("it is not a number and a unit; {ALLOWED}");
    for text in [
        "",
        "  ",
        "5",
        "5m",
        "5 m",
        "-1 days",
        "daily",
        "1 fortnight",
        "1e3 minutes",
        "٥ minutes",
        "0 weeks",
        "500 ms",
        "0 6 * * ? *",
        "99999999999999999999 weeks",
    ] {
        assert_eq!(refusal(text), unreadable, "{text:?}");
    }
    for text in ["0 minutes", "0 hours", "00 days"] {
        assert_eq!(refusal(text), format!("it is zero; {ALLOWED}"), "{text:?}");
    }
    for text in ["1 second", "30 seconds", "90 seconds", "0.5 minutes"] {
        let short = format!("it counts seconds, and nothing is finer than a minute; {ALLOWED}");
        assert_eq!(refusal(text), short, "{text:?}");
    }
    for text in ["1 month", "month", "2 years"] {
        let calendar = "(for a calendar date use `cron`, such as \"0 0 1 * ? *\")";
        assert_eq!(refusal(text), format!("months and years have no fixed length; {ALLOWED} {calendar}"), "{text:?}");
    }
    for text in ["3651 days", "5256001 minutes", "99999999999999999999 days", "5000 weeks", "every 9999 days"] {
        assert_eq!(refusal(text), "it is too long; at most 3650 days are allowed, ten years", "{text:?}");
    }
}

#[test]
fn interval_that_is_clear_but_not_accepted_is_refused_with_how_to_write_it() {
    for (text, instead) in [
        ("5 min", "5 minutes"),
        ("5 MINUTES", "5 minutes"),
        (" 5 minutes", "5 minutes"),
        ("5  minutes", "5 minutes"),
        ("+5 minutes", "5 minutes"),
        ("ten minutes", "10 minutes"),
        ("every 5 minutes", "5 minutes"),
        ("rate(5 minutes)", "5 minutes"),
        ("PT5M", "5 minutes"),
        ("60 seconds", "1 minute"),
        ("120 seconds", "2 minutes"),
        ("minute", "1 minute"),
        ("an hour", "1 hour"),
        ("1.5 hours", "90 minutes"),
        ("1 day 2 hours", "26 hours"),
        ("week", "7 days"),
        ("2 weeks", "14 days"),
    ] {
        assert_eq!(refusal(text), format!("{ALLOWED} (write {instead:?})"), "{text:?}");
        assert!(Every::parse(instead).is_ok(), "{instead}");
    }
}

#[test]
fn error_of_a_long_interval_is_short() {
    for text in ["x".repeat(1_000_000), format!("{} weeks", "9".repeat(1_000_000))] {
        assert!(Every::parse(&text).unwrap_err().to_string().len() < 500);
    }
}

#[test]
fn interval_with_a_time_zone_is_refused() {
    assert_eq!(
        every("1 day").timezone("Europe/Berlin").check().unwrap_err().to_string(),
        "use the time zone \"Europe/Berlin\": only `cron` has one, `every` counts from its creation and `at` is a \
         moment (leave it out, or use `cron`)"
    );
}

#[test]
fn interval_fires_at_its_creation_and_at_each_interval_after_it() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let created = at("2026-01-01T09:30:00.25Z");
    let hourly = Every::parse("1 hour").unwrap();
    for (moment, previous, next) in [
        ("2025-12-31T00:00:00Z", None, Some("2026-01-01T09:30:00.25Z")),
        ("2026-01-01T09:30:00.249Z", None, Some("2026-01-01T09:30:00.25Z")),
        ("2026-01-01T09:30:00.25Z", None, Some("2026-01-01T10:30:00.25Z")),
        ("2026-01-01T09:30:00.251Z", Some("2026-01-01T09:30:00.25Z"), Some("2026-01-01T10:30:00.25Z")),
        ("2026-01-01T11:30:00.25Z", Some("2026-01-01T10:30:00.25Z"), Some("2026-01-01T12:30:00.25Z")),
        // It counts hours, not what the clocks show.
        ("2026-10-25T01:00:00Z", Some("2026-10-25T00:30:00.25Z"), Some("2026-10-25T01:30:00.25Z")),
    ] {
        assert_eq!(hourly.previous_before(at(moment), created), previous.map(at), "{moment}");
        assert_eq!(hourly.next_after(at(moment), created), next.map(at), "{moment}");
    }
    assert_eq!(hourly.next_after(Timestamp::MAX, created), None);
    assert_eq!(hourly.previous_before(Timestamp::MIN, created), None);
}
