//! Every form of a cron expression that the guide's chapter `schedules` accepts, and when it fires.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dacapo_domain::{Cron, cron, time_zone};
use jiff::Timestamp;

/// The first fires after the beginning of 2026, a Thursday, in UTC.
fn fires(expression: &str, zone: &str) -> Vec<String> {
    let cron = Cron::parse(expression).unwrap();
    let start: Timestamp = "2025-12-31T23:59:59.999Z".parse().unwrap();
    let zone = time_zone(zone).unwrap();
    cron.fires_after(start, &zone).map(|fire| fire.strftime("%m-%d %H:%M").to_string()).take(4).collect()
}

#[test]
fn values_ranges_lists_and_steps_of_a_field_fire_at_their_times() {
    for (expression, expected) in [
        ("0 6 * * ? *", ["01-01 06:00", "01-02 06:00", "01-03 06:00", "01-04 06:00"]),
        ("*/15 * * * ? *", ["01-01 00:00", "01-01 00:15", "01-01 00:30", "01-01 00:45"]),
        ("1/10 * * * ? *", ["01-01 00:01", "01-01 00:11", "01-01 00:21", "01-01 00:31"]),
        ("50/7 * * * ? *", ["01-01 00:50", "01-01 00:57", "01-01 01:50", "01-01 01:57"]),
        ("0-15/5 * * * ? *", ["01-01 00:00", "01-01 00:05", "01-01 00:10", "01-01 00:15"]),
        ("8-8 * * * ? *", ["01-01 00:08", "01-01 01:08", "01-01 02:08", "01-01 03:08"]),
        ("59/59 * * * ? *", ["01-01 00:59", "01-01 01:59", "01-01 02:59", "01-01 03:59"]),
        ("*/59 6 * * ? *", ["01-01 06:00", "01-01 06:59", "01-02 06:00", "01-02 06:59"]),
        ("5-6,6-7,40/30 6 * * ? *", ["01-01 06:05", "01-01 06:06", "01-01 06:07", "01-01 06:40"]),
        ("0 22-23,0-1 * * ? *", ["01-01 00:00", "01-01 01:00", "01-01 22:00", "01-01 23:00"]),
        ("0 6 1,1,15 * ? *", ["01-01 06:00", "01-15 06:00", "02-01 06:00", "02-15 06:00"]),
        ("00 06 01 * ? *", ["01-01 06:00", "02-01 06:00", "03-01 06:00", "04-01 06:00"]),
        ("0 6 */31 * ? *", ["01-01 06:00", "02-01 06:00", "03-01 06:00", "04-01 06:00"]),
        ("0 6 1 */6 ? *", ["01-01 06:00", "07-01 06:00", "01-01 06:00", "07-01 06:00"]),
        ("0 6 1 JAN,3,MAY-JUL ? *", ["01-01 06:00", "03-01 06:00", "05-01 06:00", "06-01 06:00"]),
        ("0 6 1 JAN ? 2026-2030/2", ["01-01 06:00", "01-01 06:00", "01-01 06:00", ""]),
        ("0 6 1 JAN,JUN ? 1970-2026", ["01-01 06:00", "06-01 06:00", "", ""]),
    ] {
        let expected: Vec<&str> = expected.into_iter().filter(|fire| !fire.is_empty()).collect();
        assert_eq!(fires(expression, "UTC"), expected, "{expression}");
    }
}

#[test]
fn day_fields_of_every_documented_form_fire_on_their_days() {
    for (expression, expected) in [
        ("0 6 ? * * *", ["01-01 06:00", "01-02 06:00", "01-03 06:00", "01-04 06:00"]),
        ("0 6 ? * 1 *", ["01-04 06:00", "01-11 06:00", "01-18 06:00", "01-25 06:00"]), // 1 is Sunday
        ("0 6 ? * SUN *", ["01-04 06:00", "01-11 06:00", "01-18 06:00", "01-25 06:00"]),
        ("0 6 ? * 7 *", ["01-03 06:00", "01-10 06:00", "01-17 06:00", "01-24 06:00"]),
        ("0 6 ? * MON-FRI *", ["01-01 06:00", "01-02 06:00", "01-05 06:00", "01-06 06:00"]),
        ("0 6 ? * SUN,2,TUE-THU *", ["01-01 06:00", "01-04 06:00", "01-05 06:00", "01-06 06:00"]),
        ("0 6 ? * L *", ["01-03 06:00", "01-10 06:00", "01-17 06:00", "01-24 06:00"]), // Saturday
        ("0 6 ? * 6L *", ["01-30 06:00", "02-27 06:00", "03-27 06:00", "04-24 06:00"]), // the last Friday
        ("0 6 ? * 3#2 *", ["01-13 06:00", "02-10 06:00", "03-10 06:00", "04-14 06:00"]), // the second Tuesday
        ("0 6 ? * 5#5 *", ["01-29 06:00", "04-30 06:00", "07-30 06:00", "10-29 06:00"]), // not in every month
        ("0 6 L * ? *", ["01-31 06:00", "02-28 06:00", "03-31 06:00", "04-30 06:00"]),
        ("0 6 31 * ? *", ["01-31 06:00", "03-31 06:00", "05-31 06:00", "07-31 06:00"]),
        ("0 6 3W * ? *", ["01-02 06:00", "02-03 06:00", "03-03 06:00", "04-03 06:00"]), // Saturday: the Friday before
        ("0 6 4W * ? *", ["01-05 06:00", "02-04 06:00", "03-04 06:00", "04-03 06:00"]), // Sunday: the Monday after
        ("0 6 1W * ? *", ["01-01 06:00", "02-02 06:00", "03-02 06:00", "04-01 06:00"]), // not into the month before
        ("0 6 1W 8 ? *", ["08-03 06:00", "08-02 06:00", "08-01 06:00", "08-01 06:00"]), // a Saturday in 2026
        ("0 6 31W * ? *", ["01-30 06:00", "03-31 06:00", "05-29 06:00", "07-31 06:00"]), // nor into the one after
    ] {
        assert_eq!(fires(expression, "UTC"), expected, "{expression}");
    }
}

#[test]
fn leap_day_of_an_expression_is_found_over_the_years() {
    let leap = Cron::parse("0 12 29 FEB ? *").unwrap();
    let start: Timestamp = "2090-01-01T00:00:00Z".parse().unwrap();
    let utc = time_zone("UTC").unwrap();
    let years: Vec<i16> =
        leap.fires_after(start, &utc).map(|fire| fire.to_zoned_datetime(utc.clone()).year()).take(4).collect();
    assert_eq!(years, [2092, 2096, 2104, 2108]); // 2100 is none
}

#[test]
fn expression_with_odd_spaces_is_kept_with_single_ones_and_unchanged_else() {
    let written = |text: &str| Cron::parse(text).unwrap().aws_expression();
    assert_eq!(written(" 0\t6\n 01  *  ? * "), "cron(0 6 01 * ? *)");
    assert_eq!(written("0 6 ? * MON-FRI 2026-2030"), "cron(0 6 ? * MON-FRI 2026-2030)");
}

#[test]
fn local_time_that_daylight_saving_skips_or_repeats_fires_not_or_once() {
    let local = |expression: &str, zone: &str, from: &str| {
        let cron = Cron::parse(expression).unwrap();
        let zone = time_zone(zone).unwrap();
        let fires = cron.fires_after(from.parse().unwrap(), &zone).map(|fire| fire.to_string());
        fires.take(3).collect::<Vec<_>>()
    };
    // Spring in Berlin: there is no half past two on 29 March.
    assert_eq!(
        local("30 2 * * ? *", "Europe/Berlin", "2026-03-28T00:00:00Z"),
        ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]
    );
    // Autumn: half past two comes twice on 25 October, and fires at the first.
    assert_eq!(
        local("30 2 * * ? *", "Europe/Berlin", "2026-10-24T12:00:00Z"),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"]
    );
    // Asked between the two, the next is tomorrow's.
    assert_eq!(local("30 2 * * ? *", "Europe/Berlin", "2026-10-25T00:30:00Z")[0], "2026-10-26T01:30:00Z");
    // The clocks of Havana were put back from one o'clock to midnight (in 2025: rules to come change).
    assert_eq!(
        local("0 0 * * ? *", "America/Havana", "2025-11-01T12:00:00Z"),
        ["2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z", "2025-11-04T05:00:00Z"]
    );
    // Half an hour on Lord Howe Island, southern spring: there is no quarter past two on 4 October.
    assert_eq!(
        local("15 2 * * ? *", "Australia/Lord_Howe", "2026-10-02T16:00:00Z"),
        ["2026-10-04T15:15:00Z", "2026-10-05T15:15:00Z", "2026-10-06T15:15:00Z"]
    );
}

#[test]
fn time_zone_by_its_exact_iana_name_is_found() {
    let refusal = |zone: &str| cron("0 6 * * ? *").timezone(zone).check().unwrap_err().to_string();
    for zone in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "Etc/GMT+5"] {
        assert_eq!(cron("0 6 * * ? *").timezone(zone).check().unwrap().aws_time_zone(), zone);
    }
    let allowed = "allowed are IANA names, such as \"Europe/Berlin\" or \"UTC\"";
    for zone in ["Berlin", "", "+02:00", "CEST", "Europe/Berlin ", "../etc/passwd"] {
        assert_eq!(refusal(zone), format!("find the time zone {zone:?}: {allowed}"));
    }
    assert_eq!(
        refusal("europe/berlin"),
        "find the time zone \"europe/berlin\": names are spelled exactly (write \"Europe/Berlin\")"
    );
}
